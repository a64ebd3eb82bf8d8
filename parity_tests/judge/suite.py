"""Judging one implementation on one case: every output, every gradient, twice, and what it did to its arguments."""

import traceback
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from . import verdicts
from .cases import Case
from .diagnosis import diagnose
from .implementations import Implementation
from .misreadings import behaves_like
from .oracle import ContractError, Tensors, compute, truth
from .tolerance import Verdict


class Result(NamedTuple):
    """One implementation on one case."""

    implementation: str
    case: Case
    verdicts: tuple[Verdict, ...] = ()
    declined: str | None = None
    forward_only: bool = False
    diagnosis: str = ""
    precision: str = ""  # what it says it computes in, and was judged in, where that is not the dtype

    @property
    def ok(self) -> bool:
        return all(v.ok for v in self.verdicts)

    @property
    def wrong(self) -> list[Verdict]:
        """What is wrong: first what broke the contract, then the numbers."""
        return sorted((v for v in self.verdicts if not v.ok), key=lambda v: v.why == "number")

    @property
    def worst(self) -> Verdict | None:
        return worst_of(self.verdicts)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict furthest past its limit, or closest to it; None if there is none."""
    return max(verdicts, key=lambda v: (not v.ok, v.ratio), default=None)


def run_case(implementation: Implementation, case: Case) -> Result:
    """Judge an implementation on a case; where it fails, say as far as can be said what is wrong with it."""
    try:
        reason = implementation.reason_to_decline(case.spec)
        if reason:
            return Result(implementation.name, case, declined=reason)
        return _judged(implementation, case)
    except Exception as e:
        verdict = verdicts.refused("-", "raised", described(e))
        return Result(implementation.name, case, (verdict,), diagnosis=_room(implementation, case))


def _judged(implementation: Implementation, case: Case) -> Result:
    data = case.data()
    weights = {k: v.copy() for k, v in data.weights.items()}
    layer = implementation.load(case.spec, weights)
    first = compute(layer, case, data)
    second = compute(layer, case, data)
    forward_only, precision = not hasattr(layer, "backward"), implementation.precision(case.spec)
    judged = compare(case, first, forward_only, precision)
    judged += verdicts.written_to(case.data()._asdict(), data._replace(weights=weights)._asdict())
    if all(v.ok for v in judged):
        again = compare(case, second, forward_only, precision)
        judged += [v._replace(tensor=f"{v.tensor}, second call") for v in again if not v.ok]
    result = Result(implementation.name, case, tuple(judged), forward_only=forward_only, precision=precision)
    if result.ok:
        return result
    return result._replace(diagnosis=_room(implementation, case) or behaves_like(case, first["y"]))


def _room(implementation: Implementation, case: Case) -> str:
    """For our own rooms: which equation is wrong."""
    return "" if implementation.package is None else diagnose(case.spec.kind, implementation.package)


def described(e: Exception) -> str:
    """An exception in one line; with its place, unless that is in this suite, where nobody should look."""
    if isinstance(e, ContractError):
        return str(e)
    frames = [f for f in traceback.extract_tb(e.__traceback__) if Path(f.filename).parent != Path(__file__).parent]
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(e).__name__}: {e}{place}"


def compare(case: Case, results: Tensors, forward_only: bool, precision: str = "") -> list[Verdict]:
    """A verdict on each tensor that the case asks for, and against each that it does not, by what a precision allows."""
    known = truth(case, precision)
    asked = {k: v for k, v in known.oracle.items() if not (forward_only and k.startswith("d"))}
    optional = () if case.state else ("dh_0", "dc_0")  # no state given: its gradient need not be returned
    time = int(case.spec.batch_first)
    axis = {"y": time, "dx": time}.get
    return list(verdicts.compare(results, replace(known, oracle=asked), case.spec.dtype, optional, axis, precision))
