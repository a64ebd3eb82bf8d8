// The unrolled network: forward values in its nodes, and along each arrow the gradient that it takes back.
"use strict";

// Nodes of one step at [x, y]; lanes of the states, which the next step enters ("h-" is the state before the step); edges
// [from, to, what the edge adds to the gradient of "from"].
const PLAN = {
  rnn: { height: 220, lane: { h: 60 }, nodes: { a: [120, 60] }, x: [120, 170],
    edges: (E, q) => [["x", "a", t => Cells.back(E(t, "da"), q.p.W_ih)], ["h-", "a", t => E(t, "dh_prev")], ["a", "h", t => E(t, "da")]] },
  lstm: { height: 400, lane: { c: 76, h: 270 }, nodes: { f: [62, 172], i: [106, 172], g: [150, 172], o: [194, 172] }, x: [128, 355],
    edges: (E, q, H) => [...[..."ifgo"].flatMap((g, k) => [
      ["x", g, t => Cells.back(E(t, `da_${g}`), Cells.part(q.p.W_ih, k, H))],
      ["h-", g, t => Cells.back(E(t, `da_${g}`), Cells.part(q.p.W_hh, k, H))]]),
    ["f", "c", t => E(t, "df")], ["i", "c", t => E(t, "di")], ["g", "c", t => E(t, "dg")], ["c-", "c", t => E(t, "dc_prev")],
    ["o", "h", t => E(t, "do")], ["c", "h", t => E(t, "through_h")]] },
  gru: { height: 390, lane: { h: 250 }, nodes: { r: [84, 150], q: [106, 60], n: [166, 60], z: [178, 150] }, x: [128, 345],
    edges: (E, q, H) => {
      const block = (k, name, M) => t => Cells.back(E(t, name), Cells.part(M, k, H)), after = q.options.reset_after;
      return [["x", "r", block(0, "da_r", q.p.W_ih)], ["x", "z", block(1, "da_z", q.p.W_ih)], ["x", "n", block(2, "da_n", q.p.W_ih)],
        ["h-", "r", block(0, "da_r", q.p.W_hh)], ["h-", "z", block(1, "da_z", q.p.W_hh)],
        ["h-", "q", t => (after ? E(t, "dh_q") : E(t, "dh_q").map((d, j) => d * E(t, "r")[j]))],
        ["r", after ? "n" : "q", t => E(t, "dr")], ["q", "n", t => E(t, "dq")], ["n", "h", t => E(t, "dn")], ["z", "h", t => E(t, "dz")],
        ["h-", "h", t => E(t, "direct")]];
    } },
};
const { nodes, edges } = PLAN.lstm;
PLAN["lstm-proj"] = { height: 460, lane: { c: 76, h: 330 }, nodes: { ...nodes, m: [216, 256] }, x: [128, 415],
  edges: (E, q, H) => [...edges(E, q, H).map(([from, to, flow]) => [from, to === "h" ? "m" : to, flow]), ["m", "h", t => E(t, "dm")]] };

const STEP = 250, LEFT = 46, RADIUS = 17;
const ROOMY = [[1.5, 1.3], [1.75, 1.4], [2.1, 1.5]]; // how much wider and higher with numbers beside the arrows: one, two, three
const LINE = 12; // from one number of a vector to the next
const WIDTH = { value: 36, along: 42 }; // of two decimals, and of three

// ---- what is computed so far ----------------------------------------------------------------------------------------

class Later extends Error {}

// The value of a gradient (or of a gate) of step t, by the name of the trace or one of the four below; Later if it is not there.
function computed(t, name) {
  const all = [...state.shown.values()].filter(e => e.t === t);
  const by = { dh: e => e.verb === "deltas", dm: e => e.name === "dh" && e.labels[0] === "L5*", direct: e => e.name === "dh" && e.labels[0] === "G4*" };
  if (name === "through_h") { // the part of dc that comes through h
    const next = t === state.T - 1 ? state.q.ds.c : computed(t + 1, "dc_prev");
    return computed(t, "dc").map((d, j) => d - next[j]);
  }
  const found = all.find(by[name] ?? (e => e.name === name));
  if (!found) throw new Later();
  return found.value;
}

function soFar(flow, t) {
  try { return flow(t); } catch (error) { if (!(error instanceof Later)) throw error; }
  return null;
}

const forwardOf = (t, n) => { // m is what h is before it is projected
  const all = state.found.filter(e => e.verb === "step_forward" && e.t === t && e.name === (n === "m" ? "h" : n));
  return n === "m" ? all[0] : all.at(-1);
};

// ---- where things stand -----------------------------------------------------------------------------------------------

// Numbers of a node stand where the fewest arrows pass: above c, beside h, below the others.
function besideNode([x, y], letter, n) {
  if (letter === "h") return { x: x + 20, y: y - LINE * n / 2 + (cellOf(state.kind) === "lstm" ? 0 : LINE * n), side: true };
  return { x: x - WIDTH.value / 2, y: letter === "c" ? y - RADIUS - 3 - LINE * n : y + RADIUS + 2, side: false };
}
const box = ({ x, y }, n, width = WIDTH.value) => [x, y, x + width, y + LINE * n];
const overlap = (a, b) => Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));

function crosses([x1, y1, x2, y2], [left, top, right, bottom]) { // a line and a box
  let from = 0, to = 1;
  for (const [p, q] of [[x1 - x2, x1 - left], [x2 - x1, right - x1], [y1 - y2, y1 - top], [y2 - y1, bottom - y1]]) {
    if (p === 0 && q < 0) return false;
    if (p < 0) from = Math.max(from, q / p);
    if (p > 0) to = Math.min(to, q / p);
  }
  return from <= to;
}

const placed = new Map(); // corners, which only depend on the kind and the sizes

// For each arrow the corner of its numbers: on it, or close beside it, over nothing that is written and over as few other
// arrows as can be.
function besideArrows(arrows, taken) {
  const corners = [], width = WIDTH.along, lines = arrows.map(a => a.line);
  arrows.forEach(({ line: [x1, y1, x2, y2], size }, k) => {
    const d = Math.hypot(x2 - x1, y2 - y1), across = [-(y2 - y1) / d, (x2 - x1) / d], height = LINE * size;
    let best = null;
    for (let s = 0.12; s < 0.92; s += 0.04) for (const side of [0, 8, -8, 16, -16, 24, -24]) {
      const corner = { x: x1 + s * (x2 - x1) + side * across[0] - width / 2, y: y1 + s * (y2 - y1) + side * across[1] - height / 2 };
      const own = box(corner, size, width);
      const cost = taken.reduce((sum, b) => sum + (overlap(own, b) && 300 + 50 * overlap(own, b)), 0) + 30 * lines.filter((line, j) => j !== k && crosses(line, own)).length
        + 20 * Math.abs(s - 0.5) + 1.5 * Math.abs(side);
      if (!best || cost < best.cost) best = { cost, corner };
    }
    corners.push(best.corner);
    taken.push(box(best.corner, size, width));
  });
  return corners;
}

// ---- drawing ------------------------------------------------------------------------------------------------------------

function diagram() {
  const { q, T, H, kind, roomy } = state, plan = PLAN[kind] ?? PLAN[cellOf(kind)], [sx, sy] = roomy ? ROOMY[H - 1] : [1, 1], step = STEP * sx;
  const place = (t, n) => n === "x" ? [LEFT + t * step + plan.x[0] * sx, plan.x[1] * sy]
    : plan.nodes[n] ? [LEFT + t * step + plan.nodes[n][0] * sx, plan.nodes[n][1] * sy]
      : n.endsWith("-") ? [LEFT + t * step, plan.lane[n[0]] * sy] : [LEFT + (t + 1) * step, plan.lane[n] * sy];
  const arrows = [], circles = [], taken = [];
  const sizeOf = from => ({ x: 1, h: q.s.h.length })[from[0]] ?? H;
  const arrow = ([x1, y1], [x2, y2], size, flow, ready) => {
    const d = Math.hypot(x2 - x1, y2 - y1), from = RADIUS + 2, to = RADIUS + 6;
    arrows.push({ size, flow, ready, line: [x1 + (x2 - x1) * from / d, y1 + (y2 - y1) * from / d, x2 - (x2 - x1) * to / d, y2 - (y2 - y1) * to / d] });
  };
  const circle = (at, text, { value, size = 0, keys = [], hold }) => {
    const on = keys.includes(state.chosen), numbers = besideNode(at, text[0], size);
    taken.push([at[0] - RADIUS - 2, at[1] - RADIUS - 2, at[0] + RADIUS + 2, at[1] + RADIUS + 2], ...(size ? [box(numbers, size)] : []));
    circles.push(`<g class="node ${value || hold ? "" : "later"} ${on ? "chosen" : ""} ${hold && hold === Dock.path ? "held" : ""}" data-keys="${keys.join(" ; ")}" ${hold ? `data-hold="${hold}"` : ""}>
      <circle cx="${at[0]}" cy="${at[1]}" r="${RADIUS}"/><text x="${at[0]}" y="${at[1] + 5}">${text}</text>${value ? written(numbers, value.map(v => figure(v, 2)), "value") : ""}</g>`);
  };
  const index = n => `<tspan class="sub" dy="4">${n}</tspan>`;

  for (const n of Object.keys(plan.lane)) circle([LEFT, plan.lane[n] * sy], n + index(0), { value: q.s[n], size: q.s[n].length, hold: `s.${n}.0` });
  for (let t = 0; t < T; t++) {
    const yAt = [place(t, "h")[0], plan.x[1] * sy];
    for (const [a, b, flow] of plan.edges(computed, q, H)) arrow(place(t, a), place(t, b), sizeOf(a), soFar(flow, t), state.shown.has(keyOf(forwardOf(t, b))));
    arrow(place(t, "h"), yAt, sizeOf("h"), soFar(t => computed(t, "dh") && q.dy[t], t), state.shown.has(keyOf(forwardOf(t, "h"))));
    circle(place(t, "x"), "x" + index(t), { value: q.x[t], size: 1, hold: `x.${t}.0` });
    circle(yAt, "y" + index(t), { hold: `dy.${t}.0` });
    for (const n of [...Object.keys(plan.nodes), ...Object.keys(plan.lane)]) {
      const e = forwardOf(t, n), back = { a: ["da"], h: [], m: ["dh"], c: ["dc"], r: ["dr", "da_r"], z: ["dz", "da_z"], q: ["dq"], n: ["dn", "da_n"] }[n] ?? [`d${n}`, `da_${n}`];
      const others = state.found.filter(o => o.t === t && (o.verb === "step_backward" && back.includes(o.name) || n === "h" && o.verb === "deltas"));
      circle(place(t, n), n + (plan.lane[n] ? index(t + 1) : ""), { value: state.shown.get(keyOf(e))?.value, size: e.value.length, keys: [e, ...others].map(keyOf) });
    }
  }
  const width = LEFT + T * step + 62, height = plan.height * sy + 24;
  const sizes = `${kind} ${T} ${H}`;
  if (roomy && !placed.has(sizes)) placed.set(sizes, besideArrows(arrows, taken));
  const along = roomy ? arrows.map(({ flow }, k) => (flow ? written(placed.get(sizes)[k], flow.map(v => figure(v)), "along") : "")) : [];
  $("diagram").innerHTML = `<svg viewBox="0 0 ${width} ${height}" width="${width}" style="min-width:${roomy ? width : 0.85 * width}px" role="img"
    aria-label="The network unrolled over ${T} steps. The tables hold the same numbers.">
    <defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker>
    <marker id="tip-back" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>
    ${arrows.map(drawn).join("")}${along.join("")}${circles.join("")}</svg>`;
}

function drawn({ flow, ready, line: [x1, y1, x2, y2] }) {
  const at = `x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"`;
  if (!flow) return `<line ${at} class="${ready ? "ready" : "later"}" stroke-width="1.2" marker-end="url(#tip)"/>`;
  return `<line ${at} class="flow" style="stroke-width:${1.2 + 5 * strength(flow)};stroke:${tint(flow)}" marker-start="url(#tip-back)"><title>gradient ${flow.map(v => figure(v, 4)).join(", ")}</title></line>`;
}

// Numbers one below the other, on a ground of their own.
function written({ x, y, side }, numbers, kind) {
  const width = WIDTH[kind], [at, anchor] = side ? [x + 2, "side"] : [x + width / 2, ""];
  return `<g class="${kind}"><rect x="${x}" y="${y}" width="${width}" height="${LINE * numbers.length}" rx="3"/>${numbers.map((text, j) =>
    `<text class="number ${anchor}" x="${at}" y="${y + 10 + LINE * j}">${text}</text>`).join("")}</g>`;
}

// The step that is computed, brought into view in a diagram that is wider than its frame; of a step that is wider too, what
// is chosen in it.
function follow() {
  const frame = $("diagram"), svg = frame.firstElementChild, scale = svg.clientWidth / svg.viewBox.baseVal.width, width = frame.clientWidth;
  const step = STEP * (state.roomy ? ROOMY[state.H - 1][0] : 1) * scale, left = (state.moments[state.at - 1]?.t ?? 0) * step, right = left + step + 2 * LEFT * scale;
  if (left < frame.scrollLeft || right > frame.scrollLeft + width) frame.scrollLeft = Math.min(left, (left + right - width) / 2);
  if (right - left > width) to_middle(svg.querySelector(".chosen circle"));
}

function to_middle(circle) { // of a diagram that is wider than its frame
  const frame = $("diagram"), svg = frame.firstElementChild;
  if (circle) frame.scrollLeft = circle.cx.baseVal.value * svg.clientWidth / svg.viewBox.baseVal.width - frame.clientWidth / 2;
}
