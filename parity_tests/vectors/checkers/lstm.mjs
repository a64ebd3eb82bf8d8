// An example of an implementation that answers golden vectors:   node lstm.mjs VECTORS ANSWERS
//
// The forward of one layer of an LSTM, in one direction, without lengths; everything else is declined.  Numbers are those
// of JavaScript, float64, and rounded to float32 where that is asked for.  Equations: notes/cells/lstm.md

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const ARRAYS = { F64: Float64Array, F32: Float32Array };

/** The tensors of a safetensors file, by name: eight bytes with the length of a JSON header, the header, the numbers. */
function load(path) {
  const bytes = new Uint8Array(readFileSync(path)), view = new DataView(bytes.buffer);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const tensors = {};
  for (const [name, { dtype, data_offsets: [from, to] }] of Object.entries(header)) {
    if (ARRAYS[dtype]) tensors[name] = new ARRAYS[dtype](bytes.slice(start + from, start + to).buffer);
  }
  return tensors;
}

/** Write {name: {shape, numbers}}, all of one dtype. */
function save(path, dtype, tensors) {
  const header = {}, parts = [];
  let at = 0;
  for (const [name, { shape, numbers }] of Object.entries(tensors)) {
    const part = new Uint8Array(ARRAYS[dtype].from(numbers).buffer);
    header[name] = { dtype, shape, data_offsets: [at, (at += part.length)] };
    parts.push(part);
  }
  const text = new TextEncoder().encode(JSON.stringify(header)), length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(text.length), true);
  writeFileSync(path, Buffer.concat([new Uint8Array(length.buffer), text, ...parts]));
}

const sigmoid = (a) => 1 / (1 + Math.exp(-a));

/** x (T, B, I), h_0 and c_0 (1, B, H) or undefined for zeros  ->  y (T, B, H), h_n and c_n (1, B, H) */
function lstm({ T, B }, { input_size: I, hidden_size: H, bias }, given) {
  const { x, weight_ih_l0: W_ih, weight_hh_l0: W_hh, bias_ih_l0: b_ih, bias_hh_l0: b_hh } = given;
  const y = new Float64Array(T * B * H), h = Float64Array.from(given.h_0 ?? new Array(B * H).fill(0));
  const c = Float64Array.from(given.c_0 ?? new Array(B * H).fill(0)), a = new Float64Array(4 * H);
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      for (let r = 0; r < 4 * H; r++) { // L1: gates i f g o, H rows each
        a[r] = bias ? b_ih[r] + b_hh[r] : 0;
        for (let k = 0; k < I; k++) a[r] += W_ih[r * I + k] * x[(t * B + b) * I + k];
        for (let k = 0; k < H; k++) a[r] += W_hh[r * H + k] * h[b * H + k];
      }
      for (let k = 0; k < H; k++) {
        const at = b * H + k;
        c[at] = sigmoid(a[H + k]) * c[at] + sigmoid(a[k]) * Math.tanh(a[2 * H + k]); // L2
        h[at] = sigmoid(a[3 * H + k]) * Math.tanh(c[at]); // L3
      }
    }
    y.set(h, t * B * H);
  }
  const shape = [1, B, H];
  return { y: { shape: [T, B, H], numbers: y }, h_n: { shape, numbers: h }, c_n: { shape, numbers: c } };
}

function reasonToDecline({ spec, dtype, calls }) {
  if (spec.cell !== "lstm" || spec.proj_size) return "an LSTM without a projection is all that this computes";
  if (spec.num_layers > 1 || spec.bidirectional || spec.batch_first) return "only one layer, forwards, time first";
  if (spec.packed || calls.length > 1) return "no lengths, and one call";
  return ["float32", "float64"].includes(dtype) ? null : "only float32 and float64";
}

const [vectors, answers] = process.argv.slice(2), declined = {};
mkdirSync(answers, { recursive: true });
for (const name of JSON.parse(readFileSync(`${vectors}/index.json`)).cases) {
  const described = JSON.parse(readFileSync(`${vectors}/${name}.json`)), reason = reasonToDecline(described);
  if (reason) {
    declined[name] = reason;
    continue;
  }
  const outputs = lstm(described.calls[0], described.spec, load(`${vectors}/${name}.inputs.safetensors`));
  save(`${answers}/${name}.safetensors`, described.dtype === "float32" ? "F32" : "F64", outputs);
}
writeFileSync(`${answers}/declined.json`, JSON.stringify(declined, null, 1));
