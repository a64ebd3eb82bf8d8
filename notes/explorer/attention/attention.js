// reference/parts/attention.py for one query and one sequence, line by line.
// trace(kind, q) -> a list of {name, labels, code, value}; code is how the line of that file begins which computes it.
"use strict";

const Attention = (() => {
  // What of q.p a kind has.
  const PARAMS = { additive: ["W_q", "W_k", "b", "v"], dot: [], general: ["W_q"], scaled: [] };

  // Vectors are arrays of numbers, matrices arrays of rows.
  const sum = v => v.reduce((a, b) => a + b, 0);
  const dot = (u, w) => sum(u.map((n, k) => n * w[k]));
  const add = (u, w) => u.map((n, k) => n + w[k]);
  const scaled = (c, v) => v.map(n => c * n);
  const times = (W, v) => W.map(row => dot(row, v));                          // v Wᵀ
  const back = (v, W) => W[0].map((_, j) => sum(v.map((n, k) => n * W[k][j])));   // v W
  const outer = (v, u) => v.map(n => scaled(n, u));                           // vᵀ u
  const total = rows => rows.reduce(add);

  // q: {p: {W_q, W_k, b, v}, q (Q), h (S, K), mask (S) of true and false, dc (K)}
  function trace(kind, { p, q, h: given, mask, dc }) {
    const found = [], additive = kind === "additive", linear = PARAMS[kind].includes("W_q");
    const note = (name, labels, code, value) => {
      found.push({ name, labels: labels ? [labels] : [], code, value });
      return value;
    };
    const h = note("h", "", "h = blanked(", given.map((row, s) => row.map(n => (mask[s] ? n : 0))));
    const k = note("k", "A2", additive ? "return (rows(h) @" : "return h ", additive ? h.map(row => add(times(p.W_k, row), p.b)) : h);
    const g = note("g", "A1", "g, u = q", linear ? times(p.W_q, q) : q);
    const scale = kind === "scaled" ? g.length ** -0.5 : 1;
    const u = additive && note("u", "A4", "u = np.tanh(", k.map(row => add(g, row).map(Math.tanh)));
    const e = additive ? note("e", "A4", "e = (u @", times(u, p.v)) : note("e", "A3", "e = by_sequence(", scaled(scale, times(k, g)));
    const top = Math.max(...e.filter((_, s) => mask[s]));
    const kept = e.map((n, s) => (mask[s] ? Math.exp(n - top) : 0));
    const w = note("w", "A5", "w = ", scaled(1 / sum(kept), kept));
    note("c", "A6", "return by_sequence(turned(w) @", back(w, h));

    const dw = note("dw", "A6*", "dw = ", times(h, dc));
    const values = note("dh, as values", "A6*", "dh = by_sequence(", outer(w, dc));
    const mean = dot(w, dw);
    const de = note("de", "A5*", "de = w *", w.map((n, s) => n * (dw[s] - mean)));
    let dg, dk;
    if (additive) {
      note("dv", "A4*", "dv = (rows(", back(de, u));
      const da = note("da", "A4*", "da = du *", u.map((row, s) => row.map((n, j) => de[s] * p.v[j] * (1 - n * n))));
      dg = note("dg", "A4*", "dg, dkeys = da", total(da));
      dk = note("dk", "A4*", "dg, dkeys = da", da);
    } else {
      const ds = scaled(scale, de);
      if (kind === "scaled") note("de, scaled", "A3*", "de = de *", ds);
      dg = note("dg", "A3*", "dg = by_sequence(", back(ds, k));
      dk = note("dk", "A3*", "dkeys = by_sequence(", outer(ds, g));
    }
    const line = linear ? "return Params(A.T @" : "return Params(), dg";
    if (linear) note("dW_q", "A1*", line, outer(dg, q));
    note("dq", "A1*", line, linear ? back(dg, p.W_q) : dg);
    const keys = additive ? "return A.T @ rows(h), A.sum(0)" : "return None, None, dkeys";
    if (additive) {
      note("dW_k", "A2*", keys, p.b.map((_, j) => back(dk.map(row => row[j]), h)));
      note("db", "A2*", keys, total(dk));
    }
    const as_keys = note("dh, as keys", "A2*", keys, additive ? dk.map(row => back(row, p.W_k)) : dk);
    note("dh", "", "return dp._replace(", values.map((row, s) => add(row, as_keys[s])));
    return found;
  }

  // ∂α_s / ∂e_r, a row for each s.
  const jacobian = w => w.map((a, s) => w.map((b, r) => a * ((s === r ? 1 : 0) - b)));

  return { trace, jacobian, PARAMS };
})();

if (typeof module !== "undefined") module.exports = Attention;
