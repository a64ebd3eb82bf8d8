"""Verdicts on named tensors, and on what a call may not do: what layers and rooms are judged by alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .cases import Case
from .cases.values import NON_FINITE, SEQUENCE, sequence
from .oracle import Tensors, Truth
from .tolerance import NUMBERS, Verdict, judge

OUTPUTS = ("y", "h_n", "c_n")
Axes = tuple[int | None, int | None]  # of time, of sequences
STATES = ("h_n", "c_n", "dh_0", "dc_0")
SEQUENCES = ("y", "dx")
LAST_FIRST = ("dx", "dh_0", "dc_0")  # computed last step, or layer, first
# What tensors of 16 bits may come back as: NumPy has no bfloat16.
RETURNED: dict[str, tuple[str, ...]] = {"bfloat16": ("float32",), "float16": ("float16", "float32")}


def of_case(case: Case, truth: Truth, results: Tensors, backward: bool = True, precision: str = "") -> Iterator[Verdict]:
    """A verdict on each tensor that a case asks for, and against each that it does not."""
    oracle = {k: v for k, v in truth.oracle.items() if backward or k in OUTPUTS}
    optional = () if case.state else ("dh_0", "dc_0")  # no state given: its gradient need not be returned
    asked = replace(truth, oracle=oracle)
    if case.values in NON_FINITE:
        yield from patterns(results, oracle)
        cut = partial(agreed, case, oracle)
        asked = Truth(cut(oracle), list(map(cut, truth.baselines)), lambda: list(map(cut, truth.moved())))
        results = cut(results)

    def judged(tensors: Tensors) -> list[Verdict]:
        return list(compare(tensors, asked, case.spec.dtype, optional, partial(axes, case), precision))

    verdicts = judged(results)
    bad = [v for v in verdicts if not v.ok]
    if case.lengths and bad and all(v.tensor in SEQUENCES and v.why in NUMBERS for v in bad):  # perhaps only past the ends
        verdicts = judged({k: ended(case, v) if k in SEQUENCES else v for k, v in results.items()})
    for v in verdicts:
        yield of_states((v.ok and v.tensor in SEQUENCES and past_the_end(case, v.tensor, results[v.tensor])) or v)


def axes(case: Case, tensor: str) -> Axes:
    """Which axes of a tensor are time, or of a state layers and directions, and sequences."""
    if tensor in STATES:
        return 0, 1
    time = int(case.spec.batch_first)
    return (time, 1 - time) if tensor in SEQUENCES else (None, None)


def ended(case: Case, tensor: np.ndarray) -> np.ndarray:
    """y or dx with zeros past the end of each sequence."""
    tensor = np.array(tensor)
    for b, n in enumerate(case.lengths or ()):
        sequence(tensor, case, b)[n:] = 0
    return tensor


def past_the_end(case: Case, name: str, tensor: np.ndarray) -> Verdict | None:
    """A verdict against y or dx if it is right, but not zero, exactly, past the end of a sequence."""
    for b, n in enumerate(case.lengths or ()):
        if (sequence(np.asarray(tensor), case, b)[n:] != 0).any():
            return refused(name, "padding", f"is not zero past the end of sequence {b}, {n} of {case.T} steps")
    return None


def patterns(results: Tensors, oracle: Tensors) -> Iterator[Verdict]:
    """A verdict against each output that is not NaN, or infinite, where it must be."""
    for name in (k for k in OUTPUTS if k in oracle and k in results):
        given, exact = np.asarray(results[name]), oracle[name]
        if given.shape != exact.shape:
            continue
        alike = (given == exact) | (np.isnan(given) & np.isnan(exact)) | np.isfinite(exact)
        if not alike.all():
            at = tuple(map(int, np.argwhere(~alike)[0]))
            yield refused(name, "non-finite", f"is {word(given[at])} at {list(at)}, where {word(exact[at])} is right")


def word(v: np.floating) -> str:
    """A number as a sentence has it."""
    return "NaN" if np.isnan(v) else f"{'-' * bool(v < 0)}infinity" if np.isinf(v) else f"{v:.3g}"


def agreed(case: Case, oracle: Tensors, tensors: Tensors) -> Tensors:
    """Zeros in place of what nobody has agreed upon: every gradient of a sequence with a NaN or infinity in it, and those of the
    weights; and in place of what ``patterns`` has judged."""
    cut = dict(tensors)
    for name, v in tensors.items():
        if name not in oracle or np.shape(v) != oracle[name].shape:
            continue
        judged = np.isfinite(oracle[name])
        if name in ("dx", "dh_0", "dc_0"):
            batch = 0 if name == "dx" and case.spec.batch_first else 1
            judged &= (np.arange(case.B) != SEQUENCE).reshape([-1 if k == batch else 1 for k in range(v.ndim)])
        elif name not in OUTPUTS:
            judged[...] = False
        cut[name] = np.where(judged, v, np.zeros_like(v))
    return cut


def compare(
    results: Tensors,
    truth: Truth,
    dtype: str,
    optional: Sequence[str] = (),
    axes: Callable[[str], Axes] = lambda name: (None, None),
    precision: str = "",
) -> Iterator[Verdict]:
    """A verdict on each tensor of the oracle, and against each that it does not have.

    ``precision`` is that of the computation, if it is not that of the dtype.  ``optional`` need not be there; ``axes`` tells
    those of time and of sequences, if there are any.
    """
    for name in results.keys() - truth.oracle.keys():
        yield refused(name, "unexpected", "is neither an output nor a gradient that this case has")
    for name, exact in truth.oracle.items():
        if name not in results:
            if name not in optional:
                yield refused(name, "missing", "was not returned")
        elif (given := np.asarray(results[name]).dtype) not in RETURNED.get(dtype, (dtype,)):
            yield refused(name, "dtype", f"{given} for {dtype}")
        else:
            time, batch = axes(name)
            baselines, moved = [b[name] for b in truth.baselines], partial(_named, name, truth)
            yield judge(name, results[name], baselines, exact, precision or dtype, time, name in LAST_FIRST, batch, moved)


def _named(name: str, truth: Truth) -> list[np.ndarray]:
    return [tensors[name] for tensors in truth.moved()]


def of_states(v: Verdict) -> Verdict:
    """A verdict whose steps are layers and directions."""
    return v._replace(step=None, row=v.step) if v.tensor in STATES else v


def place(v: Verdict, directions: int = 1) -> str:
    """Where a tensor is wrong first: "t = 3, sequence 1", or of a state "layer 0, reverse, sequence 1"."""
    parts = [] if v.step is None else [f"t = {v.step}"]
    if v.row is not None:
        layer, direction = divmod(v.row, directions)
        parts += [f"layer {layer}", *(["reverse" if direction else "forward"] if directions > 1 else [])]
    return ", ".join(parts + ([] if v.batch is None else [f"sequence {v.batch}"]))


def written_to(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Verdict]:
    """A verdict against each argument that is not what it was."""
    for name, value in before.items():
        if not same(value, after[name]):
            yield refused(name, "changed", "was written to; arguments must be left as they are")


def same(a: Any, b: Any) -> bool:
    """Whether two nests of arrays hold the same numbers."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return all(map(same, a, b))
    return a is b or np.array_equal(a, b, equal_nan=True)


def refused(tensor: str, why: str, detail: str) -> Verdict:
    """A verdict that needs no numbers."""
    return Verdict(tensor, None, None, False, None, why, detail)
