"""Which misreadings give just what a wrong implementation returned.

A misreading costs a run of the definition, and a run of the suite may fail hundreds of times.  So what explained an earlier
failure of the same implementation is tried first, and all others only on cases that are not large, while that is fruitful.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from ..cases import GATES, Case
from ..cases.values import NON_FINITE
from ..oracle import Tensors, Truth, is_real, truth
from ..tolerance import judge
from ..verdicts import agreed
from .cells import backward_lines, cells
from .gradients import backwards
from .misreadings import Misreading, options, outputs, states, weights
from .reading import added, is_there, posed, same
from .sequences import sequences, without_lengths

FRUITLESS = 4  # searches without a find among failures that look alike
LARGE = 3_000_000  # multiplications of a case on which not everything is tried
LARGEST = 300_000_000  # and of one on which nothing is
REST = 0.1  # of the error may be left


class Explanation(NamedTuple):
    """A misreading under which the definition gives these tensors of a wrong implementation."""

    misreading: str
    agree: tuple[str, ...]

    def __str__(self) -> str:
        *others, last = self.agree
        what = f"{', '.join(others)} and {last}" if others else last
        verb = "are" if others or last.endswith("s") else "is"
        return f"{what} {verb} what the definition gives if {self.misreading}"


class Search:
    """What explains the failures of one implementation; it remembers what did."""

    def __init__(self) -> None:
        self.known: Counter[str] = Counter()
        self.fruitless: Counter[tuple] = Counter()
        self.tried: set[str] = set()  # cases of which nothing is known

    def explain(self, case: Case, tensors: Tensors, precision: str = "") -> tuple[Explanation, ...]:
        """All misreadings that explain a failure, as far as they were tried."""
        failure = Failure(case, tensors, precision)
        if not failure.wrong or np.inf in failure.errors.values() or size(case) > LARGEST:
            return ()
        every = list(failure.candidates())
        found = list(failure.explained(m for m in every if m.sentence in self.known))
        alike = (case.spec.kind, failure.wrong & {"y", "h_n", "c_n", "dx"}, bool(case.lengths), case.spec.bidirectional)
        if not found and case.name not in self.tried and self.fruitless[alike] < FRUITLESS and size(case) <= LARGE:
            found = list(failure.explained(every))
            if not found:
                self.fruitless[alike] += 1
                self.tried.add(case.name)
        self.known.update(e.misreading for e in found)
        return tuple(found)


def size(case: Case) -> int:
    """About how many multiplications a forward has."""
    s = case.spec
    rows = len(GATES[s.cell]) * s.hidden_size * (s.input_size + s.hidden_size)
    return case.T * case.B * rows * s.num_layers * (1 + s.bidirectional)


class Failure:
    """What an implementation returned for a case, where it is wrong, and what it could be compared with."""

    def __init__(self, case: Case, tensors: Tensors, precision: str = ""):
        self.case, self.precision, right = case, precision or case.spec.dtype, truth(case, precision)
        self.agreed: Callable[[Tensors], Tensors] = partial(agreed, case, right.oracle) if case.values in NON_FINITE else same
        self.truth = Truth(self.agreed(right.oracle), [self.agreed(b) for b in right.baselines])
        oracle = self.truth.oracle
        arrays = self.agreed({k: np.asarray(v) for k, v in tensors.items() if k in oracle})
        self.tensors = {k: v for k, v in arrays.items() if v.shape == oracle[k].shape and is_real(v)}
        self.errors = {k: self.off(k, v, oracle[k]) for k, v in self.tensors.items()}
        self.wrong = frozenset(k for k, error in self.errors.items() if error is not None)
        self.data = posed(case, case.data())

    def off(self, name: str, tensor: np.ndarray, exact: np.ndarray) -> float | None:
        """How far a tensor is from what it should be, or None if that is allowed; infinite if it is not finite."""
        oracle = self.truth.oracle[name]
        noise = [b[name] - oracle + exact for b in self.truth.baselines]
        verdict = judge(name, tensor, noise, exact, self.precision)
        return None if verdict.ok else np.inf if verdict.error is None else verdict.error

    def candidates(self) -> Iterator[Misreading]:
        """All misreadings that could show where it is wrong."""
        case = self.case
        if not {"y", "h_n", "c_n"} & self.wrong:
            yield from backwards(case)
            yield from backward_lines(case)
            return
        yield from weights(case)
        yield from states(case) if case.state else ()
        yield from options(case)
        yield from outputs(case)
        yield from sequences(case)
        yield from cells(case)
        if case.lengths and not case.spec.dropout:  # other lengths would need other masks
            yield from without_lengths(case, case.lengths)

    def explained(self, misreadings: Iterable[Misreading]) -> Iterator[Explanation]:
        """Those that give all outputs as they are; if the outputs are right, all gradients."""
        forward = [k for k in self.tensors if not k.startswith("d")]
        gradients = [k for k in self.tensors if k.startswith("d")]
        for m in (m for m in misreadings if all(map(is_there, m.readings))):
            if not self.wrong & set(forward):
                if self.agree(self.given(m, backward=True), gradients):
                    yield Explanation(m.sentence, ("the gradients",))
            elif self.agree(self.given(m, backward=False), forward):
                whole = gradients and self.agree(self.given(m, backward=True), gradients, changed=False)
                yield Explanation(m.sentence, ("every output and gradient",) if whole else tuple(forward))

    def given(self, m: Misreading, backward: bool) -> Tensors:
        """What the definition gives under a misreading."""
        given = added(m.readings, self.case, self.data, backward) if m.readings else m.gradients(self.truth.oracle)
        return self.agreed(given)

    def agree(self, given: Tensors, names: list[str], changed: bool = True) -> bool:
        """Whether all of these tensors are what was given, and, if it must be, one that is wrong is so because of it."""
        return all(self.agrees(k, given[k]) for k in names) and (
            not changed or any(k in self.wrong and self.off(k, given[k], self.truth.oracle[k]) is not None for k in names)
        )

    def agrees(self, name: str, exact: np.ndarray) -> bool:
        error, tensor = self.errors[name], self.tensors[name]
        if self.off(name, tensor, exact) is not None:
            return False
        return error is None or np.abs(tensor - exact).max(initial=0) <= REST * error
