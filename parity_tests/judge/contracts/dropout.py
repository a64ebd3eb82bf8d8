"""What dropout between layers must do, whatever masks an implementation draws.

``spec.dropout`` is above 0, ``spec.masks`` False: ``forward`` is training and draws its own, ``infer`` is evaluation.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .. import oracle
from ..cases import Case, Data
from ..oracle import Tensors
from ..tolerance import Verdict
from ..verdicts import of_case, refused, same
from .call import DeclinedError, Loader

FORWARDS = 20  # of T · B · hidden_size masks each
FAINT = {"weight_ih_l1": 0.02, "weight_hh_l0": 0.3, "weight_hh_l1": 0.3}  # both layers forget, the second is nearly linear
KEPT = 0.1  # how far the mean may be off: ten standard deviations of these masks, a third of what a missing scale is


def loaded(load: Loader, data: Data) -> Any:
    """The layer.  DeclinedError: its training is not told from its evaluation."""
    layer = load(data.weights)
    if not hasattr(layer, "infer"):
        raise DeclinedError("has no infer(x, state, lengths): its evaluation is not told from training with dropout")
    return layer


def certain(case: Case, data: Data, p: int) -> tuple[Case, Data]:
    """The same with a dropout of 0 or 1, whose masks are not a matter of chance."""
    s = case.spec
    N, width = case.T * case.B, s.state_sizes[0] * (1 + s.bidirectional)
    masks = [np.zeros((N, width), bool)] * (s.num_layers - 1) if p else None
    return replace(case, spec=replace(s, dropout=float(p), masks=True), contract=""), data._replace(masks=masks)


def judged(load: Loader, case: Case, data: Data, results: Tensors, p: int) -> Iterator[Verdict]:
    """By the definition with this dropout."""
    case, data = certain(case, data, p)
    return of_case(case, oracle.truth_on(case, data, load.precision), results, "dx" in results, load.precision)


def dropout_not_in_evaluation(load: Loader, case: Case) -> Iterator[Verdict]:
    """pytorch #180744, keras PR #19645: evaluation has no dropout, after a training step either."""
    data = case.data()
    layer = loaded(load, data)
    for when in ("", ", after a training forward"):
        for v in judged(load, case, data, oracle.forward(layer, case, data, "infer"), 0):
            yield v._replace(tensor=v.tensor + when)
        oracle.forward(layer, case, data)


def dropout_new_each_call(load: Loader, case: Case) -> Iterator[Verdict]:
    """pytorch PR #185351: one mask for ever; tensorflow #6466: no dropout at all."""
    data = case.data()
    layer = loaded(load, data)
    without = oracle.forward(layer, case, data, "infer")
    first, second = (np.copy(oracle.forward(layer, case, data)["y"]) for _ in range(2))
    if same(first, second):
        same_as = "as without dropout" if np.allclose(first, without["y"]) else "each time: one mask for all calls"
        yield refused("y", "dropout", f"is the same {same_as}; spec.dropout is {case.spec.dropout:g}")
    else:
        yield Verdict("y", None, None, True, why="dropout")


def dropout_keeps_the_mean(load: Loader, case: Case) -> Iterator[Verdict]:
    """What is kept is divided by 1 - p, and so is its gradient: over many masks, what the second layer is given, and what it
    gives back, is what it is without dropout (#190056: not so in the backward)."""
    data = case.data()
    faint = {k: (FAINT[k] * data.weights[k]).astype(data.x.dtype) for k in FAINT}
    data = data._replace(weights=data.weights | faint, dstate=tuple(0 * v for v in data.dstate))
    layer = loaded(load, data)
    samples = [oracle.compute(layer, case, data) for _ in range(FORWARDS)]
    exact = data._replace(**oracle.transform(data._asdict(), lambda v: v.astype(float)))
    whole, nothing = (oracle.define(*certain(case, exact, p)) for p in (0, 1))
    for name in (k for k in ("y", "dx") if k in samples[0]):
        mean, reach = np.mean([v[name].astype(float) for v in samples], axis=0), whole[name] - nothing[name]
        kept = float(((mean - nothing[name]) * reach).sum() / (reach**2).sum())
        if abs(kept - 1) <= KEPT:
            yield Verdict(name, None, None, True, why="dropout")
        else:
            yield refused(name, "dropout", f"keeps {kept:.2f} of the mean with dropout {case.spec.dropout:g}, not 1")


def dropout_of_everything(load: Loader, case: Case) -> Iterator[Verdict]:
    """pytorch #190057: with p = 1 the second layer is given zeros, finite ones, and sends no gradient down (#190056)."""
    data = case.data()
    yield from judged(load, case, data, oracle.compute(loaded(load, data), case, data), 1)
