"""Misreadings of the backward alone: y and the final states are right."""

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from ..cases import GATES, Case
from ..oracle import Tensors
from .misreadings import Misreading, by_length
from .reading import Outputs, Reading

Change = Callable[[str, np.ndarray, Tensors], np.ndarray]  # of a gradient, by its name, with all the others at hand

# That only a step's own y, and the final state, reach what comes before it.
CARRIED = ("deltas", "dh[t + 1] += dy[t]", "dh[t + 1] = dy[t] + (dh[t + 1] if t + 1 == len(dy) else 0)")
CELL = ("deltas", "dc[t + 1]", "dc[t + 1] if t + 1 == len(dy) else 0 * dc[t + 1]")
DIRECTIONS = (
    ("the gradient of x comes from the forward direction only", ("backward", "dx + d", "dx")),
    ("the gradient of x comes from the reverse direction only", ("backward", "dx + d", "d")),
    (
        "the reverse direction's gradient is not turned round",
        ("backward", "dys[direction][turn] if direction else dys[direction]", "dys[direction]"),
    ),
)


def backwards(case: Case) -> Iterator[Misreading]:
    """All that show in a gradient only."""
    yield from arriving(case)
    yield from returned(case)
    yield from on_the_way(case)


def arriving(case: Case) -> Iterator[Misreading]:
    """A gradient that backward is given is not used."""
    time = int(case.spec.batch_first)
    last = np.arange(case.T) == np.array(case.lengths or [case.T] * case.B)[:, None] - 1  # (B, T)
    own = (last if time else last.T)[:, :, None]
    of_batch = np.expand_dims(np.arange(case.T) == case.T - 1, (0, 2) if time else (1, 2))
    yield _upstream("the gradient of y is not used", lambda o: o._replace(y=0 * o.y))
    yield _upstream("the gradient of y is used at the last step only", lambda o: o._replace(y=np.where(own, o.y, 0)))
    if case.lengths:
        at = "the gradient of y is used at the batch's last step only"
        yield _upstream(at, lambda o: o._replace(y=np.where(of_batch, o.y, 0)))
        back = np.argsort(by_length(case), kind="stable")
        unsorted = "the gradient of y is not sorted with the sequences"
        yield _upstream(unsorted, lambda o: o._replace(y=o.y.take(back, 1 - time)))
        unsorted = "the gradients of the final states are not sorted with the sequences"
        yield _upstream(unsorted, lambda o: o._replace(state=tuple(v[:, back] for v in o.state)))
    yield _upstream("the gradients of the final states are not used", lambda o: o._replace(state=tuple(0 * v for v in o.state)))
    if case.spec.cell == "lstm":
        yield _upstream("the gradient of c_n is not used", lambda o: o._replace(state=(o.state[0], 0 * o.state[1])))
        yield _upstream("the gradient of h_n is not used", lambda o: o._replace(state=(0 * o.state[0], o.state[1])))
    if case.spec.bidirectional:
        reverse = np.arange(2 * case.spec.num_layers)[:, None, None] % 2 == 1
        kept = "the gradients of the reverse direction's final states are not used"
        yield _upstream(kept, lambda o: o._replace(state=tuple(np.where(reverse, 0, v) for v in o.state)))


def returned(case: Case) -> Iterator[Misreading]:
    """A gradient is lost, scaled, or another one, after it was computed."""
    yield _of("the gradients of the initial states are zero", lambda k, v, d: 0 * v if k in ("dh_0", "dc_0") else v)
    if case.spec.cell == "lstm":
        yield _of("the gradient of c_0 is zero", lambda k, v, d: 0 * v if k == "dc_0" else v)
        yield _of("the gradient of h_0 is zero", lambda k, v, d: 0 * v if k == "dh_0" else v)
    if case.spec.bias:
        for bias in ("bias_ih", "bias_hh"):
            yield _of(f"the gradient of {bias} is zero", _without(bias))
        if case.spec.cell == "gru" and case.spec.reset_after:
            one = "the gradient of bias_ih is given for bias_hh too"
            yield _of(one, lambda k, v, d: d[k.replace("bias_hh", "bias_ih")] if "bias_hh" in k else v)
            other = "the gradient of bias_hh is given for bias_ih too"
            yield _of(other, lambda k, v, d: d[k.replace("bias_ih", "bias_hh")] if "bias_ih" in k else v)
        yield _of("the gradients of the biases are doubled", lambda k, v, d: 2 * v if "bias" in k else v)
    if case.B > 1:
        yield _of("the gradients of the weights are means over the batch", lambda k, v, d: v / case.B if _is_weight(k) else v)
        yield _of("all gradients are means over the batch", lambda k, v, d: v / case.B if k.startswith("d") else v)
    if case.spec.bidirectional:
        names = {k: k.removesuffix("_reverse") if k.endswith("_reverse") else f"{k}_reverse" for k in case.spec.weight_shapes()}
        exchanged = "the gradients of the two directions' weights are exchanged"
        yield _of(exchanged, lambda k, v, d: d[f"d{names[k[1:]]}"] if _is_weight(k) else v)
    straight = tuple(range(len(GATES[case.spec.cell])))
    for order in permutations(straight):
        if order != straight:
            name = " ".join(GATES[case.spec.cell][g] for g in order)
            yield _of(f"the gradients of the weights have their gates in the order {name}", _gates(order))


def on_the_way(case: Case) -> Iterator[Misreading]:
    """A gradient is lost where it is carried back."""
    cell = case.spec.cell
    if case.T > 1 and not case.lengths:  # a packed batch comes in blocks, each with a last step
        sentence = "the state's gradient is not carried back from step to step"
        yield Misreading(sentence, (Reading(room=f"cells/{cell}", edits=(CARRIED, CELL) if cell == "lstm" else (CARRIED,)),))
        if cell == "lstm":
            for letter, edit in (("h", CARRIED), ("c", CELL)):
                sentence = f"the gradient of {letter} is not carried back from step to step"
                yield Misreading(sentence, (Reading(room="cells/lstm", edits=(edit,)),))
    if case.spec.bidirectional:
        for sentence, edit in DIRECTIONS:
            yield Misreading(sentence, (Reading(room="cells/stack", edits=(edit,)),))


def _upstream(sentence: str, change: Callable[[Outputs], Outputs]) -> Misreading:
    return Misreading(sentence, (Reading(upstream=change),))


def _of(sentence: str, change: Change) -> Misreading:
    return Misreading(sentence, gradients=lambda d: {k: change(k, v, d) for k, v in d.items()})


def _without(letters: str) -> Change:
    return lambda name, v, d: 0 * v if letters in name else v


def _gates(order: tuple[int, ...]) -> Change:
    def change(name: str, v: np.ndarray, d: Tensors) -> np.ndarray:
        if not _is_weight(name) or "weight_hr" in name:
            return v
        parts = np.split(v, len(order))
        return np.concatenate([parts[k] for k in order])

    return change


def _is_weight(name: str) -> bool:
    return name.startswith(("dweight", "dbias"))
