"""Judging one implementation on one case: every output, every gradient, twice, and what it did to its arguments."""

import traceback
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from .cases import Case, Data
from .implementations import Implementation
from .oracle import Tensors, compute, truth
from .tolerance import Verdict, judge
from .witness import diagnose


class Result(NamedTuple):
    """One implementation on one case."""

    implementation: str
    case: Case
    verdicts: tuple[Verdict, ...] = ()
    declined: str | None = None
    forward_only: bool = False
    diagnosis: str = ""

    @property
    def ok(self) -> bool:
        return all(v.ok for v in self.verdicts)

    @property
    def worst(self) -> Verdict | None:
        """The verdict furthest past its limit, or closest to it."""
        return worst_of(self.verdicts)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict furthest past its limit, or closest to it; None if there is none."""
    return max(verdicts, key=lambda v: (not v.ok, v.ratio), default=None)


def run_case(implementation: Implementation, case: Case) -> Result:
    """Judge an implementation on a case; where one of our own rooms fails, say which equation it is."""
    result = _run(implementation, case)
    if result.ok or implementation.package is None:
        return result
    return result._replace(diagnosis=diagnose(case.spec.kind, implementation.package))


def _run(implementation: Implementation, case: Case) -> Result:
    reason = implementation.reason_to_decline(case.spec)
    if reason:
        return Result(implementation.name, case, declined=reason)
    data = case.data()
    try:
        layer = implementation.load(case.spec, {k: v.copy() for k, v in data.weights.items()})
        first = compute(layer, case, data)
        second = compute(layer, case, data)
    except Exception as e:
        where = traceback.extract_tb(e.__traceback__)[-1]
        detail = f"{type(e).__name__}: {e} ({where.filename}, line {where.lineno})"
        return Result(implementation.name, case, (Verdict("-", np.inf, 0.0, False, None, "raised", detail),))
    forward_only = not hasattr(layer, "backward")
    verdicts = [*compare(case, first, forward_only), *changed(case, data)]
    repeated = [v._replace(tensor=f"{v.tensor}, second call") for v in compare(case, second, forward_only) if not v.ok]
    if all(v.ok for v in verdicts):
        verdicts += repeated
    return Result(implementation.name, case, tuple(verdicts), forward_only=forward_only)


def compare(case: Case, candidate: Tensors, forward_only: bool) -> Iterator[Verdict]:
    """A verdict on each tensor that the case asks for."""
    oracle, baselines = truth(case)
    for name, exact in oracle.items():
        if forward_only and name.startswith("d"):
            continue
        if name not in candidate:
            if case.state or name not in ("dh_0", "dc_0"):  # no state given: its gradient need not be returned
                yield Verdict(name, np.inf, 0.0, False, None, "missing", "was not returned")
            continue
        if candidate[name].dtype != case.spec.dtype:
            yield Verdict(name, np.inf, 0.0, False, None, "dtype", f"{candidate[name].dtype} for {case.spec.dtype}")
            continue
        axis = int(case.spec.batch_first) if name in ("y", "dx") else None
        yield judge(name, candidate[name], [b[name] for b in baselines], exact, case.spec.dtype, axis, name == "dx")


def changed(case: Case, data: Data) -> Iterator[Verdict]:
    """A verdict against each argument that is not what it was."""
    for name, given, now in zip(data._fields, case.data(), data, strict=True):
        if not _equal(given, now):
            yield Verdict(name, np.inf, 0.0, False, None, "changed", "was written to; arguments must be left as they are")


def _equal(a, b) -> bool:
    if isinstance(a, dict):
        a, b = tuple(a.values()), tuple(b.values())
    if isinstance(a, (tuple, list)):
        return all(map(_equal, a, b))
    return a is b or np.array_equal(a, b)
