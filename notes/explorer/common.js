// What the explorers share: elements, figures, colours of a gradient, fields, and the dock with the number being changed.
"use strict";

const $ = id => document.getElementById(id);
const el = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) v === true ? node.setAttribute(k, "") : v !== false && node.setAttribute(k, v);
  node.append(...children);
  return node;
};
const copy = v => JSON.parse(JSON.stringify(v));
const norm = v => Math.hypot(...v.flat());
const figure = (v, digits = 3) => (Math.abs(v) < 0.5 * 10 ** -digits ? 0 : v).toFixed(digits).replace("-", "−");
const read = (root, path) => path.split(".").reduce((v, k) => v?.[k], root);

// The theme that the reader chose on the site, if this page may know it; else the system's.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* a page opened as a file has no storage in some browsers */ }

// ---- the size of a gradient as a colour: from --small to --large, by its logarithm ---------------------------------

const strength = v => Math.min(1, Math.max(0, (Math.log10(norm([v])) + 3.5) / 3.7));
const tint = v => `color-mix(in oklab, var(--small), var(--large) ${Math.round(100 * strength(v))}%)`;

// ---- numbers to change -----------------------------------------------------------------------------------------------

// A field for the number at a path of the page's object, and under it the gradient of the loss with respect to it.  The
// dock's list has the short name.
function entry(path, label, value, short = label) {
  const node = el("input", { type: "number", step: "0.1", value, "aria-label": label, "data-path": path, "data-short": short, inputmode: "decimal" });
  return el("span", { class: "entry" }, node, el("small", { class: "grad", "data-grad": path, "aria-hidden": "true" }));
}

// Writes the gradients of an object of the same form under the fields, and into their names.
function show_gradients(grads) {
  for (const node of document.querySelectorAll("[data-grad]")) {
    const v = read(grads, node.dataset.grad), field = node.previousSibling, label = name_of(field);
    node.textContent = v === undefined ? "" : figure(v);
    node.style.setProperty("--tint", v === undefined ? "transparent" : tint([v]));
    field.setAttribute("aria-label", v === undefined ? label : `${label}; gradient ${figure(v)}`);
  }
}

const field_at = path => document.querySelector(`[data-path="${path}"]`);
const name_of = field => field.getAttribute("aria-label").split("; ")[0];

// The dock: #held, a list of all fields, grouped by their tables; #scrub, a slider; #scrub-value, a field for the value.
const Dock = {
  path: null,

  // root() is the object that the paths lead into; changed(path) is called after a number in it has changed, and used(id)
  // when one of the three was, so that the page can bring into view what moves.
  open(root, changed, used = () => {}) {
    Object.assign(Dock, { root, changed });
    document.addEventListener("input", ({ target }) => {
      if (target.dataset.path) Dock.set(target.dataset.path, target.value);
      else if (target.id === "held") Dock.hold(target.value || null);
      else if (["scrub", "scrub-value"].includes(target.id) && Dock.path) Dock.set(Dock.path, target.value, target.id);
      if (["held", "scrub", "scrub-value"].includes(target.id)) used(target.id);
    });
    document.addEventListener("focusin", ({ target }) => target.dataset.path && Dock.hold(target.dataset.path));
    const dock = document.querySelector(".dock");
    new ResizeObserver(() => document.documentElement.style.setProperty("--dock", `${dock.offsetHeight}px`)).observe(dock);
  },

  // After the fields were made anew.
  list() {
    const tables = [...document.querySelectorAll("table")].filter(t => t.querySelector("[data-path]"));
    $("held").replaceChildren(el("option", { value: "" }, "choose a number"), ...tables.map(table => el("optgroup", { label: table.caption.textContent },
      ...[...table.querySelectorAll("[data-path]")].map(f => el("option", { value: f.dataset.path }, f.dataset.short)))));
    Dock.hold(Dock.path && field_at(Dock.path) ? Dock.path : null);
  },

  // The number at this path is the one to change, or none.  Where data-hold says the path, a picture shows which it is.
  hold(path) {
    Dock.path = path;
    $("held").value = path ?? "";
    $("scrub").disabled = $("scrub-value").disabled = !path;
    for (const id of ["scrub", "scrub-value"]) $(id).setAttribute("aria-label", path ? name_of(field_at(path)) : "no number is chosen");
    Dock.follow();
    for (const node of document.querySelectorAll("[data-path], [data-hold]")) node.classList.toggle("held", [node.dataset.path, node.dataset.hold].includes(path));
  },

  follow(from) { // what the reader writes in is left alone
    const v = Dock.path ? read(Dock.root(), Dock.path) : "";
    for (const id of ["scrub", "scrub-value"]) if (id !== from) $(id).value = v;
  },

  set(path, text, from) {
    const v = Number(text), keys = path.split(".");
    if (text === "" || !Number.isFinite(v)) return;
    read(Dock.root(), keys.slice(0, -1).join("."))[keys.at(-1)] = v;
    if (from) field_at(path).value = text;
    if (path === Dock.path) Dock.follow(from);
    Dock.changed(path);
  },
};
