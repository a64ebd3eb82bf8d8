// Compare answers with golden vectors:   node check.mjs VECTORS ANSWERS
//
// Node's own library, nothing else; a little-endian machine.  check.c does the same in C, and prints the same lines.
// The files: notes/judge/vectors.md.  A header of safetensors: https://github.com/huggingface/safetensors#format
//
// Exit status: 0 nothing failed; 1 something did, or nothing could be compared; 2 something cannot be read.

import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

const FORMAT = 1;
const MOST_BYTES = 2147483647; // of a file
const MOST_HEADER = 1048576; // bytes of a safetensors header; the largest here has a hundredth of that
const MOST_DEPTH = 64; // of JSON within JSON
const SIZES = { F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1 };

class Unreadable extends Error {}

function fail(sentence) {
  throw new Unreadable(sentence);
}

let printed = "";

function print(line) {
  printed += line + "\n";
}

// ---- files ----

/** {bytes, wrong}: the contents, or a sentence; null if it cannot be opened. */
function readFile(path) {
  let file;
  try {
    file = openSync(path, "r");
  } catch {
    return null;
  }
  try {
    if (fstatSync(file).size > MOST_BYTES) return { wrong: "is larger than 2 GiB" };
    return { bytes: readFileSync(file) };
  } catch {
    return { wrong: "cannot be read" };
  } finally {
    closeSync(file);
  }
}

// ---- JSON ----

/** Text without what a terminal would obey, and without halves of a pair. */
function clean(text) {
  return Buffer.from(text).toString().replace(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
}

function deep(text) {
  let depth = 0;
  for (const [bracket] of text.replace(/"(?:[^"\\]|\\[^])*"/g, "").matchAll(/[[\]{}]/g)) {
    depth += "[{".includes(bracket) ? 1 : -1;
    if (depth > MOST_DEPTH) return true;
  }
  return false;
}

/** The members of an object, and nothing after it; null if it is none. */
function parsed(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = deep(text) ? null : JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isObject = (v) => typeof v === "object" && v !== null && !Array.isArray(v);
const isString = (v) => typeof v === "string";
const isNumber = (v) => typeof v === "number";
const isBoolean = (v) => typeof v === "boolean";
const isWhole = (v) => isNumber(v) && v >= 0 && v <= 2 ** 53 && Math.floor(v) === v;
const all = (list, right) => Array.isArray(list) && list.every(right);
const own = (of, key) => (isObject(of) && Object.hasOwn(of, key) ? of[key] : undefined);
const same = (a, b) => a.length === b.length && a.every((v, k) => v === b[k]);
const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

// ---- safetensors ----

/** {tensors, wrong}: a Map by name, in the order of the names, or a sentence. */
function tensorsOf(file) {
  const none = "is no safetensors file: ";
  if (file.wrong) return file;
  const { bytes } = file;
  if (bytes.length < 8) return { wrong: none + "it has no eight bytes" };
  let length = 0;
  for (let k = 7; k >= 0; k--) length = 256 * length + bytes[k];
  if (length > MOST_HEADER) return { wrong: none + "its header is longer than 1 MiB" };
  if (length > bytes.length - 8) return { wrong: none + "its header is longer than the file" };
  const header = parsed(bytes.subarray(8, 8 + length));
  if (!header) return { wrong: none + "its header is no JSON object" };

  const members = new Map(Object.entries(header).map(([name, v]) => [clean(name), v]));
  members.delete("__metadata__");
  const tensors = new Map();
  for (const name of [...members.keys()].sort(byBytes)) {
    const [dtype, shape, offsets] = ["dtype", "shape", "data_offsets"].map((key) => own(members.get(name), key));
    if (!isString(dtype) || !all(shape, isWhole) || !all(offsets, isWhole) || offsets.length !== 2) {
      return { wrong: none + "its header does not give each tensor a dtype, a shape and data_offsets" };
    }
    tensors.set(name, { dtype: clean(dtype), shape, begin: offsets[0], end: offsets[1] });
  }

  const data = bytes.subarray(8 + length);
  let at = 0;
  for (const t of [...tensors.values()].sort((s, t) => s.begin - t.begin || s.end - t.end)) {
    if (t.begin !== at || t.end < at || t.end > data.length) at = NaN;
    if (Number.isNaN(at)) break;
    t.bytes = data.subarray(t.begin, t.end);
    at = t.end;
  }
  if (at !== data.length) return { wrong: none + "its tensors do not fill it without a gap or an overlap" };
  for (const t of tensors.values()) {
    const size = Object.hasOwn(SIZES, t.dtype) ? SIZES[t.dtype] : 0;
    if (size && product(t.shape) * size !== t.end - t.begin) {
      return { wrong: none + "a tensor has more or fewer bytes than its shape and dtype say" };
    }
  }
  return { tensors };
}

function product(shape) {
  return shape.reduce((n, size) => n * size, 1);
}

/** The numbers of a tensor of F64, F32, F16 or BF16. */
function numbersOf(t) {
  const buffer = new Uint8Array(t.bytes).buffer; // a copy, which starts where numbers may
  if (t.dtype === "F64") return new Float64Array(buffer);
  if (t.dtype === "F32") return new Float32Array(buffer);
  const bits = new Uint16Array(buffer);
  if (t.dtype === "BF16") return new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer);
  return Float64Array.from(bits, half);
}

/** A number of 16 bits: sign, 5 of exponent, 10 of fraction */
function half(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * (1024 + fraction) * 2 ** (exponent - 25) : sign * fraction * 2 ** -24;
}

// ---- comparing ----

/** A number as C's %.3e writes it. */
function figure(v) {
  const [digits, exponent] = v.toExponential(3).split("e");
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

class Case {
  wrong = false;
  error = false;

  constructor(name) {
    this.name = name;
  }

  found(error, sentence) {
    if (error) this.error = true;
    else this.wrong = true;
    print(`${error ? "ERROR" : "WRONG"} ${this.name}: ${sentence}`);
  }
}

/** Where element k stands along an axis of three. */
function along(o, k, axis) {
  for (let last = 2; last > axis; last--) k = Math.floor(k / o.shape[last]);
  return k % o.shape[axis];
}

/** Whether element k was computed before element best. */
function earlier(o, k, best) {
  if (!o.axes) return false;
  const a = along(o, k, o.order), b = along(o, best, o.order);
  return o.last_first ? a > b : a < b;
}

function place(o, k) {
  if (!o.axes) return "";
  return `, first at ${o.axes[o.order] === "row" ? "row" : "time"} ${along(o, k, o.order)}, sequence ${along(o, k, o.sequence)}`;
}

/** Elements from an end on must be zero: where one is not. */
function pastTheEnd(o, values, expected) {
  let best = null;
  for (let k = 0; o.ends && k < values.length; k++) {
    const b = along(o, k, o.sequence), time = along(o, k, o.order);
    if (time < o.ends[b] || values[k] === 0 || (o.any && !Number.isFinite(expected[k]))) continue;
    if (!best || b < best.b || (b === best.b && time < best.time)) best = { b, time };
  }
  return best;
}

function compare(of, totals, o, t) {
  const values = numbersOf(t), expected = numbersOf(o.expected), rest = o.rest ? numbersOf(o.rest) : null;
  const n = values.length;
  let astray = 0, strange = 0, off = n, largest = 0, dot = 0, square = 0;
  for (let k = 0; k < n; k++) {
    const v = values[k], e = expected[k];
    let error;
    if (!Number.isFinite(e)) {
      if (o.any || v === e || (Number.isNaN(v) && Number.isNaN(e))) continue;
      error = NaN;
    } else {
      error = v - e - (rest ? rest[k] : 0);
    }
    const distance = Math.abs(error);
    if (!Number.isFinite(error)) {
      if (!astray++ || earlier(o, k, strange)) strange = k;
      continue;
    }
    if (distance > largest) largest = distance;
    if (distance > o.allowed && (off === n || earlier(o, k, off))) off = k;
    dot += error * e;
    square += e * e;
  }
  const factor = square > 0 ? Math.abs(dot) / square : 0, past = pastTheEnd(o, values, expected);
  if (astray) {
    const where = `in ${astray} of ${n} elements${place(o, strange)}`;
    of.found(false, `${o.name} has NaN or infinity where it must not, or has none where it must, ${where}`);
  } else if (off < n) {
    of.found(false, `${o.name} is off by ${figure(largest)}, allowed ${figure(o.allowed)}${place(o, off)}`);
  } else if (o.allowed_factor !== null && factor > o.allowed_factor) {
    of.found(false, `${o.name} is wrong by a factor of 1 +- ${figure(factor)}, allowed ${figure(o.allowed_factor)}`);
  } else if (past) {
    of.found(false, `${o.name} is not zero past the end of sequence ${past.b}, at time ${past.time}`);
  } else {
    const ratios = [[largest, o.allowed], [factor, o.allowed_factor ?? 0]].map(([error, limit]) => (limit > 0 ? error / limit : 0));
    const ratio = Math.max(...ratios);
    if (ratio > totals.worst) Object.assign(totals, { worst: ratio, where: `${of.name}, ${o.name}` });
  }
}

// ---- a case ----

/** An output as the description says it; null if that is not as it should be. */
function readOutput(json, expected) {
  const keys = ["name", "role", "dtypes", "shape", "allowed", "allowed_factor", "optional", "axes", "last_first", "ends", "non_finite"];
  const o = Object.fromEntries(keys.map((key) => [key, own(json, key)]));
  if (!isString(o.name) || !isString(o.role) || !all(o.shape, isWhole) || !all(o.dtypes, isString)) return null;
  if (!isNumber(o.allowed) || !(o.allowed >= 0) || !["output", "gradient"].includes(o.role)) return null;
  if (o.allowed_factor !== null && !(isNumber(o.allowed_factor) && o.allowed_factor >= 0)) return null;
  if (!isBoolean(o.optional) || !isBoolean(o.last_first) || ![null, "same", "any"].includes(o.non_finite)) return null;
  o.any = o.non_finite === "any";
  if (o.axes !== null) {
    if (!all(o.axes, isString) || o.axes.length !== 3 || o.shape.length !== 3) return null;
    o.order = o.axes.findLastIndex((axis) => axis === "time" || axis === "row");
    o.sequence = o.axes.lastIndexOf("sequence");
    if (o.order < 0 || o.sequence < 0) return null;
  }
  if (o.ends !== null && (!o.axes || !all(o.ends, isWhole) || o.ends.length !== o.shape[o.sequence])) return null;
  o.name = clean(o.name);
  o.dtypes = o.dtypes.map(clean);
  o.expected = expected.get(o.name);
  o.rest = expected.get(`${o.name}.rest`);
  if (!o.expected || o.expected.dtype !== "F64" || !same(o.expected.shape, o.shape)) return null;
  return !o.rest || (o.rest.dtype === "F64" && same(o.rest.shape, o.shape)) ? o : null;
}

function judgeTensor(of, totals, o, answer, forwardOnly) {
  const t = answer.get(o.name);
  if (!t) {
    if (!o.optional && !(forwardOnly && o.role === "gradient")) of.found(true, `${o.name} is missing`);
  } else if (!o.dtypes.includes(t.dtype) || !["F64", "F32", "F16", "BF16"].includes(t.dtype)) {
    of.found(true, `${o.name} is ${t.dtype}, and must be ${o.dtypes.join(" or ")}`);
  } else if (!same(t.shape, o.shape)) {
    of.found(true, `${o.name} has the shape [${t.shape.join(", ")}], and must have [${o.shape.join(", ")}]`);
  } else {
    compare(of, totals, o, t);
  }
}

function expectedOf(path) {
  const file = readFile(path) ?? fail(`${path} cannot be opened`);
  const { tensors, wrong } = tensorsOf(file);
  return wrong ? fail(`${path} ${wrong}`) : tensors;
}

/** A file's JSON object; null if it cannot be opened. */
function jsonOf(path) {
  const file = readFile(path);
  if (file?.wrong) fail(`${path} ${file.wrong}`);
  return file && (parsed(file.bytes) ?? fail(`${path} holds no JSON object`));
}

function judgeTensors(of, totals, vectors, answer) {
  const path = `${vectors}/${of.name}.json`, described = jsonOf(path) ?? fail(`${path} cannot be opened`);
  const expected = expectedOf(`${vectors}/${of.name}.expected.safetensors`), list = own(described, "outputs");
  if (own(described, "format") !== FORMAT || !Array.isArray(list) || !list.length) fail(`${path} describes no case of format ${FORMAT}`);
  const outputs = list.map((json, k) => readOutput(json, expected) ?? fail(`${path} does not describe its output ${k}`));
  const gradients = outputs.filter((o) => o.role === "gradient"), forwardOnly = !gradients.some((o) => answer.has(o.name));
  for (const o of outputs) judgeTensor(of, totals, o, answer, forwardOnly);
  const names = new Set(outputs.map((o) => o.name));
  for (const name of answer.keys()) {
    if (!names.has(name)) of.found(true, `${name} is neither an output nor a gradient that this case has`);
  }
  if (gradients.length && forwardOnly && !of.error && !of.wrong) totals.forwardOnly++;
}

function judgeCase(totals, vectors, answers, name, declined) {
  const of = new Case(name), file = readFile(`${answers}/${name}.safetensors`), reason = declined.get(name);
  if (file && reason !== undefined) {
    of.found(true, "is declined, and answered");
  } else if (file) {
    const { tensors, wrong } = tensorsOf(file);
    if (wrong) of.found(true, `the answer ${wrong}`);
    else judgeTensors(of, totals, vectors, tensors);
  } else if (reason === undefined) {
    of.found(true, "has no answer, and is not declined");
  }
  if (of.error) totals.errors++;
  else if (of.wrong) totals.wrong++;
  else if (reason !== undefined) totals.declined++;
  else totals.passed++;
}

// ---- all ----

/** Case by case why it is declined. */
function declinedOf(path, cases) {
  const declined = new Map(Object.entries(jsonOf(path) ?? {}).map(([name, reason]) => [clean(name), reason]));
  for (const [name, reason] of declined) {
    if (!isString(reason)) fail(`${path} has no reason, a string, for ${name}`);
    if (!cases.includes(name)) fail(`${path}: ${name} is no case of these vectors`);
    declined.set(name, clean(reason));
  }
  return declined;
}

function main([vectors, answers, ...more]) {
  if (answers === undefined || more.length) fail("two folders are wanted: check VECTORS ANSWERS");
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) fail("this checker is for little-endian machines with IEEE numbers");
  const path = `${vectors}/index.json`, index = jsonOf(path) ?? fail(`${path} cannot be opened`);
  if (own(index, "format") !== FORMAT || !all(own(index, "cases"), isString)) fail(`${path} is no index of format ${FORMAT}`);
  const cases = index.cases.map(clean), declined = declinedOf(`${answers}/declined.json`, cases);
  const totals = { passed: 0, wrong: 0, errors: 0, declined: 0, forwardOnly: 0, worst: 0, where: "" };
  for (const name of cases) judgeCase(totals, vectors, answers, name, declined);

  const reasons = new Map();
  for (const reason of cases.filter((name) => declined.has(name)).map((name) => declined.get(name))) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  for (const [reason, times] of reasons) print(`declined ${times}: ${reason}`);
  const { passed, wrong, errors, forwardOnly, worst, where } = totals;
  print(`${cases.length} cases: ${passed} passed, ${wrong} wrong, ${errors} errors, ${totals.declined} declined`);
  if (forwardOnly) print(`${forwardOnly} of those that passed are of the forward alone`);
  if (where) print(`the largest error that passed is ${figure(worst)} of what is allowed: ${where}`);
  return Number(wrong > 0 || errors > 0 || !passed);
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Unreadable)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 2;
} finally {
  process.stdout.write(printed);
}
