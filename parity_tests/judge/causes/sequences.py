"""Misreadings of sequences: time, batch and direction taken for one another, lengths not used."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..cases import Case
from .misreadings import Misreading, by_length
from .reading import Edit, Inputs, Outputs, Reading

Line = tuple[str, tuple[Edit, ...]]  # a sentence, and the code that makes it true
DIRECTION = np.arange(2)[:, None, None]
DIRECTIONS: tuple[Line, ...] = (
    (
        "the reverse direction is not turned round: it runs forwards",
        (
            ("forward", "x[turn] if direction else x", "x"),
            ("forward", "y[turn] if direction else y", "y"),
            ("backward", "dys[direction][turn] if direction else dys[direction]", "dys[direction]"),
            ("backward", "d[turn] if direction else d", "d"),
        ),
    ),
    (
        "the reverse direction's output is not turned back",
        (
            ("forward", "y[turn] if direction else y", "y"),
            ("backward", "dys[direction][turn] if direction else dys[direction]", "dys[direction]"),
        ),
    ),
    (
        "the reverse direction's input is not turned round, but its output is",
        (("forward", "x[turn] if direction else x", "x"), ("backward", "d[turn] if direction else d", "d")),
    ),
    (
        "the forward and reverse halves of every layer's output are exchanged",
        (
            ("forward", "join(*ys)", "join(*ys[::-1])"),
            ("backward", "split(dy, len(layer.runs))", "split(dy, len(layer.runs))[::-1]"),
        ),
    ),
)


def sequences(case: Case) -> Iterator[Misreading]:
    """Time, batch and direction taken for one another."""
    if case.spec.batch_first and min(case.T, case.B) > 1:

        def crossed(v: np.ndarray) -> np.ndarray:
            return v.reshape(v.shape[1], v.shape[0], -1).swapaxes(0, 1)

        def crossed_back(v: np.ndarray) -> np.ndarray:
            return v.swapaxes(0, 1).reshape(v.shape)

        def x(i: Inputs) -> Inputs:
            return i._replace(x=crossed(i.x))

        def y(o: Outputs) -> Outputs:
            return o._replace(y=crossed_back(o.y))

        yield Misreading("batch_first reshapes x and y where it should transpose", (Reading(inputs=x, outputs=y),))
        yield Misreading("batch_first reshapes x where it should transpose", (Reading(inputs=x),))
        yield Misreading("batch_first reshapes y where it should transpose", (Reading(outputs=y),))
    if case.spec.bidirectional:
        for sentence, edits in DIRECTIONS:
            yield Misreading(sentence, (Reading(room="cells/stack", edits=edits),))


def without_lengths(case: Case, lengths: tuple[int, ...]) -> Iterator[Misreading]:
    """Lengths are not used, or not everywhere."""
    spec, dense, P = case.spec, replace(case, lengths=None), case.spec.state_sizes[0]
    runs = np.arange(case.T) < np.array(lengths)[:, None]  # (B, T)
    runs = (runs if spec.batch_first else runs.T)[:, :, None]

    def masked(o: Outputs) -> Outputs:
        return o._replace(y=np.where(runs, o.y, 0))

    def half(direction: int) -> Reading:
        own = np.arange(2 * P) // P == direction

        def part(o: Outputs) -> Outputs:
            return Outputs(np.where(runs & own, o.y, 0), tuple(np.where(direction == DIRECTION, v, 0) for v in o.state))

        return Reading(case=dense if direction else case, outputs=part)

    if min(lengths) < case.T:
        ignored = "the lengths are ignored: the whole padded sequence is run through"
        yield Misreading(ignored, (Reading(case=dense),))
        yield Misreading(f"{ignored}, and only y is set to zero past the ends", (Reading(case=dense, outputs=masked),))
        if spec.bidirectional and spec.num_layers == 1:
            yield Misreading("the reverse direction runs over the padding", (half(0), half(1)))
        early = np.array(lengths)[:, None] < case.T
        zero = "the final states of sequences that end before the longest are zero"
        yield Misreading(zero, (Reading(outputs=lambda o: o._replace(state=tuple(np.where(early, 0, v) for v in o.state))),))
    in_order = tuple(lengths[k] for k in by_length(case))
    if lengths != in_order:
        yield Misreading("the lengths are sorted, but not the sequences", (Reading(case=replace(case, lengths=in_order)),))
