// reference/common/sampling.py for one row of logits: P1 to P4, one after the other.
"use strict";

const Sampling = (() => {
  const sum = v => v.reduce((a, b) => a + b, 0);

  function log_softmax(z) {
    const top = Math.max(...z), shifted = z.map(n => n - top), log = Math.log(sum(shifted.map(Math.exp)));
    return shifted.map(n => n - log);
  }

  // Most likely first; of equal ones the lower token.  Of two that are out the difference is NaN, which is no difference.
  const order = log_p => log_p.map((_, token) => token).sort((a, b) => log_p[b] - log_p[a] || a - b);

  // How many tokens are more likely than each one, and the probability of all of them.
  function rank(log_p) {
    const ranks = Array(log_p.length);
    order(log_p).forEach((token, k) => { ranks[token] = k; });
    return ranks;
  }
  function before(log_p) {
    const earlier = Array(log_p.length);
    let held = 0;
    for (const token of order(log_p)) {
      earlier[token] = held;
      held += Math.exp(log_p[token]);
    }
    return earlier;
  }

  // What is drawn from after each stage that is asked for: [[label, log p], ...].  k and p are null where they are not.
  function stages(z, temperature, k, p) {
    const top = Math.max(...z), keep = (log_p, kept) => log_softmax(log_p.map((n, token) => (kept(token) ? n : -Infinity)));
    let log_p = log_softmax(z.map(n => (n - top) / (temperature || 1)));
    const found = [["P1", log_p]];
    if (temperature === 0) k = 1;
    if (k !== null) {
      const ranks = rank(log_p);
      log_p = keep(log_p, token => ranks[token] < k);
      found.push(["P2", log_p]);
    }
    if (p !== null) {
      const held = before(log_p);
      log_p = keep(log_p, token => held[token] < p);
      found.push(["P3", log_p]);
    }
    return found;
  }

  // Where each token ends on a line from 0 to the sum, in the order of the vocabulary.
  function cumulated(log_p) {
    let held = 0;
    return log_p.map(n => (held += Math.exp(n)));
  }

  // A token for each u; at temperature 0 the most likely one, whatever u.
  function draw(log_p, temperature, us) {
    const ends = cumulated(log_p), whole = ends.at(-1);
    return us.map(u => (temperature === 0 ? order(log_p)[0] : ends.findIndex(end => end > u * whole)));
  }

  const entropy = log_p => -sum(log_p.map(n => (n === -Infinity ? 0 : Math.exp(n) * n))) / Math.LN2; // bits

  return { stages, draw, cumulated, entropy, order, rank, before };
})();

if (typeof module !== "undefined") module.exports = Sampling;
