"""Judging one implementation on one case: every output, every gradient, twice, and what it did to its arguments."""

import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import verdicts
from .cases import Case
from .cases.values import NON_FINITE
from .causes.search import Explanation, Search
from .contracts import CONTRACTS
from .contracts.call import DeclinedError, Loader
from .diagnosis import diagnose
from .implementations import Implementation
from .oracle import ContractError, Tensors, compute, truth
from .tolerance import NUMBERS, Verdict

STATUSES = ("passed", "wrong", "error", "declined", "xfailed", "xpassed")
FAILING = ("wrong", "error", "xpassed")  # fail the run
ERRORS = ("raised", "shape", "dtype", "missing", "unexpected", "crashed", "timeout")  # what is wrong without a number


class Result(NamedTuple):
    """One implementation on one case."""

    implementation: str
    case: Case
    verdicts: tuple[Verdict, ...] = ()
    declined: str | None = None
    forward_only: bool = False
    diagnosis: str = ""
    seconds: float = 0.0
    explained: tuple[Explanation, ...] = ()  # misreadings of the definition that give just this
    expected: str = ""  # why it is known to fail, if it is
    precision: str = ""  # what it says it computes in, and was judged in, where that is not the dtype

    @property
    def ok(self) -> bool:
        return all(v.ok for v in self.verdicts)

    @property
    def status(self) -> str:
        """ "passed", "declined", "wrong" (numbers, or what it did to its arguments), "error" (nothing that could be compared),
        and where it was expected to fail "xfailed" or "xpassed"."""
        if self.declined:
            return "declined"
        if self.expected:
            return "xpassed" if self.ok else "xfailed"
        if self.ok:
            return "passed"
        return "error" if any(not v.ok and v.why in ERRORS for v in self.verdicts) else "wrong"

    @property
    def wrong(self) -> list[Verdict]:
        """What is wrong: first what broke the contract, then the numbers."""
        return sorted((v for v in self.verdicts if not v.ok), key=lambda v: v.why in NUMBERS)

    @property
    def worst(self) -> Verdict | None:
        return worst_of(self.verdicts)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict furthest past its limit, or closest to it; None if there is none."""
    return max(verdicts, key=lambda v: (not v.ok, v.ratio), default=None)


def run_case(implementation: Implementation, case: Case) -> Result:
    """Judge an implementation on a case; where it fails, say as far as can be said what is wrong with it."""
    begun = time.perf_counter()
    result = _run(implementation, case)
    return result._replace(seconds=time.perf_counter() - begun)


def _run(implementation: Implementation, case: Case) -> Result:
    try:
        reason = implementation.reason_to_decline(case.spec)
        if reason:
            return Result(implementation.name, case, declined=reason)
        with quiet(case):
            return _judged(implementation, case)
    except DeclinedError as e:
        return Result(implementation.name, case, declined=str(e))
    except Exception as e:
        verdict = verdicts.refused("-", "raised", described(e))
        return Result(implementation.name, case, (verdict,), diagnosis=_room(implementation, case))


def quiet(case: Case) -> AbstractContextManager:
    """NumPy says nothing of NaN and infinity where a case is about them."""
    return np.errstate(invalid="ignore", over="ignore") if case.values in NON_FINITE else nullcontext()


def _judged(implementation: Implementation, case: Case) -> Result:
    load = Loader(implementation, case.spec)
    if case.contract:
        kept = tuple(_kept(CONTRACTS[case.contract](load, case)))
        result = Result(implementation.name, case, kept, forward_only=load.forward_only, precision=load.precision)
        return result if result.ok else result._replace(diagnosis=_room(implementation, case))
    data = case.data()
    layer = load(data.weights)
    first = compute(layer, case, data)
    second = compute(layer, case, data)
    known = truth(case, load.precision)

    def judged_on(results: Tensors) -> Iterator[Verdict]:
        return verdicts.of_case(case, known, results, not load.forward_only, load.precision)

    judged = list(judged_on(first))
    judged += verdicts.written_to(case.data()._asdict(), data._asdict())
    if all(v.ok for v in judged):
        judged += [v._replace(tensor=f"{v.tensor}, second call") for v in judged_on(second) if not v.ok]
    result = Result(implementation.name, case, tuple(judged), forward_only=load.forward_only, precision=load.precision)
    if result.ok:
        return result
    if room := _room(implementation, case):
        return result._replace(diagnosis=room)
    explained = _search(implementation).explain(case, first, load.precision)
    return result._replace(explained=explained, diagnosis=str(explained[0]) if explained else "")


_searches: dict[int, tuple[Any, Search]] = {}  # by the identity of a load(), which is kept so that no other has it


def _search(implementation: Implementation) -> Search:
    """What has been found out about an implementation, in this process."""
    load = implementation.load
    return _searches.setdefault(id(load), (load, Search()))[1]


def _kept(judged: Iterable[Verdict]) -> Iterator[Verdict]:
    """The verdicts of a contract, and where it raises after some, that it did."""
    found = False
    try:
        for v in judged:
            found = True
            yield v
    except DeclinedError:
        raise
    except Exception as e:
        if not found:
            raise
        yield verdicts.refused("-", "raised", described(e))


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
