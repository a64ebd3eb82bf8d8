// The picture: a column for each step of the memory, from the memory at the top to the context at the bottom.
"use strict";

const picture = (() => {
  // Where each row begins, when value and gradient stand side by side, and when they stand one below the other.
  const WIDE = { h: 22, k: 90, bus: 149, e: 166, w: 256, x: 328, c: 366, end: 408, left: 98, box: 38, tall: 54 };
  const NARROW = { h: 20, k: 95, bus: 163, e: 177, w: 269, x: 347, c: 377, end: 435, left: 62, box: 56, tall: 66 };
  const BAR = 36;
  const joint = (x, y, sign) => `<circle class="box" cx="${x}" cy="${y}" r="7"/><text x="${x}" y="${y + 4}">${sign}</text>`;

  // v: the values by name; chosen: {name, s}; held: the path of the number that the slider moves
  return ({ kind, q, v, chosen, held, gradients, width }) => {
    const S = q.h.length, additive = kind === "additive", linear = Attention.PARAMS[kind].includes("W_q");
    const at = width < 520 ? NARROW : WIDE, column = Math.min(190, (width - at.left - 2) / S), wide = column - 10;
    const stacked = at === NARROW && gradients, middle = at.left + column * S / 2, center = s => at.left + column * (s + 0.5);
    const ask = (at.left - 2) / 2, over = [], under = []; // the query stands at the left

    // An arrow along points; by a gradient's size it is coloured, and then it points back.
    const arrow = (points, gradient, thick = 1.3) => {
      const back = gradients && gradient !== undefined, path = `M${points.map(p => p.join(" ")).join("L")}`;
      under.push(`<path d="${path}" style="stroke-width:${thick.toFixed(1)};${back ? `stroke:${tint(gradient)}` : ""}"
        ${back ? 'marker-start="url(#tip-back)"' : 'marker-end="url(#tip)"'}/>`);
    };
    const pair = (x, y, value, gradient) => {
      const both = gradients && gradient !== undefined, side = both && !stacked;
      return `<text class="${side ? "end" : ""}" x="${side ? x - 1 : x}" y="${y}">${figure(value, 2)}</text>` + (both
        ? `<text class="grad ${side ? "start" : ""}" x="${side ? x + 4 : x}" y="${side ? y : y + 12}" style="fill:${ink(gradient)}">${figure(gradient, 2)}</text>` : "");
    };
    const node = (name, s, extra, body) => over.push(`<g class="node ${extra} ${chosen.name === name && (s === null || chosen.s === s) ? "chosen" : ""}"
      data-name="${name}" data-s="${s ?? ""}">${body}</g>`);
    const line = (at.box - 4) / 2;
    // A vector: a line for each feature.  path is where its numbers can be changed, if they can.
    const vector = (name, s, x, y, w, value, gradient, path, extra = "") => node(name, s, `${extra} ${path ? "input" : ""}`,
      `<rect class="box" x="${x - w / 2}" y="${y}" width="${w}" height="${at.box}" rx="5"/>` + value.map((n, j) =>
        (path ? `<rect class="field ${held === `${path}.${j}` ? "held" : ""}" data-hold="${path}.${j}" x="${x - w / 2 + 2}" y="${y + 2 + line * j}" width="${w - 4}" height="${line}" rx="3"/>` : "")
        + pair(x, y + (stacked ? 13 : line / 2 + 6) + line * j, n, gradient?.[j])).join(""));
    const symbol = (x, y, text, sub, label = "") => over.push(`<text class="symbol" x="${x}" y="${y}">${text}<tspan class="sub" dy="4">${sub}</tspan></text>
      ${label && `<text class="quiet" x="${x}" y="${y + 16}">${label}</text>`}`);

    // The query, and the way on which it reaches every score.
    symbol(ask, 14, "query q", "");
    vector("dq", null, ask, at.h, at.left - 4, q.q, v.dq, "q");
    arrow([[ask, at.h + at.box + 2], [ask, linear ? at.bus - at.box / 2 - 4 : at.bus], ...(linear ? [] : [[at.left, at.bus]])], v.dq);
    if (linear) {
      vector("g", null, ask, at.bus - at.box / 2, at.left - 4, v.g, v.dg);
      symbol(ask + 14, at.bus - at.box / 2 - 5, "g", "");
    }
    under.push(`<path d="M${ask} ${at.bus}L${center(q.mask.lastIndexOf(true))} ${at.bus}" ${gradients ? `style="stroke:${tint(v.dg)}"` : ""}/>`);
    symbol(ask, at.e + (linear ? 36 : 28), "e", "", additive ? "score A4" : "score A3");
    symbol(ask, at.w + 28, "α", "", "weight A5");
    symbol(ask, at.c + 18, "c", "", "context A6");

    const largest = Math.max(1, ...v.e.filter((_, s) => q.mask[s]).map(Math.abs));
    for (let s = 0; s < S; s++) {
      const x = center(s), side = x + column / 2 - 2.5, kept = q.mask[s], extra = kept ? "" : "padding";
      symbol(x, 14, kept ? "h" : at === WIDE ? "padding h" : "pad h", s);
      vector("h", s, x, at.h, wide, v.h[s], v.dh[s], `h.${s}`, extra);
      if (additive) {
        vector("k", s, x, at.k, wide, v.k[s], v.dk[s], null, extra);
        symbol(x + 15, at.k - 5, "k", s);
      }
      if (kept) {
        arrow([[x, at.h + at.box + 2], [x, (additive ? at.k : at.e) - 4]], v["dh, as keys"][s]);
        if (additive) arrow([[x, at.k + at.box + 2], [x, at.e - 4]], v.dk[s]);
        arrow([[x, at.e + at.tall + 2], [x, at.w - 4]], [v.de[s]]);
        arrow([[x, at.w + at.tall + 2], [x, at.x - 9]], [v.dw[s]]);
        arrow([[x + wide / 2, at.h + at.box / 2], [side, at.h + at.box / 2], [side, at.x], [x + 10, at.x]], v["dh, as values"][s]);
        arrow([[x, at.x + 8], [middle + (x - middle) * 0.12, at.c - 4]], q.dc, 1 + 6 * v.w[s]);
        over.push(joint(x, at.x, "×"), joint(x, at.bus, additive ? "+" : "•"));
      }
      const zero = at.e + BAR / 2, height = kept ? Math.abs(v.e[s]) / largest * (BAR / 2 - 2) : 0;
      node("e", s, extra, `<rect class="box" x="${x - wide / 2}" y="${at.e}" width="${wide}" height="${at.tall}" rx="5"/>
        <rect class="bar" x="${x - 9}" y="${v.e[s] > 0 ? zero - height : zero}" width="18" height="${height}"/><line class="zero" x1="${x - wide / 2 + 4}" x2="${x + wide / 2 - 4}" y1="${zero}" y2="${zero}"/>
        ${kept ? pair(x, at.e + 49, v.e[s], v.de[s]) : ""}`);
      const share = v.w[s] * (BAR - 3);
      node("w", s, extra, `<rect class="box" x="${x - wide / 2}" y="${at.w}" width="${wide}" height="${at.tall}" rx="5"/>
        <rect class="bar" x="${x - wide / 2 + 3}" y="${at.w + BAR - share}" width="${wide - 6}" height="${share}"/>
        ${pair(x, at.w + 49, v.w[s], kept ? v.dw[s] : undefined)}`);
    }
    over.push(`<rect class="softmax" x="${at.left + 4}" y="${at.e + at.tall + 9}" width="${column * S - 8}" height="16" rx="8"/><text class="quiet" x="${middle}" y="${at.e + at.tall + 21}">softmax over the kept steps</text>`);
    vector("c", null, middle, at.c, 90, v.c, q.dc);
    if (gradients) over.push(`<text class="quiet start" x="${middle + 52}" y="${at.c + 16}">value,</text><text class="quiet start" x="${middle + 52}" y="${at.c + 30}"><tspan font-weight="600">gradient</tspan></text>`);

    const said = v.w.map((w, s) => `step ${s} ${q.mask[s] ? figure(w, 2) : "padding"}`).join(", ");
    return `<svg viewBox="0 0 ${width} ${at.end}" role="img" aria-label="Weights: ${said}. Context: ${v.c.map(n => figure(n, 2)).join(", ")}. The tables hold the same numbers.">
      <defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker>
      <marker id="tip-back" viewBox="0 0 8 8" refX="3" refY="4" markerWidth="10" markerHeight="10" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" class="tip-back"/></marker></defs>
      ${under.join("")}${over.join("")}</svg>`;
  };

  function ink(v) { // a gradient as text: never fainter than --quiet
    return `color-mix(in oklab, var(--quiet), var(--large) ${Math.round(100 * strength([v]))}%)`;
  }
})();
