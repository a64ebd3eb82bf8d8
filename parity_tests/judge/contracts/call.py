"""One call of a layer: the data that goes in, and what is right for it."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from .. import oracle, verdicts
from ..cases import Case, Data, Spec
from ..implementations import Implementation
from ..oracle import Tensors, Truth
from ..tolerance import Verdict


class DeclinedError(Exception):
    """An implementation cannot be asked this, and why."""


class Loader:
    """Makes layers of a spec from weights, and remembers whether they have a backward."""

    def __init__(self, implementation: Implementation, spec: Spec):
        self.implementation, self.spec, self.forward_only = implementation, spec, False
        self.precision = implementation.precision(spec)  # empty if that of the dtype

    def __call__(self, weights: dict[str, np.ndarray]) -> Any:
        layer = self.implementation.load(self.spec, weights)
        self.forward_only = not hasattr(layer, "backward")
        return layer


class Call:
    """A case's data, with the weights of the case that a layer was loaded for."""

    def __init__(self, load: Loader, case: Case, owner: Case | None = None):
        self.case, self.owner, self.precision = case, owner or case, load.precision
        self.data = data_of(self.case, self.owner)

    def run(self, layer: Any) -> Tensors:
        """Every output, and every gradient if the layer has any."""
        return oracle.compute(layer, self.case, self.data)

    def forward(self, layer: Any, verb: str = "forward") -> Tensors:
        return oracle.forward(layer, self.case, self.data, verb)

    def backward(self, layer: Any) -> Tensors:
        """The gradients; none of a layer that has no backward."""
        return oracle.backward(layer, self.case, self.data) if hasattr(layer, "backward") else {}

    def judged(self, results: Tensors, when: str = "") -> Iterator[Verdict]:
        """A verdict on each tensor, its name followed by ``when``; of a forward alone on the outputs."""
        truth = truth_of(self.case, self.owner, self.precision)
        for v in verdicts.of_case(self.case, truth, results, "dx" in results, self.precision):
            yield v._replace(tensor=f"{v.tensor}{when}")


def data_of(case: Case, owner: Case) -> Data:
    data = case.data()
    return data if owner == case else data._replace(weights=owner.data().weights)


@lru_cache(maxsize=256)
def truth_of(case: Case, owner: Case, precision: str) -> Truth:
    """What is right on a case with the weights of another."""
    return oracle.truth_on(case, data_of(case, owner), precision)
