// The page: the values step by step, the equation behind each of them, and what a reader does.
"use strict";

const EXAMPLE = { T: 3, H: 2, seed: 0, at: 1 }, FIRST = "x.0.0";
const state = { kind: "lstm", ...EXAMPLE, q: null, found: [], moments: [], chosen: null, roomy: false };
const cellOf = kind => kind.split("-")[0];
const keyOf = e => [e.verb, e.t ?? "", e.name, e.labels.join(" ")].join("|");
const infoOf = e => DATA.kinds[state.kind].info[[e.verb, e.name.replace(/\[.*/, ""), e.labels.join(" ")].join("|")];

function compute() {
  state.found = Cells.trace(cellOf(state.kind), state.q);
  const moments = state.moments = [];
  for (const e of state.found) {
    const m = moments.at(-1), same = m && m.verb === e.verb && m.t === e.t && m.labels[0] === e.labels[0];
    same ? m.entries.push(e) : moments.push({ verb: e.verb, t: e.t, labels: e.labels, entries: [e] });
  }
  state.at = Math.max(0, Math.min(state.at, moments.length));
  state.shown = new Map(moments.slice(0, state.at).flatMap(m => m.entries).map(e => [keyOf(e), e]));
}

// ---- building what only changes with the kind of cell or the sizes --------------------------------------------------

function build() {
  const cell = cellOf(state.kind), steps = [...Array(state.T).keys()];
  fields(state);
  for (const [id, verbs, caption] of [["forward", ["step_forward"], "Forward: each step from top to bottom"],
    ["backward", ["deltas", "step_backward"], "Backward: the last step first, each from top to bottom"]]) {
    const rows = new Map();
    for (const e of state.found.filter(e => verbs.includes(e.verb))) {
      const of = [e.verb, e.verb === "deltas" ? "dh" : e.name, e.labels.join(" ")].join("|");
      rows.set(of, [...(rows.get(of) ?? []), e]);
    }
    $(id).replaceChildren(el("caption", {}, caption), head("quantity", ...steps.map(t => `t = ${t}`)),
      el("tbody", {}, ...[...rows.values()].map(es => el("tr", {},
        el("th", { scope: "row" }, es[0].verb === "deltas" ? "dh in" : es[0].name, el("small", {}, " " + es[0].labels.join(" "))),
        ...es.sort((a, b) => a.t - b.t).map(e => el("td", { "data-key": keyOf(e), tabindex: "-1" }))))));
    $(id).querySelector("td")?.setAttribute("tabindex", "0");
  }
  $("code").replaceChildren(...DATA.source[cell].map(([number, text]) =>
    el("span", { class: "line", "data-line": number }, el("span", { class: "number" }, number ? String(number).padStart(4) : "    "), text || " ", "\n")));
  for (const link of document.querySelectorAll(".note")) link.href = `cells/${cell}.html`;
  Dock.list();
  if (!Dock.path) Dock.hold(FIRST);
}

// ---- showing --------------------------------------------------------------------------------------------------------

function show() {
  compute();
  for (const td of document.querySelectorAll("td[data-key]")) {
    const e = state.shown.get(td.dataset.key);
    td.replaceChildren(...(e ? e.value.map(v => el("span", {}, figure(v))) : [el("span", { class: "later" }, "·")]));
    td.style.setProperty("--tint", e && e.verb !== "step_forward" ? tint(e.value) : "transparent");
    td.classList.toggle("chosen", td.dataset.key === state.chosen);
  }
  const last = Object.fromEntries([...state.shown.values()].filter(e => e.verb === "backward").map(e => [e.name, e.value]));
  show_gradients({ p: { W_ih: last.dW_ih, W_hh: last.dW_hh, W_hr: last.dW_hr, b_ih: last.db_ih, b_hh: last.db_hh }, x: last.dx, s: { h: last.dh_0, c: last.dc_0 } });
  const n = state.moments.length, m = state.moments[state.at - 1];
  Object.assign($("at"), { max: n, value: state.at });
  for (const [id, off] of [["start", state.at === 0], ["before", state.at === 0], ["after", state.at === n], ["end", state.at === n]]) $(id).disabled = off;
  const said = m ? `${where(m)}${m.labels.length ? ", " + m.labels.join(" ") : ""}: ${m.entries.map(e => e.name).join(", ")}` : "nothing is computed yet";
  $("at").setAttribute("aria-valuetext", `${state.at} of ${n}: ${said}`);
  $("now").textContent = `${state.at} of ${n} · ${said}`;
  diagram();
  explain();
}

const where = m => (m.verb === "forward" || m.verb === "backward" ? `${m.verb}, all steps`
  : `${m.verb === "step_forward" ? "forward" : "backward"}, t = ${m.t}`);
const WITHOUT = { // quantities that no label stands for
  deltas: "Fan-out: the upstream gradient of this output, plus what the next step sends back.",
  backward: "What the first step sends back is the gradient with respect to the initial state.",
};

function explain() {
  const e = state.found.find(e => keyOf(e) === state.chosen) ?? state.moments[state.at - 1]?.entries[0];
  const cell = cellOf(state.kind), info = e && infoOf(e), all = e?.t === null && e.name !== "a_x";
  for (const line of document.querySelectorAll("#code .line")) {
    const on = info?.line === Number(line.dataset.line);
    line.classList.toggle("lit", on);
    if (on) $("code").scrollTop = line.offsetTop - $("code").clientHeight / 2;
  }
  $("name").textContent = !e ? "Step forward, or point at a quantity" : `${e.name}${e.t === null ? "" : ", t = " + e.t}`;
  const value = e && state.shown.has(keyOf(e)) ? `  =  ${written_out(e.value)}` : "";
  $("formula").textContent = e ? `${e.verb === "deltas" ? "" : e.name + " = "}${info.code}${value}` : "";
  $("equation").innerHTML = !e ? "" : e.labels.length ? `<p>${e.labels.map(label => linked(cell, label)).join(" ")}</p>${info.formulas.map(n => DATA.formulas[n]).join("")}`
    : `<p>${WITHOUT[e.verb]}</p>`;
  $("letters").innerHTML = info?.letters.length ? `<table><caption>Letters that differ${all ? "; the code has those of all steps, one below the other" : ""}</caption>
    <thead><tr><th scope="col">in the code</th><th scope="col">in the formula</th></tr></thead>
    <tbody>${info.letters.map(([code, n]) => `<tr><td><code>${code}</code></td><td>${DATA.formulas[n]}</td></tr>`).join("")}</tbody></table>` : "";
  $("place").replaceChildren(el("a", { href: `code/reference/cells/${cell}.py.html${info ? "#L" + info.line : ""}` }, `reference/cells/${cell}.py`), info ? `, line ${info.line}` : "");
}

function written_out(value) { // rows with semicolons between them, as in the notes; the first twelve numbers
  const rows = (Array.isArray(value[0]) ? value : [value]), kept = rows.slice(0, Math.max(1, Math.floor(12 / rows[0].length)));
  return `[${kept.map(row => row.map(v => figure(v, 4)).join("  ")).join("; ")}${kept.length < rows.length ? "; …" : ""}]`;
}

const linked = (cell, label) => `<a href="cells/${cell}.html#cells-${cell}-${label.toLowerCase().replace("*", "-adjoint")}"><b>${label}</b></a>`;

// ---- what a reader does -----------------------------------------------------------------------------------------------

function choose(key) {
  if (state.chosen === key) return;
  state.chosen = key;
  show();
}

const nameOf = kind => [...$("kind").options].find(o => o.value === kind).textContent;

// Another cell, other sizes or other numbers; the position is the end if it was the end, else the first equation.
function renew(ended) {
  const alone = state.kind === "lstm-proj"; // a projection is from more units to fewer
  $("H").options[0].disabled = alone;
  if (alone && state.H === 1) state.H = 2;
  for (const id of ["kind", "T", "H"]) $(id).value = state[id];
  const { q, kept, aside } = Numbers.problem(state);
  Object.assign(state, { q, chosen: null, at: ended ? Infinity : EXAMPLE.at });
  compute();
  build();
  show();
  follow();
  return { kept, aside };
}

const some = names => (names.length > 4 ? `${names.slice(0, 3).join("; ")}; and ${names.length - 3} more` : names.join("; "));

function say({ kept, aside }, gone = 0) {
  const { T, H } = EXAMPLE, own = state.seed || state.H !== H ? "drawn numbers" : `the example of the notes${state.T === T ? "" : ", with other steps"}`;
  $("status").textContent = [`${nameOf(state.kind)}: ${own}.`, kept.length && `Kept: ${some(kept)}.`,
    aside.length && `Set aside until there is a place for it: ${some(aside)}.`,
    gone && (gone === 1 ? "Your change is gone." : `Your ${gone} changes are gone.`)].filter(Boolean).join(" ");
}

function move(to) {
  state.at = Math.max(0, Math.min(state.moments.length, to));
  const m = state.moments[state.at - 1];
  state.chosen = m ? keyOf(m.entries[0]) : null;
  show();
  follow();
}

document.addEventListener("input", ({ target }) => {
  if (target.id === "at") move(Number(target.value));
  if (target.id === "roomy") { state.roomy = target.checked; diagram(); follow(); }
});
document.addEventListener("change", ({ target }) => {
  if (!["kind", "T", "H"].includes(target.id)) return;
  const ended = state.at === state.moments.length;
  state[target.id] = target.id === "kind" ? target.value : Number(target.value);
  say(renew(ended));
});
document.addEventListener("click", ({ target }) => {
  const to = { start: 0, before: state.at - 1, after: state.at + 1, end: state.moments.length }[target.id];
  if (to !== undefined) move(to);
  if (target.id === "draw" || target.id === "reset") {
    const gone = Numbers.forget(), ended = target.id === "draw" && state.at === state.moments.length;
    Object.assign(state, target.id === "draw" ? { seed: state.seed + 1 } : EXAMPLE);
    const changes = renew(ended);
    if (target.id === "reset") Dock.hold(FIRST);
    say(changes, gone);
  }
  const key = target.closest("[data-key]")?.dataset.key, hold = target.closest("[data-hold]")?.dataset.hold;
  if (key) choose(key);
  if (hold) Dock.hold(hold);
});
document.addEventListener("focusin", ({ target }) => target.dataset.key && choose(target.dataset.key));
document.addEventListener("pointerover", ({ target }) => {
  const cell = target.closest("td[data-key]"), node = target.closest("[data-keys]");
  if (cell) choose(cell.dataset.key);
  const keys = node?.dataset.keys.split(" ; ").filter(Boolean) ?? [];
  if (keys.length && !keys.includes(state.chosen)) choose([...keys].reverse().find(k => state.shown.has(k)) ?? keys[0]);
});
// Arrow keys in a table of values: one cell of each table is in the order of tabs, the arrows reach the others.
document.addEventListener("keydown", event => {
  const td = event.target.closest?.("td[data-key]"), by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!td || !by) return;
  event.preventDefault();
  const row = td.parentNode, rows = [...row.parentNode.rows], to = rows[rows.indexOf(row) + by[0]]?.cells[td.cellIndex + by[1]];
  if (!to?.dataset.key) return;
  td.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus();
});

Dock.open(() => state.q, path => {
  Numbers.changed(state, path, name_of(field_at(path)), nameOf(state.kind));
  show();
}, id => {
  $("diagram").scrollIntoView({ block: "nearest" });
  if (id === "held") to_middle(document.querySelector(".held circle"));
});
renew(false);
