"""What a layer may not keep from one call to the next, or share with another layer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..cases import Case
from ..oracle import Tensors
from ..tolerance import Verdict
from ..verdicts import refused, same
from .call import Call, DeclinedError, Loader

FORWARDS = 1000
FORMS: tuple[dict[str, Any], ...] = {}, {}, {"state": False}, {"T": 7, "B": 2}, {"T": 3, "B": 6, "state": False}, {}
LENGTHS = ((2, 5, 1, 4), (5, 1, 3, 3), (5, 5, 5, 5), (4, 1, 7, 2, 2), (1, 2))


def forms(case: Case) -> list[Case]:
    """The calls of ``other_data``, each a case of its own but for the weights."""
    return [replace(case, label=f"call{k}", **form) for k, form in enumerate(FORMS, 1)]


def given_lengths(case: Case) -> list[Case]:
    """Likewise those of ``other_lengths``."""
    return [replace(case, T=max(n), B=len(n), lengths=n, label=f"call{k}") for k, n in enumerate(LENGTHS, 1)]


class Kept:
    """Results, and what they were."""

    def __init__(self, results: Tensors):
        self.results, self.then = results, {name: np.copy(v) for name, v in results.items()}

    def unchanged(self, when: str) -> Iterator[Verdict]:
        """A verdict against each that a later call has written to."""
        for name, v in self.results.items():
            if not same(v, self.then[name]):
                yield refused(f"{name}{when}", "changed", "was written to by a later call; results belong to the caller")


def other_data(load: Loader, case: Case) -> Iterator[Verdict]:
    """Each call of one layer is answered by itself: other data; another T and B; with and without a state.

    onnxruntime #19270, coremltools #263, Element-Research/rnn #211, tensorflow #32299
    """
    yield from _one_after_another(load, case, forms(case))


def other_lengths(load: Loader, case: Case) -> Iterator[Verdict]:
    """Likewise where lengths are given, each call's others.  triton #808: those of the first call stayed in force"""
    yield from _one_after_another(load, case, given_lengths(case))


def _one_after_another(load: Loader, case: Case, cases: Sequence[Case]) -> Iterator[Verdict]:
    """Every call's results, when it is made and after the last one."""
    calls = [Call(load, each, owner=case) for each in cases]
    layer, kept = load(calls[0].data.weights), list[Kept]()
    for k, call in enumerate(calls, 1):
        kept.append(Kept(call.run(layer)))
        yield from call.judged(kept[-1].then, f", call {k}")
    for k, results in enumerate(kept, 1):
        yield from results.unchanged(f", call {k}")


def two_layers(load: Loader, case: Case) -> Iterator[Verdict]:
    """Two layers alive: A forward, B forward, A backward, B backward.  dynet #1335, dl4j #3731: one workspace for both"""
    calls = [Call(load, replace(case, label=label)) for label in ("A", "B")]
    layers = [load(call.data.weights) for call in calls]
    forwards = [call.forward(layer) for call, layer in zip(calls, layers, strict=True)]
    for name, call, layer, outputs in zip("AB", calls, layers, forwards, strict=True):
        yield from call.judged(outputs | call.backward(layer), f", layer {name}")


def last_forward(load: Loader, case: Case) -> Iterator[Verdict]:
    """A backward is that of the last forward; an earlier one without a backward leaves nothing behind."""
    first, last = Call(load, replace(case, T=6, label="first"), owner=case), Call(load, replace(case, label="last"), owner=case)
    layer = load(last.data.weights)
    yield from first.judged(first.forward(layer), ", first forward")
    yield from last.judged(last.forward(layer) | last.backward(layer), ", second forward")


def inference(load: Loader, case: Case) -> Iterator[Verdict]:
    """``infer`` gives what ``forward`` does, on any data, and touches nothing: neither results nor the backward to come."""
    first, other = Call(load, replace(case, label="first"), owner=case), Call(load, replace(case, label="other"), owner=case)
    layer = load(first.data.weights)
    if not hasattr(layer, "infer"):
        raise DeclinedError("has no infer(x, state, lengths)")
    outputs, inferred = Kept(first.forward(layer)), Kept(first.forward(layer, "infer"))
    yield from first.judged(inferred.then, ", infer")
    yield from other.judged(other.forward(layer, "infer"), ", second infer")
    yield from first.judged(outputs.then | first.backward(layer))
    yield from outputs.unchanged("")
    yield from inferred.unchanged(", infer")
    yield from other.judged(other.forward(layer) | other.backward(layer), ", forward after infer")


def thousand_forwards(load: Loader, case: Case) -> Iterator[Verdict]:
    """The same call a thousand times: each answer is right, also that of a race which shows once, and one before them stays."""
    call, before = Call(load, case), Call(load, replace(case, label="before"), owner=case)
    layer = load(call.data.weights)
    early, first = Kept(before.forward(layer)), Kept(call.forward(layer))
    yield from call.judged(first.then)
    for k in range(2, FORWARDS + 1):
        results = call.forward(layer)
        if not same(results, first.then):  # a sum in another order is no fault, a wrong number is
            wrong = [v for v in call.judged(results, f", forward {k}") if not v.ok]
            yield from wrong
            if wrong:
                return
    yield from early.unchanged(", of a call before")
