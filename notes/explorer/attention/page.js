// The page: inputs, the picture, every value, and the equation and the line behind each.
"use strict";

const SYMBOL = { w: "α", dw: "dα" };
const IN_CODE = { k: "keys", w: "w", c: "context", dw: "dw", dk: "dkeys", "dh, as values": "dh", "dh, as keys": "the last of what is returned", "de, scaled": "de, once more" };
const TABLES = { forward: ["h", "k", "g", "u", "e", "w", "c"], backward: ["dw", "dh, as values", "de", "de, scaled", "dv", "da", "dg", "dk", "dW_q", "dq", "dW_k", "db", "dh, as keys", "dh"] };
const STEPS = new Set(["h", "k", "u", "e", "w", "dw", "dh, as values", "de", "de, scaled", "da", "dk", "dh, as keys", "dh"]); // have an entry for each step
const OWN = {
  h: "Before anything else the memory is set to 0 where it is padding: a weight of 0 alone would let NaN pass.",
  dh: "The memory is read twice, as values and as keys, so its gradient is the sum of both ways (fan-out).",
};
const state = { kind: "additive", S: 4, seed: 0, all: null, q: null, found: [], chosen: { name: "w", s: 1 } };
const shown = name => SYMBOL[name] ?? name;
const entry_of = name => state.found.find(e => e.name === name);

// The numbers of S steps; the parameters are those of all kinds, so that a change of kind keeps them.
function compute() {
  const { all, S } = state;
  state.q = { ...all, h: all.h.slice(0, S), mask: all.mask.slice(0, S) };
  state.found = Attention.trace(state.kind, state.q);
}

function draw_numbers() {
  const next = random(state.seed), vector = n => Array.from({ length: n }, next), matrix = n => Array.from({ length: n }, () => vector(2));
  return { p: { W_q: matrix(2), W_k: matrix(2), b: vector(2), v: vector(2) }, q: vector(2), h: matrix(5), mask: [true, true, true, false, true], dc: vector(2) };
}

function random(seed) { // numbers with one decimal, none of them zero
  let a = seed * 2654435761 + 1;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const n = ((t ^ (t >>> 14)) >>> 0) % 30;
    return n < 15 ? (n - 15) / 10 : (n - 14) / 10;
  };
}

// ---- what changes only with the kind or the number of steps --------------------------------------------------------

function build() {
  const { all, S, kind, found } = state, steps = [...Array(S).keys()], names = Attention.PARAMS[kind];
  const head = (...cells) => el("thead", {}, el("tr", {}, ...cells.map(c => el("th", { scope: "col" }, c))));
  const row = (name, ...cells) => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map(c => el("td", {}, c)));
  const fields = (path, label, values) => values.map((v, j) => entry(`${path}.${j}`, `${label} ${j + 1}`, v));

  $("memory").replaceChildren(el("caption", {}, "Memory, each number with its gradient"), head("step", "feature 1", "feature 2"),
    el("tbody", {}, ...steps.map(s => row(`h ${s}`, ...fields(`h.${s}`, `h ${s}, feature`, all.h[s])))));
  $("ends").replaceChildren(el("caption", {}, "Query, and the upstream gradient on the context"), head("vector", "feature 1", "feature 2"),
    el("tbody", {}, row("q", ...fields("q", "q, feature", all.q)), row("dc", ...fields("dc", "dc, feature", all.dc))));
  const matrix = name => Array.isArray(all.p[name][0])
    ? all.p[name].map((r, i) => row(`${name}, row ${i + 1}`, ...fields(`p.${name}.${i}`, `${name}, row ${i + 1}, column`, r)))
    : [row(name, ...fields(`p.${name}`, `${name},`, all.p[name]))];
  $("weights").replaceChildren(...(names.length ? [el("table", {}, el("caption", {}, "Parameters, each with its gradient"), head("parameter", "1", "2"),
    el("tbody", {}, ...names.flatMap(matrix)))] : []));

  $("mask").replaceChildren($("mask").querySelector("legend"), ...steps.map(s =>
    el("label", {}, el("input", { type: "checkbox", "data-mask": s, checked: all.mask[s] }), `${s}`)));

  for (const [id, wanted] of Object.entries(TABLES)) {
    const rows = wanted.map(entry_of).filter(Boolean);
    $(id).replaceChildren(el("caption", {}, id === "forward" ? "Forward" : "Backward: gradients of the loss"), head("quantity", ...steps.map(s => `s = ${s}`)),
      el("tbody", {}, ...rows.map(e => el("tr", {}, el("th", { scope: "row" }, shown(e.name), el("small", {}, ` ${e.labels.join(" ")}`)),
        ...(STEPS.has(e.name) ? steps.map(s => el("td", { "data-key": `${e.name}|${s}`, tabindex: "-1" }))
          : [el("td", { "data-key": `${e.name}|`, tabindex: "-1", colspan: S })])))));
    $(id).querySelector("td").setAttribute("tabindex", "0");
  }
  $("jacobian").replaceChildren(el("caption", {}, "∂α", el("sub", {}, "s"), " / ∂e", el("sub", {}, "r"), " of the softmax; de is dα times this"), head("weight", ...steps.map(r => `r = ${r}`)),
    el("tbody", {}, ...steps.map(s => row(`s = ${s}`, ...steps.map(() => "")))));
  Dock.list();
}

// ---- showing ---------------------------------------------------------------------------------------------------------

function show() {
  compute();
  const { q, found, chosen } = state, v = Object.fromEntries(found.map(e => [e.name, e.value]));
  for (const td of document.querySelectorAll("td[data-key]")) {
    const [name, s] = td.dataset.key.split("|"), value = s === "" ? v[name] : [v[name][s]].flat();
    const lines = Array.isArray(value[0]) ? value.map(row => row.map(n => figure(n)).join("  ")) : s === "" ? [value.map(n => figure(n)).join("  ")] : value.map(n => figure(n));
    td.replaceChildren(...lines.map(line => el("span", {}, line)));
    td.style.setProperty("--tint", TABLES.backward.includes(name) ? tint(value.flat()) : "transparent");
    td.classList.toggle("chosen", name === chosen.name && (s === "" || Number(s) === chosen.s));
  }
  Attention.jacobian(v.w).forEach((row, s) => row.forEach((n, r) => {
    const td = $("jacobian").tBodies[0].rows[s].cells[r + 1];
    td.textContent = figure(n);
    td.style.setProperty("--heat", n < 0 ? "var(--vermilion)" : "var(--blue)");
    td.style.setProperty("--share", `${Math.round(220 * Math.abs(n))}%`);
  }));
  show_gradients({ p: { W_q: v.dW_q, W_k: v.dW_k, b: v.db, v: v.dv }, q: v.dq, h: v.dh });
  const kept = q.mask.filter(Boolean).length;
  for (const box of document.querySelectorAll("[data-mask]")) {
    box.checked = q.mask[box.dataset.mask];
    box.disabled = box.checked && kept === 1; // a memory of padding alone is an error
  }
  $("diagram").innerHTML = picture({ kind: state.kind, q, v, chosen, held: Dock.path, gradients: $("gradients").checked, width: Math.max(320, $("diagram").clientWidth) });
  explain();
}

function explain() {
  const { found, chosen, kind, q } = state, at = found.findIndex(e => e.name === chosen.name), e = found[at];
  const lines = DATA.source.filter(([, text]) => text.trim().startsWith(e.code.trim())).map(([number]) => number);
  if (!$("code").firstChild) $("code").replaceChildren(...DATA.source.map(([number, text]) =>
    el("span", { class: "line", "data-line": number }, el("span", { class: "number" }, number ? String(number).padStart(4) : "    "), text || " ", "\n")));
  for (const line of document.querySelectorAll("#code .line")) {
    line.classList.toggle("lit", lines.includes(Number(line.dataset.line)));
    if (lines[0] === Number(line.dataset.line)) $("code").scrollTop = line.offsetTop - $("code").clientHeight / 2;
  }
  const s = STEPS.has(chosen.name) ? chosen.s : null, title = `${shown(chosen.name)}${s === null ? "" : `, s = ${s}`}`;
  $("name").textContent = title;
  $("formula").textContent = arithmetic(kind, q, found, e.name, s);
  $("equation").innerHTML = e.labels.map(label => `<p><b>${label}</b></p>${DATA.equations[label].join("")}`).join("") || `<p>${OWN[e.name]}</p>`;
  $("place").textContent = `reference/parts/attention.py${IN_CODE[e.name] ? ` · there it is ${IN_CODE[e.name]}` : ""} · one query, so t is always 0`;
  Object.assign($("at"), { max: found.length, value: at + 1 });
  $("at").setAttribute("aria-valuetext", `${at + 1} of ${found.length}: ${title}`);
  $("now").textContent = `${at + 1} of ${found.length} · ${title}${e.labels.length ? `, ${e.labels[0]}` : ""}`;
  $("before").disabled = at <= 0;
  $("after").disabled = at === found.length - 1;
}

// ---- what a reader does ----------------------------------------------------------------------------------------------

function choose(name, s) {
  const chosen = { name, s: s === "" || s === undefined ? state.chosen.s : Number(s) };
  if (chosen.name === state.chosen.name && chosen.s === state.chosen.s) return;
  state.chosen = chosen;
  show();
}

function renew() {
  compute();
  if (!state.q.mask.some(Boolean)) state.all.mask[0] = true;
  state.chosen.s = Math.min(state.chosen.s, state.S - 1);
  compute();
  if (!entry_of(state.chosen.name)) state.chosen.name = "w";
  build();
  show();
}

const at = () => state.found.findIndex(e => e.name === state.chosen.name);

document.addEventListener("change", ({ target }) => {
  if (target.id === "kind") { state.kind = target.value; renew(); }
  if (target.id === "S") { state.S = Number(target.value); renew(); }
  if (target.id === "gradients") show();
  if (target.dataset.mask) { state.all.mask[target.dataset.mask] = target.checked; show(); }
});
document.addEventListener("click", ({ target }) => {
  if (target.id === "before") choose(state.found[at() - 1].name);
  if (target.id === "after") choose(state.found[at() + 1].name);
  if (target.id === "draw") { state.seed += 1; state.all = draw_numbers(); renew(); }
  if (target.id === "reset") {
    Object.assign(state, { kind: "additive", S: 4, seed: 0, all: copy(DATA.example), chosen: { name: "w", s: 1 } });
    $("kind").value = state.kind;
    $("S").value = state.S;
    Dock.path = "q.1";
    renew();
  }
  const hold = target.closest("[data-hold]")?.dataset.hold, node = target.closest("[data-name]"), key = target.closest("[data-key]")?.dataset.key;
  if (hold) Dock.hold(hold);
  if (node) choose(node.dataset.name, node.dataset.s);
  if (key) choose(...key.split("|"));
});
document.addEventListener("focusin", ({ target }) => {
  if (target.dataset.key) choose(...target.dataset.key.split("|"));
});
document.addEventListener("input", ({ target }) => target.id === "at" && choose(state.found[target.value - 1].name));
document.addEventListener("pointerover", event => {
  const td = event.target.closest("td[data-key]");
  if (td && event.pointerType === "mouse") choose(...td.dataset.key.split("|"));
});
// Arrow keys in a table of values: one cell of each table is in the order of tabs, the arrows reach the others.
document.addEventListener("keydown", event => {
  const td = event.target.closest?.("td[data-key]"), by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!td || !by) return;
  event.preventDefault();
  const row = td.parentNode, rows = [...row.parentNode.rows], cells = rows[rows.indexOf(row) + by[0]]?.cells;
  const to = cells?.[Math.min(td.cellIndex + by[1], cells.length - 1)];
  if (!to?.dataset.key) return;
  td.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus();
});
new ResizeObserver(() => state.found.length && show()).observe($("diagram"));

state.all = copy(DATA.example);
Dock.open(() => state.all, show);
Dock.path = "q.1";
renew();
