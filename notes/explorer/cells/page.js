// The page: inputs, the unrolled network, the values step by step, and the equation behind each of them.
"use strict";

const state = { kind: "lstm", T: 3, H: 2, seed: 0, q: null, found: [], moments: [], at: 0, chosen: null };
const cellOf = kind => kind.split("-")[0];

// ---- the problem -------------------------------------------------------------------------------------------------

function random(seed) { // numbers with one decimal, none of them zero
  let a = seed * 2654435761 + 1;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const u = ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    return (1 + Math.floor(u * 9)) / 10 * (Math.floor(u * 1e6) % 2 ? 1 : -1);
  };
}

function draw() {
  const { kind, T, H, seed } = state, cell = cellOf(kind), given = DATA.kinds[kind];
  if (T === 3 && H === 2 && seed === 0) return copy(given.start);
  const next = random(seed + 31 * T + 7 * H), G = Cells.GATES[cell].length;
  const vector = n => Array.from({ length: n }, next), matrix = (n, m) => Array.from({ length: n }, () => vector(m));
  const projection = given.start.p.W_hr, P = projection ? projection.length : H;
  const states = () => Object.fromEntries(Cells.STATES[cell].map(n => [n, vector(n === "h" ? P : H)]));
  return { p: { W_ih: matrix(G * H, 1), W_hh: matrix(G * H, P), b_ih: vector(G * H), b_hh: vector(G * H), ...(projection && { W_hr: matrix(P, H) }) },
    x: matrix(T, 1), s: states(), dy: matrix(T, P), ds: states(), options: copy(given.start.options) };
}

const keyOf = e => [e.verb, e.t ?? "", e.name, e.labels.join(" ")].join("|");
const infoOf = e => DATA.kinds[state.kind].info[[e.verb, e.name.replace(/\[.*/, ""), e.labels.join(" ")].join("|")];

function compute() {
  const end = state.at >= state.moments.length;
  state.found = Cells.trace(cellOf(state.kind), state.q);
  const moments = [];
  for (const e of state.found) {
    const m = moments.at(-1), same = m && m.verb === e.verb && m.t === e.t && m.labels[0] === e.labels[0];
    same ? m.entries.push(e) : moments.push({ verb: e.verb, t: e.t, labels: e.labels, entries: [e] });
  }
  state.moments = moments;
  if (end || state.at > moments.length) state.at = moments.length;
  state.shown = new Map(moments.slice(0, state.at).flatMap(m => m.entries).map(e => [keyOf(e), e]));
}

// ---- building what only changes with the kind of cell or the sizes -----------------------------------------------

function build() {
  const { q, T, H, kind } = state, cell = cellOf(kind), gates = [...Cells.GATES[cell]];
  const units = [...Array(H).keys()], steps = [...Array(T).keys()], sub = n => (H > 1 ? n + 1 : "");
  const outputs = [...q.s.h.keys()], of = n => (outputs.length > 1 ? n + 1 : "");  // the units of h, fewer with a projection
  const head = (...names) => el("thead", {}, el("tr", {}, ...names.map(n => el("th", { scope: "col" }, n))));
  const row = (name, ...cells) => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map(c => el("td", {}, c)));

  $("weights").replaceChildren(el("caption", {}, "Weights and biases, each with its gradient"),
    head("row", "W_ih", ...outputs.map(j => `W_hh ${of(j)}`), "b_ih", "b_hh"),
    el("tbody", {}, ...gates.flatMap((g, n) => units.map(j => {
      const k = n * H + j, name = `${g}${sub(j)}`;
      return row(name, entry(`p.W_ih.${k}.0`, `W_ih, row ${name}`, q.p.W_ih[k][0]),
        ...outputs.map(i => entry(`p.W_hh.${k}.${i}`, `W_hh, row ${name}, column ${i + 1}`, q.p.W_hh[k][i])),
        entry(`p.b_ih.${k}`, `b_ih, row ${name}`, q.p.b_ih[k]), entry(`p.b_hh.${k}`, `b_hh, row ${name}`, q.p.b_hh[k]));
    }))));

  $("projection").replaceChildren(...(q.p.W_hr ? [el("table", {}, el("caption", {}, "Projection of the units to h"),
    head("row", ...units.map(j => `W_hr ${sub(j)}`)), el("tbody", {}, ...outputs.map(i => row(`h${of(i)}`,
      ...units.map(j => entry(`p.W_hr.${i}.${j}`, `W_hr, row ${i + 1}, column ${j + 1}`, q.p.W_hr[i][j]))))))] : []));

  $("sequence").replaceChildren(el("caption", {}, "Inputs, and the upstream gradients on the outputs"),
    head("quantity", ...steps.map(t => `t = ${t}`)),
    el("tbody", {}, row("x", ...steps.map(t => entry(`x.${t}.0`, `x at t = ${t}`, q.x[t][0]))),
      ...outputs.map(j => row(`dy${of(j)}`, ...steps.map(t => entry(`dy.${t}.${j}`, `dy ${of(j)} at t = ${t}`, q.dy[t][j]))))));
  const names = Cells.STATES[cell];
  $("states").replaceChildren(el("caption", {}, "Initial states, and the upstream gradients on the final ones"),
    head("unit", ...names.map(n => `${n}_0`), ...names.map(n => `d${n}_n`)),
    el("tbody", {}, ...units.map(j => row(`${j + 1}`, ...names.map(n => j in q.s[n] ? entry(`s.${n}.${j}`, `${n}_0, unit ${j + 1}`, q.s[n][j]) : ""),
      ...names.map(n => j in q.ds[n] ? entry(`ds.${n}.${j}`, `d${n}_n, unit ${j + 1}`, q.ds[n][j]) : "")))));

  for (const [id, verbs, caption] of [["forward", ["step_forward"], "Forward: each step from top to bottom"],
    ["backward", ["deltas", "step_backward"], "Backward: the last step first, each from top to bottom"]]) {
    const rows = new Map();
    for (const e of state.found) {
      if (!verbs.includes(e.verb)) continue;
      const name = e.verb === "deltas" ? "dh" : e.name, id = [e.verb, name, e.labels.join(" ")].join("|");
      rows.set(id, [...(rows.get(id) ?? []), e]);
    }
    $(id).replaceChildren(el("caption", {}, caption), head("quantity", ...steps.map(t => `t = ${t}`)),
      el("tbody", {}, ...[...rows.values()].map(es => el("tr", {},
        el("th", { scope: "row" }, es[0].verb === "deltas" ? "dh in" : es[0].name, el("small", {}, " " + es[0].labels.join(" "))),
        ...es.sort((a, b) => a.t - b.t).map(e => el("td", { "data-key": keyOf(e), tabindex: "-1" }))))));
    $(id).querySelector("td")?.setAttribute("tabindex", "0");
  }
  $("code").replaceChildren(...DATA.cells[cell].source.map(([number, text]) =>
    el("span", { class: "line", "data-line": number }, el("span", { class: "number" }, number ? String(number).padStart(4) : "    "), text || " ", "\n")));
  $("place").textContent = `reference/cells/${cell}.py`;
  Dock.list();
}

// ---- showing ------------------------------------------------------------------------------------------------------

function show() {
  compute();
  for (const td of document.querySelectorAll("td[data-key]")) {
    const e = state.shown.get(td.dataset.key);
    td.replaceChildren(...(e ? e.value.map(v => el("span", {}, figure(v))) : [el("span", { class: "later" }, "·")]));
    td.style.setProperty("--tint", e && e.verb !== "step_forward" ? tint(e.value) : "transparent");
    td.classList.toggle("chosen", td.dataset.key === state.chosen);
  }
  const last = Object.fromEntries([...state.shown.values()].filter(e => e.verb === "backward").map(e => [e.name, e.value]));
  const grads = { p: { W_ih: last.dW_ih, W_hh: last.dW_hh, W_hr: last.dW_hr, b_ih: last.db_ih, b_hh: last.db_hh }, x: last.dx, s: { h: last.dh_0, c: last.dc_0 } };
  show_gradients(grads);
  const n = state.moments.length, m = state.moments[state.at - 1];
  Object.assign($("at"), { max: n, value: state.at });
  for (const [id, off] of [["start", state.at === 0], ["before", state.at === 0], ["after", state.at === n], ["end", state.at === n]]) $(id).disabled = off;
  const said = m ? `${where(m)}${m.labels.length ? ", " + m.labels.join(" ") : ""}: ${m.entries.map(e => e.name).join(", ")}` : "nothing is computed yet";
  $("at").setAttribute("aria-valuetext", `${state.at} of ${n}: ${said}`);
  $("now").textContent = `${state.at} of ${n} · ${said}`;
  diagram();
  explain();
}

const where = m => (m.verb === "forward" || m.verb === "backward" ? `${m.verb}, all steps at once`
  : `${m.verb === "step_forward" ? "forward" : "backward"}, t = ${m.t}`);

function explain() {
  const m = state.moments[state.at - 1];
  const e = state.found.find(e => keyOf(e) === state.chosen) ?? m?.entries[0];
  const cell = cellOf(state.kind), equations = DATA.cells[cell].equations;
  const lit = e && infoOf(e);
  for (const line of document.querySelectorAll("#code .line")) {
    const on = lit && Number(line.dataset.line) >= lit.line && Number(line.dataset.line) <= lit.last;
    line.classList.toggle("lit", Boolean(on));
    if (on && Number(line.dataset.line) === lit.line) $("code").scrollTop = line.offsetTop - $("code").clientHeight / 2;
  }
  if (!e) {
    $("name").textContent = "Step forward, or point at a quantity";
    $("formula").textContent = "";
    $("equation").replaceChildren();
    return;
  }
  const shown = state.shown.has(keyOf(e));
  $("name").textContent = `${e.name}${e.t === null ? "" : ", t = " + e.t}`;
  $("formula").textContent = `${lit ? lit.formula : ""}${shown ? "  =  [" + e.value.flat().map(v => figure(v, 4)).join("  ") + "]" : ""}`;
  $("equation").innerHTML = e.labels.map(label => `<p><b>${label}</b></p>${(equations[label] ?? []).join("")}`).join("")
    || (e.verb === "backward" ? "<p>What the first step sends back is the gradient in the initial state.</p>"
      : "<p>Fan-out: the upstream gradient of this output, plus what the next step sends back.</p>");
}

// ---- the unrolled network ----------------------------------------------------------------------------------------

// Nodes of one step at [x, y]; edges [from, to, what flows back along it]. "prev" ends at the step before.
const W = 250;
const PLAN = {
  rnn: { height: 270, lane: { h: 110 }, nodes: { a: [120, 110] }, x: [120, 220],
    edges: (E, q, H) => [["x", "a", t => Cells.back(E(t, "da"), q.p.W_ih)], ["h-", "a", t => E(t, "dh_prev")],
      ["a", "h", t => E(t, "dh")]] },
  lstm: { height: 400, lane: { c: 76, h: 270 }, nodes: { f: [62, 172], i: [106, 172], g: [150, 172], o: [194, 172] }, x: [128, 355],
    edges: (E, q, H) => [...[..."ifgo"].flatMap((g, k) => [
      ["x", g, t => Cells.back(E(t, `da_${g}`), q.p.W_ih.slice(k * H, (k + 1) * H))],
      ["h-", g, t => Cells.back(E(t, `da_${g}`), q.p.W_hh.slice(k * H, (k + 1) * H))]]),
    ["f", "c", t => E(t, "df")], ["i", "c", t => E(t, "di")], ["g", "c", t => E(t, "dg")], ["c-", "c", t => E(t, "dc_prev")],
    ["o", "h", t => E(t, "do")], ["c", "h", t => through_h(E, q, t)]] },
  gru: { height: 390, lane: { h: 250 }, nodes: { r: [62, 150], q: [106, 60], n: [166, 60], z: [194, 150] }, x: [128, 345],
    edges: (E, q, H) => {
      const block = (g, k, name, M) => t => Cells.back(E(t, name), M.slice(k * H, (k + 1) * H)), after = q.options.reset_after;
      return [["x", "r", block("r", 0, "da_r", q.p.W_ih)], ["x", "z", block("z", 1, "da_z", q.p.W_ih)], ["x", "n", block("n", 2, "da_n", q.p.W_ih)],
        ["h-", "r", block("r", 0, "da_r", q.p.W_hh)], ["h-", "z", block("z", 1, "da_z", q.p.W_hh)],
        ["h-", "q", t => (after ? E(t, "dh_q") : E(t, "dh_q").map((d, j) => d * state.found.find(e => e.verb === "step_forward" && e.t === t && e.name === "r").value[j]))],
        ["r", after ? "n" : "q", t => E(t, "dr")], ["q", "n", t => E(t, "dq")], ["n", "h", t => E(t, "dn")], ["z", "h", t => E(t, "dz")],
        ["h-", "h", t => E(t, "direct")]];
    } },
};

const { nodes, edges } = PLAN.lstm;
PLAN["lstm-proj"] = { height: 460, lane: { c: 76, h: 330 }, nodes: { ...nodes, m: [216, 256] }, x: [128, 415],
  edges: (E, q, H) => [...edges(E, q, H).map(([from, to, flow]) => [from, to === "h" ? "m" : to, flow]), ["m", "h", t => E(t, "dm")]] };

function through_h(E, q, t) { // the part of dc that comes through h
  const next = t === state.T - 1 ? q.ds.c : E(t + 1, "dc_prev");
  return E(t, "dc").map((d, j) => d - next[j]);
}

function entries(t, name) {
  const all = [...state.shown.values()].filter(e => e.t === t && (e.verb === "step_backward" || e.verb === "deltas"));
  if (name === "dh") return all.find(e => e.verb === "deltas");
  if (name === "dm") return all.find(e => e.name === "dh" && e.labels[0] === "L5*");
  if (name === "direct") return all.find(e => e.name === "dh" && e.labels[0] === "G4*");
  return all.find(e => e.name === name);
}

function diagram() {
  const { q, T, H, kind } = state, cell = cellOf(kind), plan = PLAN[kind] ?? PLAN[cell], left = 46;
  const value = (t, name) => {
    const e = entries(t, name);
    if (!e) throw new Later();
    return e.value;
  };
  const place = (t, n) => n === "x" ? [left + t * W + plan.x[0], plan.x[1]]
    : plan.nodes[n] ? [left + t * W + plan.nodes[n][0], plan.nodes[n][1]]
      : n.endsWith("-") ? [left + t * W, plan.lane[n[0]]] : [left + (t + 1) * W, plan.lane[n]];
  const lines = [], circles = [];
  const arrow = (from, to, flow, ready) => {
    const [x1, y1] = from, [x2, y2] = to, d = Math.hypot(x2 - x1, y2 - y1), r = 19;
    const p = [x1 + (x2 - x1) * r / d, y1 + (y2 - y1) * r / d, x2 - (x2 - x1) * (r + 4) / d, y2 - (y2 - y1) * (r + 4) / d];
    const size = flow ? 1.2 + 5 * strength(flow) : 1.2;
    lines.push(`<line x1="${p[0]}" y1="${p[1]}" x2="${p[2]}" y2="${p[3]}" class="${flow ? "flow" : ready ? "ready" : "later"}"
      style="stroke-width:${size};${flow ? "stroke:" + tint(flow) : ""}" marker-end="url(#${flow ? "none" : "tip"})"
      ${flow ? 'marker-start="url(#tip-back)"' : ""}><title>${flow ? "gradient " + flow.map(v => figure(v, 4)).join(", ") : ""}</title></line>`);
  };
  // Numbers stand where the fewest arrows pass: above c, beside h, below the others.
  const number = ([x, y], letter, j, n, text) => {
    const [cx, cy, side] = letter === "h" ? [x + 22, y + 4 + 12 * (j - (n - 1) / 2) + (cell === "lstm" ? 0 : 12 * n), true]
      : letter === "c" ? [x, y - 23 - 12 * (n - 1 - j), false] : [x, y + 29 + 12 * j, false];
    return `<rect x="${side ? cx - 2 : cx - 16}" y="${cy - 10}" width="34" height="13" rx="3"/><text class="value${side ? " side" : ""}" x="${cx}" y="${cy}">${text}</text>`;
  };
  const circle = (at, text, e, keys) => {
    const on = keys.includes(state.chosen), v = e && e.value ? e.value : e;
    circles.push(`<g class="node ${v ? "" : "later"} ${on ? "chosen" : ""}" data-keys="${keys.join(" ; ")}">
      <circle cx="${at[0]}" cy="${at[1]}" r="17"/><text x="${at[0]}" y="${at[1] + 5}">${text}</text>
      ${(v || []).map((n, j) => number(at, text[0], j, v.length, figure(n, 2))).join("")}</g>`);
  };
  const forward = (t, n) => { // m is what h is before it is projected
    const all = state.found.filter(e => e.verb === "step_forward" && e.t === t && e.name === (n === "m" ? "h" : n));
    return n === "m" ? all[0] : all.at(-1);
  };
  for (let t = 0; t < T; t++) {
    for (const [a, b, flow] of plan.edges(value, q, H)) {
      let v = null;
      try { v = flow(t); } catch (error) { if (!(error instanceof Later)) throw error; }
      arrow(place(t, a), place(t, b), v, state.shown.has(keyOf(forward(t, b))));
    }
    const yAt = [place(t, "h")[0], plan.x[1]], dh = entries(t, "dh");
    arrow(place(t, "h"), yAt, dh ? q.dy[t] : null, state.shown.has(keyOf(forward(t, "h"))));
    circle(place(t, "x"), `x<tspan class="sub" dy="4">${t}</tspan>`, q.x[t], []);
    circle(yAt, `y<tspan class="sub" dy="4">${t}</tspan>`, null, []);
    for (const n of [...Object.keys(plan.nodes), ...Object.keys(plan.lane)]) {
      const e = forward(t, n), back = { a: ["da"], h: [], m: ["dh"], c: ["dc"], r: ["dr", "da_r"], z: ["dz", "da_z"], q: ["dq"], n: ["dn", "da_n"] }[n] ?? [`d${n}`, `da_${n}`];
      const others = state.found.filter(o => o.t === t && (o.verb === "step_backward" && back.includes(o.name) || n === "h" && o.verb === "deltas"));
      const index = plan.lane[n] ? `<tspan class="sub" dy="4">${t + 1}</tspan>` : "";
      circle(place(t, n), n + index, state.shown.get(keyOf(e)), [e, ...others].map(keyOf));
    }
  }
  for (const n of Object.keys(plan.lane)) circle([left, plan.lane[n]], `${n}<tspan class="sub" dy="4">0</tspan>`, q.s[n], []);
  const width = left + T * W + 62;
  $("diagram").innerHTML = `<svg viewBox="0 0 ${width} ${plan.height + 24}" width="${width}" role="img" aria-label="The network unrolled over ${T} steps. The tables hold the same numbers.">
    <defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker>
    <marker id="tip-back" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>
    ${lines.join("")}${circles.join("")}</svg>`;
}
class Later extends Error {}

// ---- what a reader does -------------------------------------------------------------------------------------------

function choose(key) {
  if (state.chosen === key) return;
  state.chosen = key;
  show();
}

function renew() {
  const alone = state.kind === "lstm-proj"; // a projection is from more units to fewer
  $("H").options[0].disabled = alone;
  if (alone && state.H === 1) $("H").value = state.H = 2;
  state.q = draw();
  state.chosen = null;
  state.at = Infinity;
  state.moments = [];
  compute();
  state.at = state.moments.length;
  compute();
  state.chosen = keyOf(state.found.find(e => e.verb === "step_backward"));
  build();
  show();
}

function move(to) {
  state.at = Math.max(0, Math.min(state.moments.length, to));
  state.chosen = state.at ? keyOf(state.moments[state.at - 1].entries[0]) : null;
  show();
}

document.addEventListener("input", ({ target }) => {
  if (target.id === "at") move(Number(target.value));
});
document.addEventListener("change", ({ target }) => {
  if (["kind", "T", "H"].includes(target.id)) {
    state[target.id] = target.id === "kind" ? target.value : Number(target.value);
    renew();
  }
});
document.addEventListener("click", ({ target }) => {
  const to = { start: 0, before: state.at - 1, after: state.at + 1, end: state.moments.length }[target.id];
  if (to !== undefined) move(to);
  if (target.id === "draw") { state.seed += 1; renew(); }
  if (target.id === "reset") { Object.assign(state, { seed: 0 }); renew(); }
  const key = target.closest("[data-key]")?.dataset.key;
  if (key) choose(key);
});
document.addEventListener("focusin", ({ target }) => {
  if (target.dataset.key) choose(target.dataset.key);
});
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

Dock.open(() => state.q, show);
renew();
