// The recurrences of reference/{rnn,lstm,gru}.py for one sequence, in the order of reference/trace.
// trace(cell, q) -> a list of {verb, t, name, labels, value}; a test compares every one with NumPy.
"use strict";

const Cells = (() => {
  const GATES = { rnn: "h", lstm: "ifgo", gru: "rzn" };
  const STATES = { rnn: ["h"], lstm: ["h", "c"], gru: ["h"] };

  // Vectors are arrays of numbers, matrices arrays of rows.
  const map = (f, ...vs) => vs[0].map((_, k) => f(...vs.map(v => v[k])));
  const add = (...vs) => map((...n) => n.reduce((a, b) => a + b), ...vs);
  const times = (W, v) => W.map(row => row.reduce((sum, w, k) => sum + w * v[k], 0));          // W v
  const back = (v, W) => W[0].map((_, k) => W.reduce((sum, row, j) => sum + row[k] * v[j], 0)); // v W
  const zeros = (n, m) => Array.from({ length: n }, () => Array(m).fill(0));
  const sigmoid = x => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
  const relu = x => (x <= 0 ? 0 : x);
  const part = (v, k, H) => v.slice(k * H, (k + 1) * H);

  function trace(cell, q) {
    const found = [], { p, x, options } = q, T = x.length, H = p.b_ih.length / GATES[cell].length;
    const note = (verb, t, name, labels, value) => {
      found.push({ verb, t, name, labels: labels ? labels.split(" ") : [], value });
      return value;
    };
    const a_x = x.map(v => add(times(p.W_ih, v), p.b_ih));
    note("forward", null, "a_x", { rnn: "R1", lstm: "L1", gru: "G1 G3" }[cell], a_x);
    const steps = [];
    let s = { ...q.s };
    for (let t = 0; t < T; t++) {
      const write = (name, labels, value) => note("step_forward", t, name, labels, value);
      steps.push({ prev: s, ...FORWARD[cell](write, p, a_x[t], s, H, options) });
      s = Object.fromEntries(STATES[cell].map(n => [n, steps[t][n]]));
    }
    let d = { ...q.ds };
    for (let t = T - 1; t >= 0; t--) {
      d.h = note("deltas", t, `dh[${t + 1}]`, "", add(d.h, q.dy[t]));
      const write = (name, labels, value) => note("step_backward", t, name, labels, value);
      const out = BACKWARD[cell](write, p, d, steps[t], H, options);
      Object.assign(steps[t], { dh: d.h, da_x: out.da_x, da_h: out.da_h });
      d = out.d;
    }
    last(cell, q, steps, d, H, (name, labels, value) => note("backward", null, name, labels, value));
    return found;
  }

  const FORWARD = {
    rnn(write, p, a_x, s, H, { nonlinearity = "tanh" }) {
      const a = write("a", "R1", add(a_x, times(p.W_hh, s.h), p.b_hh));
      return { h: write("h", "R2", a.map(nonlinearity === "tanh" ? Math.tanh : relu)) };
    },
    lstm(write, p, a_x, s, H) {
      const a = add(a_x, times(p.W_hh, s.h), p.b_hh);
      [..."ifgo"].forEach((g, k) => write(`a_${g}`, "L1", part(a, k, H)));
      const [i, f, g, o] = [..."ifgo"].map((n, k) => write(n, "L2", part(a, k, H).map(n === "g" ? Math.tanh : sigmoid)));
      const c = write("c", "L3", map((f, c, i, g) => f * c + i * g, f, s.c, i, g));
      const m = write("h", "L4", map((o, c) => o * Math.tanh(c), o, c));
      return { i, f, g, o, c, m, h: p.W_hr ? write("h", "L5", times(p.W_hr, m)) : m };
    },
    gru(write, p, a_x, s, H, { reset_after }) {
      const rz = add(a_x.slice(0, 2 * H), times(p.W_hh.slice(0, 2 * H), s.h), p.b_hh.slice(0, 2 * H)).map(sigmoid);
      const r = write("r", "G1", part(rz, 0, H)), z = write("z", "G1", part(rz, 1, H));
      const k = reset_after ? s.h : map((r, h) => r * h, r, s.h);
      const q = write("q", "G2", add(times(p.W_hh.slice(2 * H), k), p.b_hh.slice(2 * H)));
      const n = write("n", "G3", map((a, r, q) => Math.tanh(a + (reset_after ? r * q : q)), part(a_x, 2, H), r, q));
      return { r, z, q, n, k, h: write("h", "G4", map((z, n, h) => (1 - z) * n + z * h, z, n, s.h)) };
    },
  };

  const BACKWARD = {
    rnn(write, p, d, k, H, { nonlinearity = "tanh" }) {
      const da = write("da", "R2*", map((dh, h) => (nonlinearity === "tanh" ? dh * (1 - h * h) : h <= 0 ? 0 : dh), d.h, k.h));
      return { da_x: da, da_h: da, d: { h: write("dh_prev", "R1*", back(da, p.W_hh)) } };
    },
    lstm(write, p, d, k) {
      const d_h = p.W_hr ? write("dh", "L5*", back(d.h, p.W_hr)) : d.h, u = k.c.map(Math.tanh);
      const d_o = write("do", "L4*", map((dh, u) => dh * u, d_h, u));
      const dc = write("dc", "L4*", map((dc, dh, o, u) => dc + dh * o * (1 - u * u), d.c, d_h, k.o, u));
      const di = write("di", "L3*", map((dc, g) => dc * g, dc, k.g));
      const df = write("df", "L3*", map((dc, c) => dc * c, dc, k.prev.c));
      const dg = write("dg", "L3*", map((dc, i) => dc * i, dc, k.i));
      const gate = (d, v) => d * v * (1 - v);
      const da = [write("da_i", "L2*", map(gate, di, k.i)), write("da_f", "L2*", map(gate, df, k.f)),
        write("da_g", "L2*", map((d, g) => d * (1 - g * g), dg, k.g)), write("da_o", "L2*", map(gate, d_o, k.o))].flat();
      const dh = write("dh_prev", "L1*", back(da, p.W_hh));
      return { da_x: da, da_h: da, d: { h: dh, c: write("dc_prev", "L3*", map((dc, f) => dc * f, dc, k.f)) } };
    },
    gru(write, p, d, k, H, { reset_after }) {
      const dn = write("dn", "G4*", map((dh, z) => dh * (1 - z), d.h, k.z));
      const dz = write("dz", "G4*", map((dh, h, n) => dh * (h - n), d.h, k.prev.h, k.n));
      const direct = write("dh", "G4*", map((dh, z) => dh * z, d.h, k.z));
      const da_n = write("da_n", "G3*", map((dn, n) => dn * (1 - n * n), dn, k.n));
      const dq = write("dq", "G3*", reset_after ? map((d, r) => d * r, da_n, k.r) : da_n);
      const dh_q = write("dh_q", "G2*", back(dq, p.W_hh.slice(2 * H)));
      const dr = write("dr", reset_after ? "G3*" : "G2*", map((a, b) => a * b, reset_after ? da_n : dh_q, reset_after ? k.q : k.prev.h));
      const gate = (d, v) => d * v * (1 - v);
      const da_r = write("da_r", "G1*", map(gate, dr, k.r)), da_z = write("da_z", "G1*", map(gate, dz, k.z));
      const through = reset_after ? dh_q : map((d, r) => d * r, dh_q, k.r);
      const dh = write("dh", "G1* G2*", add(direct, back([...da_r, ...da_z], p.W_hh.slice(0, 2 * H)), through));
      return { da_x: [...da_r, ...da_z, ...da_n], da_h: [...da_r, ...da_z, ...dq], d: { h: dh } };
    },
  };

  // What is done for all steps at once: sums over t of outer products.
  function last(cell, q, steps, d, H, write) {
    const outer = (W, left, right) => steps.reduce((sum, k, t) => sum.map((row, j) => row.map((v, i) => v + left(k)[j] * right(k, t)[i])),
      zeros(W.length, W[0].length));
    const total = of => steps.reduce((sum, k) => add(sum, of(k)), Array(q.p.b_ih.length).fill(0));
    const dW_ih = outer(q.p.W_ih, k => k.da_x, (k, t) => q.x[t]), dx = steps.map(k => back(k.da_x, q.p.W_ih));
    const db_ih = total(k => k.da_x), db_hh = total(k => k.da_h);
    if (cell === "gru") {
      const upper = outer(q.p.W_hh, k => k.da_h, k => k.prev.h), lower = outer(q.p.W_hh, k => k.da_h, k => k.k);
      const dW_hh = upper.map((row, j) => (j < 2 * H ? row : lower[j]));
      write("h_q", "G2", steps.map(k => k.k));
      write("dW_hh", "G1* G2*", dW_hh);
      for (const [name, v] of Object.entries({ dW_ih, db_ih, db_hh })) write(name, "G1* G2* G3*", v);
      write("dx", "G1* G3*", dx);
    } else {
      const label = cell === "rnn" ? "R1*" : "L1*", dW_hh = outer(q.p.W_hh, k => k.da_h, k => k.prev.h);
      write("db", label, db_ih);
      if (q.p.W_hr) {
        write("m", "L4", steps.map(k => k.m));
        write("dW_hr", "L5*", outer(q.p.W_hr, k => k.dh, k => k.m));
      }
      for (const [name, v] of Object.entries({ dW_ih, dW_hh, db_ih, db_hh, dx })) write(name, label, v);
    }
    for (const n of STATES[cell]) write(`d${n}_0`, "", d[n]);
  }

  return { trace, back, part, GATES, STATES };
})();

if (typeof module !== "undefined") module.exports = Cells;
