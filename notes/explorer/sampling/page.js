// The page: sliders, the most likely characters, the steps from logits to a draw, and the draws.
"use strict";

const SHOWN = 12, START = { place: 0, tau: 0.7, k: 10, p: 0.9, use_k: false, use_p: true, seed: 0, stage: "P1", token: null };
const STAGES = { P1: "temperature", P2: "top-k", P3: "top-p", P4: "draw" };
const EDGES = {
  "τ = 0": [{ tau: 0, use_k: false, use_p: false, stage: "P2" }, () => "Nothing is divided by 0. It is defined as k = 1: the most likely character, and no number u is drawn."],
  "τ → 0": [{ tau: 0.01, use_k: false, use_p: false, stage: "P1" }, () => "The logits are divided by a small number after the largest was taken off, so the others go towards −∞ and nothing overflows. Only characters as likely as the first, or nearly, are left."],
  "k = 1": [{ tau: 1, use_k: true, k: 1, use_p: false, stage: "P2" }, () => "One character stays at any temperature. It is what τ = 0 gives, but a number u is drawn."],
  "p = 1": [{ tau: 1, use_k: false, use_p: true, p: 1, stage: "P3" }, kept => `A character stays if those before it hold less than 1: ${kept} of ${place().logits.length} do. At a low temperature the rarest are lost to rounding, since the others then hold 1 to the last digit.`],
  "equal logits": [{ place: DATA.places.length - 1, tau: 1, use_k: true, k: 2, use_p: false, stage: "P2" }, () => "Three logits are equal and largest, and k = 2. Of equal ones that which stands first in the vocabulary is the more likely one, so exactly two stay."],
};
const state = { ...START, edge: null };
const place = () => DATA.places[state.place];
const sign = symbol => ({ "\n": "↵", " ": "␣" })[symbol] ?? symbol;
const said = symbol => ({ "\n": "end of line", " ": "space" })[symbol] ?? symbol;
const percent = (v, digits = 1) => figure(100 * v, digits);
const kept_of = log_p => log_p.filter(n => n > -Infinity).length;

function compute() {
  const { tau, k, p, use_k, use_p, seed } = state, us = DATA.uniforms[seed];
  const stages = Sampling.stages(place().logits, tau, use_k ? k : null, use_p ? p : null), last = stages.at(-1)[1];
  const drawn = Sampling.draw(last, tau, us), counts = last.map((_, token) => drawn.filter(d => d === token).length);
  return { stages, first: stages[0][1], last, drawn, counts, us, by: Object.fromEntries(stages) };
}

// ---- showing ---------------------------------------------------------------------------------------------------------

function show() {
  const r = compute(), order = Sampling.order(r.first);
  state.token ??= order[0];
  for (const [id, value] of Object.entries({ tau: state.tau, k: state.k, p: state.p })) {
    $(id).value = value;
    const field = document.querySelector(`[data-of="${id}"]`);
    if (document.activeElement !== field) field.value = value;
    $(id).disabled = field.disabled = id !== "tau" && !state[`use_${id}`];
  }
  $("use-k").checked = state.use_k;
  $("use-p").checked = state.use_p;
  $("place").value = state.place;
  $("after").replaceChildren(...(place().after ? ["…", [...place().after].map(c => (c === "\n" ? "↵" : c)).join(""), el("b", { role: "img", "aria-label": "next character" }, "?")] : ["no text: logits that were written by hand"]));
  bars(r, order);
  table(r);
  draws(r);
  explain(r, order);
  $("said").textContent = state.edge ? EDGES[state.edge][1](kept_of(r.last)) : "What the library does at the ends of each range.";
}

function bars({ first, last, counts }, order) {
  const p = first.map(Math.exp), q = last.map(Math.exp), top = Math.max(...p, ...q), scale = [0.05, 0.1, 0.25, 0.5, 1].find(s => s >= top - 1e-9);
  const share = v => `--share: ${Math.min(100, 100 * v / scale).toFixed(2)}%`, rest = order.slice(SHOWN);
  const total = (v, tokens) => tokens.reduce((sum, t) => sum + v[t], 0);
  const line = (header, before, final, count, attributes = {}) => el("tr", attributes, el("th", { scope: "row" }, header),
    el("td", {}, el("div", { class: "track", "aria-hidden": "true" }, ...(attributes["data-token"] === undefined ? [] : [el("i", { class: "before", style: share(before) }),
      el("i", { class: "final", style: share(final) }), ...(count ? [el("i", { class: "count", style: share(count / 60) })] : [])]))),
    el("td", { class: "number" }, percent(before)), el("td", { class: "number" }, final ? percent(final) : "cut"), el("td", {}, count));
  const held = document.activeElement?.closest?.("#bars [data-token]")?.dataset.token;
  $("bars").replaceChildren(el("caption", {}, `Most likely characters; the bars end at ${100 * scale} %`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "character"), el("td"),
      ...["after P1, %", "drawn from, %", "of 60"].map(h => el("th", { scope: "col" }, h)))),
    el("tbody", {}, ...order.slice(0, SHOWN).map(t => line(el("button", { type: "button", "aria-label": said(place().symbols[t]), "aria-pressed": `${t === state.token}` }, sign(place().symbols[t])), p[t], q[t], counts[t],
      { "data-token": t, class: `${q[t] ? "" : "out"} ${t === state.token ? "chosen" : ""}` })),
    ...(rest.length ? [line(`${rest.length} others`, total(p, rest), total(q, rest), total(counts, rest))] : [])));
  if (held) document.querySelector(`#bars [data-token="${held}"] button`)?.focus();
}

function table({ stages, by, first, last }) {
  const cells = (log_p, mass) => [kept_of(log_p), mass, figure(Sampling.entropy(log_p), 3), figure(2 ** Sampling.entropy(log_p), 2)];
  const rows = Object.entries(STAGES).map(([label, name]) => {
    const at = stages.findIndex(([l]) => l === label), before = at > 0 ? stages[at - 1][1] : first;
    const mass = at < 0 ? 1 : before.reduce((sum, n, t) => sum + (by[label][t] > -Infinity ? Math.exp(n) : 0), 0);
    const all = first.reduce((sum, n, t) => sum + (last[t] > -Infinity ? Math.exp(n) : 0), 0);
    const shown = label === "P4" ? cells(last, `in all ${percent(all, 2)}`) : at < 0 ? ["off", "", "", ""] : cells(by[label], percent(mass, 2));
    return el("tr", { class: `${at < 0 && label !== "P4" ? "off" : ""} ${label === state.stage ? "chosen" : ""}` },
      el("th", { scope: "row" }, el("button", { type: "button", "data-stage": label, "aria-pressed": `${label === state.stage}` }, `${label} ${name}`)),
      ...shown.map(text => el("td", {}, text)));
  });
  const held = document.activeElement?.dataset?.stage;
  $("stages").replaceChildren(el("caption", {}, "From logits to a draw, in this order; the mass is of what came in"),
    el("thead", {}, el("tr", {}, ...["step", `kept, of ${last.length}`, "mass kept, %", "entropy, bits", "perplexity"].map(h => el("th", { scope: "col" }, h)))), el("tbody", {}, ...rows));
  if (held) document.querySelector(`[data-stage="${held}"]`).focus();
}

function draws({ last, drawn, us }) {
  const symbols = place().symbols, width = Math.max(300, $("line").clientWidth), ends = Sampling.cumulated(last), whole = ends.at(-1);
  $("seed").textContent = state.tau === 0 ? ", temperature 0: no number is drawn" : `, seed ${state.seed}`;
  $("drawn").textContent = drawn.map(t => sign(symbols[t])).join("");
  const parts = [];
  ends.forEach((end, t) => {
    const from = (t ? ends[t - 1] : 0) / whole * width, to = end / whole * width;
    if (to - from > 0.2) parts.push(`<rect class="${parts.length % 2 ? "odd" : ""}" x="${from.toFixed(1)}" y="12" width="${(to - from).toFixed(1)}" height="22"/>${to - from > 11
      ? `<text x="${((from + to) / 2).toFixed(1)}" y="27">${sign(symbols[t]).replace("&", "&amp;").replace("<", "&lt;")}</text>` : ""}`);
  });
  const ticks = state.tau === 0 ? "" : us.map(u => `<line x1="${(u * width).toFixed(1)}" x2="${(u * width).toFixed(1)}" y1="2" y2="12"/>`).join("");
  $("line").innerHTML = `<svg viewBox="0 0 ${width} 36" role="img" aria-label="The line from 0 to 1: ${kept_of(last)} characters, ${ticks ? us.length : 0} draws">${parts.join("")}${ticks}</svg>`;
  const { tau, k, p, use_k, use_p, seed } = state;
  $("call").textContent = `sampling.sample(np.tile(z, (60, 1)), np.random.default_rng(${seed}),\n                temperature=${tau}${use_k ? `, top_k=${k}` : ""}${use_p ? `, top_p=${p}` : ""})`;
}

function explain(r, order) {
  const { stage, token, tau } = state, z = place().logits, n = v => figure(v, 2), name = `“${sign(place().symbols[token])}”`;
  const asked = stage === "P4" || r.by[stage], by = r.stages.map(([label]) => label), into = asked && stage !== "P4" ? r.stages[by.indexOf(stage) - 1]?.[1] : r.last;
  const top = Math.max(...z), by_tau = tau || 1, over = z.reduce((sum, v) => sum + Math.exp((v - top) / by_tau), 0);
  const mass = into?.reduce((sum, v, t) => sum + (r.by[stage]?.[t] > -Infinity ? Math.exp(v) : 0), 0);
  const result = stays => (stays ? `it stays\np = ${n(Math.exp(into[token]))} / ${n(mass)} = ${figure(Math.exp(r.by[stage][token]), 4)}` : "it is cut off");
  const ends = Sampling.cumulated(r.last), from = token ? ends[token - 1] : 0;
  const texts = {
    P1: () => `(z − max z) / τ = (${n(z[token])} − ${n(top)}) / ${by_tau} = ${n((z[token] - top) / by_tau)}\np = exp(${n((z[token] - top) / by_tau)}) / ${n(over)} = ${figure(Math.exp(r.first[token]), 4)}`,
    P2: () => { const k = tau === 0 ? 1 : state.k, at = Sampling.rank(into)[token]; return `${at} are more likely, k = ${k}: ${at} ${at < k ? "<" : "≥"} ${k}, ${result(at < k)}`; },
    P3: () => { const held = Sampling.before(into)[token]; return into[token] === -Infinity ? "it was cut off by top-k" : `those before it hold ${figure(held, 4)} ${held < state.p ? "<" : "≥"} ${state.p}, ${result(held < state.p)}`; },
    P4: () => tau === 0 ? "τ = 0: the most likely character, without a draw" : r.last[token] === -Infinity ? "its part of the line is empty: it is never drawn"
      : `u from ${figure(from, 4)} up to ${figure(ends[token], 4)} gives it\n${r.counts[token]} of 60 u did`,
  };
  $("name").textContent = `${stage}, ${STAGES[stage]}: ${name}`;
  $("formula").textContent = asked ? texts[stage]() : "This step is not asked for: all characters stay.";
  $("equation").innerHTML = `<p><b>${stage}</b></p>${DATA.equations[stage].join("")}`;
  if (!$("code").firstChild) $("code").replaceChildren(...DATA.source.map(([number, text]) =>
    el("span", { class: "line", "data-line": number }, el("span", { class: "number" }, number ? String(number).padStart(4) : "    "), text || " ", "\n")));
  let lit = null;
  for (const line of document.querySelectorAll("#code .line")) {
    const on = new RegExp(`# ${stage}$`).test(line.textContent.trim());
    line.classList.toggle("lit", on);
    if (on) lit ??= line;
  }
  if (lit) $("code").scrollTop = lit.offsetTop - $("code").clientHeight / 2;
}

// ---- what a reader does ----------------------------------------------------------------------------------------------

const ALLOWED = { tau: v => v >= 0, k: v => Number.isInteger(v) && v >= 1, p: v => v > 0 && v <= 1 };

function change(changed) {
  Object.assign(state, { edge: null }, changed);
  $("k").max = place().logits.length;
  show();
}

document.addEventListener("input", ({ target }) => {
  const name = target.dataset.of ?? target.id, v = Number(target.value);
  if (ALLOWED[name] && target.value !== "" && Number.isFinite(v) && ALLOWED[name](v)) change({ [name]: v });
});
document.addEventListener("change", ({ target }) => {
  if (target.id === "use-k") change({ use_k: target.checked, stage: "P2" });
  if (target.id === "use-p") change({ use_p: target.checked, stage: "P3" });
  if (target.id === "place") change({ place: Number(target.value), token: null });
  if (target.dataset.of) target.value = state[target.dataset.of];
});
document.addEventListener("click", ({ target }) => {
  if (target.id === "draw") change({ seed: (state.seed + 1) % DATA.uniforms.length, stage: "P4" });
  if (target.dataset.edge) change({ ...EDGES[target.dataset.edge][0], token: null, edge: target.dataset.edge });
  if (target.dataset.stage) change({ stage: target.dataset.stage });
  const token = target.closest("[data-token]")?.dataset.token;
  if (token) change({ token: Number(token) });
});
$("place").replaceChildren(...DATA.places.map((one, i) => el("option", { value: i }, one.after ? `${one.name}: …${[...one.after].slice(-12).map(c => (c === "\n" ? "↵" : c)).join("")}` : one.name)));
$("edges").replaceChildren(...Object.keys(EDGES).map(name => el("button", { type: "button", "data-edge": name }, name)), el("button", { type: "button", id: "reset" }, "The example"));
$("model").textContent = `The logits were measured: ${DATA.model}`;
$("reset").addEventListener("click", () => change({ ...START }));
new ResizeObserver(show).observe($("line"));
const dock = document.querySelector(".dock");
new ResizeObserver(() => document.documentElement.style.setProperty("--dock", `${dock.offsetHeight}px`)).observe(dock);
change({});
