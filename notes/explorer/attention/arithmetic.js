// One quantity in numbers, as a person would write it down: 0.50·1.20 + 0.30·(−0.70) = 0.39
"use strict";

const arithmetic = (() => {
  const n = v => figure(v, 2), factor = v => (v < 0 ? `(${n(v)})` : n(v));
  const terms = (u, w) => u.map((v, k) => `${k ? factor(v) : n(v)}·${factor(w[k])}`).join(" + ");
  const sum = u => u.map((v, k) => (k ? factor(v) : n(v))).join(" + ");
  const column = (rows, j) => rows.map(row => row[j]);
  // Each is what stands left of the last "=": of step s (where there are steps) and of feature j.
  const OF = {
    h: (v, q, s, j) => (q.mask[s] ? `h_${s} as it is given` : "padding, set to 0"),
    k: (v, q, s, j) => (v.u ? `${terms(v.h[s], q.p.W_k[j])} + ${factor(q.p.b[j])}` : `h_${s}`),
    g: (v, q, s, j) => (v.linear ? terms(q.q, q.p.W_q[j]) : "q"),
    u: (v, q, s, j) => `tanh(${n(v.g[j])} + ${factor(v.k[s][j])})`,
    e: (v, q, s) => (v.u ? terms(q.p.v, v.u[s]) : v.kind === "scaled" ? `(${terms(v.g, v.k[s])}) / √${v.g.length}` : terms(v.g, v.k[s])),
    w: (v, q, s) => (q.mask[s] ? `exp(${n(v.e[s])}) / (${v.e.filter((_, r) => q.mask[r]).map(e => `exp(${n(e)})`).join(" + ")})` : "padding"),
    c: (v, q, s, j) => terms(v.w, column(v.h, j)),
    dw: (v, q, s) => terms(q.dc, v.h[s]),
    "dh, as values": (v, q, s, j) => `${n(v.w[s])}·${factor(q.dc[j])}`,
    de: (v, q, s) => `${n(v.w[s])}·(${n(v.dw[s])} − ${factor(v.w.reduce((a, w, r) => a + w * v.dw[r], 0))})`,
    "de, scaled": (v, q, s) => `${n(v.de[s])} / √${v.g.length}`,
    dv: (v, q, s, j) => terms(v.de, column(v.u, j)),
    da: (v, q, s, j) => `${n(v.de[s])}·${factor(q.p.v[j])}·(1 − ${factor(v.u[s][j])}²)`,
    dg: (v, q, s, j) => (v.u ? sum(column(v.da, j)) : terms(v.ds, column(v.k, j))),
    dk: (v, q, s, j) => (v.u ? `da_${s}` : `${n(v.ds[s])}·${factor(v.g[j])}`),
    dW_q: (v, q, s, j) => q.q.map(x => `${n(v.dg[j])}·${factor(x)}`).join(", "),
    dq: (v, q, s, j) => (v.linear ? terms(v.dg, column(q.p.W_q, j)) : "dg"),
    dW_k: (v, q, s, j) => v.h[0].map((_, i) => terms(column(v.dk, j), column(v.h, i))).join(",  "),
    db: (v, q, s, j) => sum(column(v.dk, j)),
    "dh, as keys": (v, q, s, j) => (v.u ? terms(v.dk[s], column(q.p.W_k, j)) : `dk_${s}`),
    dh: (v, q, s, j) => `${n(v["dh, as values"][s][j])} + ${factor(v["dh, as keys"][s][j])}`,
  };

  // found: what Attention.trace gives; q: what went into it; name, and the step if the quantity has one of each
  return (kind, q, found, name, s) => {
    const v = { ...Object.fromEntries(found.map(e => [e.name, e.value])), kind, linear: Attention.PARAMS[kind].includes("W_q") };
    v.ds = v["de, scaled"] ?? v.de;
    const value = s === null ? v[name] : v[name][s], parts = Array.isArray(value) ? value : [value];
    return parts.map((part, j) => `${OF[name](v, q, s, j)} = ${[part].flat().map(x => figure(x, 3)).join(", ")}`).join("\n");
  };
})();
