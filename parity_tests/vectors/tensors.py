"""The tensors of a call: what goes in, and what is right with what the judge allows.

Expected values are those of the oracle, which has up to 64 bits of mantissa, in float64: the nearest number, and for a
candidate in float64 also the rest, since half a rounding of float64 is up to a 32nd of what is allowed there.  Of what is
allowed in float32 and below it is less than a billionth.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..judge.arithmetic import PRECISIONS
from ..judge.cases import Case
from ..judge.cases.values import NON_FINITE
from ..judge.oracle import Tensors
from ..judge.tolerance import Error, allowed
from ..judge.verdicts import LAST_FIRST, OUTPUTS, RETURNED, STATES, agreed
from .calls import Call

NAMES = {  # of NumPy's dtypes in safetensors
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "uint64": "U64",
    "uint8": "U8",
    "bool": "BOOL",
}


class Input(NamedTuple):
    """A tensor that is given."""

    name: str
    role: str  # "weight", "input", "state", "lengths", "mask", "upstream gradient"
    value: np.ndarray

    def described(self) -> dict[str, Any]:
        dtype = NAMES[str(self.value.dtype)]
        return {"name": self.name, "role": self.role, "dtype": dtype, "shape": list(self.value.shape)}


class Output(NamedTuple):
    """A tensor that is asked for."""

    name: str
    role: str  # "output", "gradient"
    value: np.ndarray  # (...) float64, NaN where nothing is compared
    rest: np.ndarray  # (...) float64, the oracle less the value
    dtypes: list[str]  # in which it may come
    limit: Error  # what is allowed
    optional: bool
    axes: list[str] | None  # None of a weight's gradient
    last_first: bool  # whether it is computed last step, or layer, first
    ends: list[int] | None  # of each sequence, past which there must be zeros
    non_finite: str | None  # where the value is NaN or infinite: "same" is wanted, "any" will do; None: it is nowhere

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "role": self.role,
            "dtypes": self.dtypes,
            "shape": list(self.value.shape),
            "allowed": self.limit.largest,
            "allowed_factor": None if np.isinf(self.limit.factor) else self.limit.factor,
            "optional": self.optional,
            "axes": self.axes,
            "last_first": self.last_first,
            "ends": self.ends,
            "non_finite": self.non_finite,
        }


def weights(call: Call) -> Iterator[Input]:
    """What the layer of a call is loaded from."""
    yield from (Input(full(call.layer, name), "weight", v) for name, v in call.data.weights.items())


def inputs(call: Call) -> Iterator[Input]:
    """What else goes into a call, and into its backward."""
    name, data = partial(full, call.name), call.data
    yield Input(name("x"), "input", data.x)
    yield from (Input(name(f"{letter}_0"), "state", v) for letter, v in zip("hc", data.state or (), strict=False))
    if data.lengths is not None:
        yield Input(name("lengths"), "lengths", data.lengths)
    yield from (Input(name(f"mask_l{k}"), "mask", v) for k, v in enumerate(data.masks or ()))
    if call.backward:
        yield Input(name("dy"), "upstream gradient", data.dy)
        states = zip("hc", data.dstate, strict=False)
        yield from (Input(name(f"d{letter}_n"), "upstream gradient", v) for letter, v in states)


def outputs(call: Call) -> Iterator[Output]:
    """What is right, by the judge's oracle, within what the judge allows."""
    case, (oracle, baselines), moved = call.case, call.truth, call.truth.moved()
    dtypes = [NAMES[dtype] for dtype in RETURNED.get(case.spec.dtype, (case.spec.dtype,))]
    dtypes += ["BF16"] * (case.spec.dtype == "bfloat16")  # which NumPy has not, and other languages have
    non_finite = case.values in NON_FINITE
    cut = partial(agreed, case, oracle) if non_finite else dict
    judged, baselines, moved = cut(oracle), [cut(b) for b in baselines], [cut(m) for m in moved]
    compared = cut({name: np.ones(v.shape, bool) for name, v in oracle.items()})
    for name, exact in oracle.items():
        if not call.backward and name not in OUTPUTS:
            continue
        limit = allowed([b[name] for b in baselines], judged[name], case.spec.dtype, [m[name] for m in moved])
        value = exact.astype(np.float64) if name in OUTPUTS else np.where(compared[name], exact, np.nan).astype(np.float64)
        yield Output(
            name=full(call.name, name),
            role="output" if name in OUTPUTS else "gradient",
            value=value,
            rest=np.where(np.isfinite(value), exact - value, 0).astype(np.float64),
            dtypes=dtypes,
            limit=limit,
            optional=name in ("dh_0", "dc_0") and not case.state,
            axes=axes(case, name),
            last_first=name in LAST_FIRST,
            ends=[*case.lengths] if case.lengths and name in ("y", "dx") else None,
            non_finite=None if np.isfinite(value).all() else "same" if name in OUTPUTS else "any",
        )


def axes(case: Case, name: str) -> list[str] | None:
    """What an output's axes are."""
    if name in STATES:
        return ["row", "sequence", "feature"]  # row: layer by layer, forward before reverse
    if name in ("y", "dx"):
        return ["sequence", "time", "feature"] if case.spec.batch_first else ["time", "sequence", "feature"]
    return None


def full(of: str, name: str) -> str:
    """The name of a tensor in the files, where there are several layers or calls."""
    return f"{of}.{name}" if of else name


def expected(outputs: list[Output], dtype: str) -> Tensors:
    """What stands in the file of expected values."""
    rest = {f"{o.name}.rest": o.rest for o in outputs} if PRECISIONS[dtype].itemsize == 8 else {}
    return {o.name: o.value for o in outputs} | rest
