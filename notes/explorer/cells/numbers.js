// The numbers: those of the example or drawn ones, with the reader's changes laid over them.
"use strict";

const Numbers = (() => {
  // What was changed: by its path, and weights by their cell and its size too, since they mean nothing in another.
  const edits = new Map();
  const family = ({ kind }) => (kind === "lstm-proj" ? kind : cellOf(kind));
  const keyOf = (view, path) => (path.startsWith("p.") ? `${family(view)} ${view.H} ${path}` : path);
  const write = (q, path, v) => {
    const keys = path.split(".");
    read(q, keys.slice(0, -1).join("."))[keys.at(-1)] = v;
  };

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

  // The example of the notes has T = 3 and H = 2.  More steps are added to it; other sizes are drawn.
  function base({ kind, T, H, seed }) {
    const { start } = DATA.kinds[kind], cell = cellOf(kind), G = Cells.GATES[cell].length, P = start.p.W_hr?.length ?? H;
    const vector = (next, n) => Array.from({ length: n }, next), given = seed === 0 && H === 2;
    const next = random(seed + 7 * H), matrix = (n, m) => Array.from({ length: n }, () => vector(next, m));
    const states = () => Object.fromEntries(Cells.STATES[cell].map(n => [n, vector(next, n === "h" ? P : H)]));
    const drawn = { p: { W_ih: matrix(G * H, 1), W_hh: matrix(G * H, P), b_ih: vector(next, G * H), b_hh: vector(next, G * H),
      ...(start.p.W_hr && { W_hr: matrix(P, H) }) }, s: states(), ds: states(), options: start.options };
    const steps = Array.from({ length: T }, (_, t) => {
      const own = random(1000 + 100 * seed + t), x = vector(own, 1), dy = vector(own, P);
      return { x: seed === 0 && start.x[t] || x, dy: given && start.dy[t] || dy };
    });
    return copy({ ...(given ? start : drawn), x: steps.map(s => s.x), dy: steps.map(s => s.dy) });
  }

  // The problem of a view {kind, T, H, seed}, with the changes that fit, and the names of those and of the others.
  function problem(view) {
    const q = base(view), kept = [], aside = [];
    for (const [key, { path, value, name, of }] of edits) {
      const here = key === keyOf(view, path) && read(q, path) !== undefined;
      if (here) write(q, path, value);
      (here ? kept : aside).push(of && !here ? `${name} (${of})` : name);
    }
    return { q, kept, aside };
  }

  // A number was changed: remembered if it is not what it was.
  function changed(view, path, name, of) {
    const value = read(view.q, path);
    if (value === read(base(view), path)) edits.delete(keyOf(view, path));
    else edits.set(keyOf(view, path), { path, value, name, of: path.startsWith("p.") && of });
  }

  function forget() { // and how many they were
    const { size } = edits;
    edits.clear();
    return size;
  }

  return { problem, changed, forget };
})();

// ---- their fields ---------------------------------------------------------------------------------------------------

function fields({ q, T, H, kind }) {
  const cell = cellOf(kind), names = Cells.STATES[cell], sub = n => (H > 1 ? n + 1 : "");
  const units = [...Array(H).keys()], steps = [...Array(T).keys()];
  const outputs = [...q.s.h.keys()], of = n => (outputs.length > 1 ? n + 1 : ""); // the units of h, fewer with a projection
  const field = (path, label) => entry(path, label, read(q, path), label.replace(/, (row|unit) /, " ").replace(", column ", ", "));

  $("sequence").replaceChildren(el("caption", {}, "Inputs, and the upstream gradients on the outputs"),
    head("quantity", ...steps.map(t => `t = ${t}`)),
    el("tbody", {}, row("x", ...steps.map(t => field(`x.${t}.0`, `x at t = ${t}`))),
      ...outputs.map(j => row(`dy${of(j)}`, ...steps.map(t => field(`dy.${t}.${j}`, `dy${of(j)} at t = ${t}`))))));

  const state = (s, n, name, j) => (j in q[s][n] ? field(`${s}.${n}.${j}`, `${name}, unit ${j + 1}`) : "");
  $("states").replaceChildren(el("caption", {}, "Initial states, and the upstream gradients on the final ones"),
    head("unit", ...names.map(n => `${n}_0`), ...names.map(n => `d${n}_n`)),
    el("tbody", {}, ...units.map(j => row(`${j + 1}`, ...names.map(n => state("s", n, `${n}_0`, j)), ...names.map(n => state("ds", n, `d${n}_n`, j))))));

  $("weights").replaceChildren(el("caption", {}, "Weights and biases, each with its gradient"),
    head("row", "W_ih", ...outputs.map(j => `W_hh ${of(j)}`), "b_ih", "b_hh"),
    el("tbody", {}, ...[...Cells.GATES[cell]].flatMap((g, n) => units.map(j => {
      const k = n * H + j, name = `${g}${sub(j)}`;
      return row(name, field(`p.W_ih.${k}.0`, `W_ih, row ${name}`),
        ...outputs.map(i => field(`p.W_hh.${k}.${i}`, `W_hh, row ${name}, column ${i + 1}`)),
        field(`p.b_ih.${k}`, `b_ih, row ${name}`), field(`p.b_hh.${k}`, `b_hh, row ${name}`));
    }))));

  $("projection").replaceChildren(...(q.p.W_hr ? [el("table", {}, el("caption", {}, "Projection of the units to h"),
    head("row", ...units.map(j => `W_hr ${sub(j)}`)), el("tbody", {}, ...outputs.map(i => row(`h${of(i)}`,
      ...units.map(j => field(`p.W_hr.${i}.${j}`, `W_hr, row ${i + 1}, column ${j + 1}`))))))] : []));
}

const head = (...names) => el("thead", {}, el("tr", {}, ...names.map(n => el("th", { scope: "col" }, n))));
const row = (name, ...cells) => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map(c => el("td", {}, c)));
