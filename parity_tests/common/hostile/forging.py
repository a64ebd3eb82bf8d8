"""Checkpoints that somebody else made by hand: any field and array replaced, with a checksum that fits; and headers that lie."""

import copy
import json
import math
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from reference.common.checkpoint import FORMAT, digest

Place = tuple[str | int, ...]
MISSING = object()
SEVERAL = 2  # elements of a list that are forged


class Contents(NamedTuple):
    """A checkpoint's JSON and arrays."""

    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @classmethod
    def of(cls, path: Path) -> "Contents":
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        return cls(json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["meta"]), load_arrays(data))

    def bytes(self) -> bytes:
        """A file whose checksum fits."""
        text = json.dumps(self.meta)
        return save_arrays(self.arrays, {"format": FORMAT, "meta": text, "sha256": digest(text, self.arrays)})


class Forgery(NamedTuple):
    """One field, what kind of value was put there, and the file."""

    place: Place
    kind: str
    data: bytes

    @property
    def name(self) -> str:
        """The field, of a list the list's, or the parameter that an array belongs to"""
        return next(key for key in reversed(self.place) if isinstance(key, str)).rpartition("/")[2]

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.place))} {self.kind}"


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every field of JSON, however deep; of lists the first elements."""
    if at:
        yield at
    keys = list(value) if isinstance(value, dict) else range(min(SEVERAL, len(value))) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*at, key))


def inside(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def replaced(value: Any, place: Place, new: Any) -> Any:
    """A copy with another value at a place; MISSING takes it away."""
    value = copy.deepcopy(value)
    holder = inside(value, place[:-1])
    if new is MISSING:
        del holder[place[-1]]
    else:
        holder[place[-1]] = new
    return value


def wrong(value: Any) -> dict[str, Any]:
    """What may stand in place of a value, by kind."""
    other: dict[str, Any] = {"a number": 1.5} if isinstance(value, str) else {"a text": "x"}
    if isinstance(value, bool):
        other["a number"] = 1
    elif isinstance(value, (int, float)):
        other |= {"true": True, "a fraction": 0.5, "negative": -3, "huge": 10**30, "huger": 10**5000, "negative huge": -1e300}
    if isinstance(value, list):
        other |= {"empty": [], "long": value * 1000, "an object": {}, "one more": [*value, *value[:1], None]}
    if isinstance(value, str):
        other |= {"empty": "", "a path": "../../../etc/passwd", "a zero": "\0", "long": "x" * 10_000}
    unending: Any = value
    for _ in range(400):
        unending = [unending]
    return other | {
        "missing": MISSING,
        "null": None,
        "a list": [value],
        "an object of it": {"x": value},
        "nested": unending,
        "NaN": math.nan,
        "inf": math.inf,
        "-inf": -math.inf,
    }


def table(contents: Contents) -> list[tuple[Place, str]]:
    """Every field of the JSON and every array x every kind of wrong one; and arrays that belong to nobody."""
    found = [(place, kind) for place in places(contents.meta) for kind in wrong(inside(contents.meta, place))]
    found = [(place, kind) for place, kind in found if not (kind == "missing" and isinstance(place[-1], int))]
    found += [((name,), kind) for name, v in contents.arrays.items() for kind in spoiled(v)]
    return found + [((name,), "added") for name in STRANGE]


def made(contents: Contents, place: Place, kind: str) -> Forgery:
    """The file of one entry of the table."""
    name = str(place[0])
    if kind == "added":
        return Forgery(place, kind, contents._replace(arrays=contents.arrays | {name: np.zeros(3)}).bytes())
    if name not in contents.arrays:
        return forged(contents, place, kind, wrong(inside(contents.meta, place))[kind])
    other, rest = spoiled(contents.arrays[name])[kind], {k: w for k, w in contents.arrays.items() if k != name}
    return Forgery(place, kind, contents._replace(arrays=rest | ({} if other is None else {name: other})).bytes())


def forged(contents: Contents, place: Place, kind: str, value: Any) -> Forgery:
    text = written(contents.meta, place, value)
    header = {"format": FORMAT, "meta": text, "sha256": digest(text, contents.arrays)}
    return Forgery(place, kind, save_arrays(contents.arrays, header))


def written(value: Any, place: Place, new: Any) -> str:
    """JSON with another value at a place, also a number of more digits than Python writes."""
    long = isinstance(new, int) and abs(new) >= 10**4000
    text = json.dumps(replaced(value, place, "LONG" if long else new))
    return text.replace('"LONG"', "9" * 5000) if long else text


def spoiled(v: np.ndarray) -> dict[str, Any]:
    """What may stand in place of an array, by kind."""

    def first(number: float) -> np.ndarray:
        changed = v.copy()
        changed.flat[0] = number
        return changed

    shapes = {"flat": v.reshape(-1), "0-d": v.reshape(-1)[:1].reshape(()), "one axis more": v[None], "one row less": v[1:]}
    return {k: w for k, w in shapes.items() if w.shape != v.shape} | {
        "missing": None,
        "NaN": first(np.nan),
        "inf": first(np.inf),
        "other dtype": v.astype("f4" if v.dtype == np.float64 else "f8"),
        "whole numbers": v.astype("i8"),
        "booleans": v.astype(bool),
        "empty": v[:0],
        "twice": np.concatenate([v, v], axis=-1),
    }


AS_ASKED = {("config", "epochs")}  # any number of passes may have been asked for, and would be trained
STRANGE = (
    "weights/x",
    "optimizer/exp_avg/x",
    "optimizer/x/head.bias",
    "optimizer/step/head.bias",
    "carried/x",
    "weights/../x",
    "x",
)


def raw(header: str | bytes, body: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else header.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def each(*values: Any) -> tuple[Any, ...]:
    """Values of any types"""
    return values


def headers(contents: Contents) -> dict[str, bytes]:
    """Files whose header lies, by what is wrong with it; their checksums fit where there is one."""
    data = contents.bytes()
    (n,) = struct.unpack("<Q", data[:8])
    text, body = data[8 : 8 + n].decode(), data[8 + n :]
    head = json.loads(text)
    names = sorted((k for k in head if k != "__metadata__"), key=lambda k: head[k]["data_offsets"])
    a, b = names[:2]

    def one(**fields: Any) -> bytes:
        return raw(json.dumps(head | {a: head[a] | fields}), body)

    (begin, end), (_, after) = head[a]["data_offsets"], head[b]["data_offsets"]
    files = {
        f"offsets {v!r:.30}": one(data_offsets=v)
        for v in each([], [0], [0, end, end], None, "x", {}, [[], []], [None, None], ["0", "8"], [0.0, float(end)], [True, end])
    }
    files |= {
        f"offsets {v!r:.30}": one(data_offsets=v)
        for v in (
            [-8, end - 8],
            [end, begin],
            [begin, 10**30],
            [10**9, 10**9 + end],
            [begin, end + 8],
            [begin, end - 8],
            [8, end + 8],
        )
    }
    files |= {
        f"shape {v!r:.30}": one(shape=v)
        for v in each([], [2**62], [2**31, 2**31], [-1], [1.5], [0], [0, 2**62], None, "x", [[1]], [10**30], [1] * 100, {"x": 1})
    }
    files |= {f"dtype {v!r:.30}": one(dtype=v) for v in each("F128", "BF16", "F8_E4M3", "O", "|O8", "", None, 3, ["F64"], "f64")}
    files |= {f"without {k}": raw(json.dumps(head | {a: {m: v for m, v in head[a].items() if m != k}}), body) for k in head[a]}
    files |= {f"array is {v!r:.30}": raw(json.dumps(head | {a: v}), body) for v in each(None, [], 3, "x", {})}
    files |= {
        f"name {v!r:.30}": raw(json.dumps({v if k == a else k: w for k, w in head.items()}), body)
        for v in (
            "../../x",
            "weights/../../x",
            "/etc/passwd",
            "weights/",
            "weights",
            "",
            "weights//x",
            "weights/\n",
            "C:\\x",
            "weights\\x",
        )
    }
    files |= {
        f"metadata {v!r:.30}": raw(json.dumps(head | {"__metadata__": v}), body)
        for v in each(None, [], {}, 3, "x", {"format": FORMAT})
    }
    files |= {
        f"metadata {k} {v!r:.30}": raw(json.dumps(head | {"__metadata__": head["__metadata__"] | {k: v}}), body)
        for k in head["__metadata__"]
        for v in each(None, [], {}, 3, "", "x" * 1000, "{", "[" * 2000, "\0")
    }
    once = f'"{a}": {json.dumps(head[a])}'
    again = text.rstrip().rstrip("}")
    files |= {
        "overlap": raw(json.dumps(head | {b: head[b] | {"data_offsets": [begin, begin + after - end]}}), body),
        "the same bytes twice": raw(json.dumps(head | {"weights/x": head[a]}), body),
        "a gap": raw(json.dumps({k: v for k, v in head.items() if k != a}), body),
        "a name twice": raw(f"{again}}}, {once}}}", body),
        "metadata twice": raw(f'{again}}}, "__metadata__": {json.dumps(head["__metadata__"])}}}', body),
        "a field twice": raw(text.replace('"dtype":"F', '"dtype":"F64","dtype":"F', 1), body),
        "no bytes": raw(text),
        "more bytes": data + bytes(8),
        "fewer bytes": data[:-8],
        "a bomb of lists": raw('{"x":' * 0 + '{"x":' + "[" * 100_000 + "]" * 100_000 + "}"),
        "a bomb of objects": raw('{"x":' * 100_000 + "1" + "}" * 100_000),
        "nested a little": raw('{"x":' * 200 + "1" + "}" * 200),
        "many arrays": raw("{" + ",".join(f'"weights/{k}":{{}}' for k in range(20_000)) + "}"),
        "no UTF-8": raw(b'{"\xff":1}'),
        "UTF-16": raw('{"x":1}'.encode("utf-16-le")),
        "a surrogate": raw(json.dumps(head)[:-1] + ', "weights/\\ud800": ' + json.dumps(head[a]) + "}", body),
        "a number of 5,000 digits": raw(text.replace(f"[{begin},{end}]", f"[{begin},{'9' * 5000}]", 1), body),
        "no JSON": raw("{" + "x" * 100),
        "JSON and more": raw(text.rstrip() + "{}", body),
        "a list": raw("[]"),
        "NaN": raw(text.replace(f"[{begin},{end}]", "[NaN,Infinity]", 1), body),
    }
    files |= {f"length {k}": raw(text, body, k) for k in (0, 1, 2, n - 1, n + 1, len(data), 2**31, 2**32, 2**62, 2**63, 2**64 - 1)}
    return files


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**30, 2**63, -1, 0, 1, math.inf]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def forgeries(contents: Contents) -> st.SearchStrategy[Forgery]:
    """Files in which one field or array, or several, are what nobody would write."""

    def unknown(at: tuple[Place, Any]) -> Forgery:
        return forged(contents, at[0], repr(at[1])[:60], at[1])

    return st.one_of(
        st.sampled_from(table(contents)).map(lambda at: made(contents, *at)),
        st.tuples(st.sampled_from([p for p in places(contents.meta) if p not in AS_ASKED]), JSON).map(unknown),
        numbers(contents),
    )


@st.composite
def numbers(draw: Callable, contents: Contents) -> Forgery:
    """Several numbers and arrays at once, each one that its type allows."""
    meta, held = copy.deepcopy(contents.meta), dict(contents.arrays)
    leaves = [p for p in places(meta) if isinstance(inside(meta, p), (int, float)) and p not in AS_ASKED]
    changed = draw(st.lists(st.sampled_from(leaves), min_size=1, max_size=4, unique=True))
    for place in changed:
        kind = type(inside(meta, place))
        value = draw(st.booleans() if kind is bool else st.integers(-2, 2**70) if kind is int else st.floats())
        meta = replaced(meta, place, value)
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(held)))
        held[name] = np.array(draw(st.floats()) * np.ones(held[name].shape), held[name].dtype)
    return Forgery(changed[0], "numbers", Contents(meta, held).bytes())
