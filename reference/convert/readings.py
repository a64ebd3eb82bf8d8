"""Ways in which weights, inputs and outputs are misread: each the definition with one thing read otherwise."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from ..common.arrays import Array
from .conventions import GATES, TABLE
from .stacks import Stack

Outputs = tuple[Array, ...]  # y (T, B, D·H), h_n (L·D, B, H), and for LSTM c_n


class Case(NamedTuple):
    """What the definition is run on, and what becomes of its outputs."""

    stack: Stack
    x: Array  # (T, B, I)
    state: tuple[Array, ...] | None
    after: tuple[Callable[[Outputs], Outputs], ...] = ()


C = TypeVar("C")  # what a reading is of: a Case, or a pair of outputs


class Reading(NamedTuple, Generic[C]):
    """One thing read otherwise."""

    about: str  # two readings about one thing do not go together
    sentence: str
    change: Callable[[C], C]


def readings(case: Case) -> list[Reading[Case]]:
    """All that apply, in the order in which two of them are applied."""
    kinds = (layouts, orders, signs, biases, options, directions, inputs, states, outputs)
    return [reading for kind in kinds for reading in kind(case)]


def weights(about: str, sentence: str, change: Callable[[str, Array], Array]) -> Reading[Case]:
    """``change`` takes the name of a parameter, such as weight_ih_l0, and its value."""

    def changed(case: Case) -> Case:
        new = {name: change(name, v) for name, v in case.stack.weights.items()}
        return case._replace(stack=case.stack._replace(weights=new))

    return Reading(about, sentence, changed)


def layouts(case: Case) -> Iterator[Reading[Case]]:
    """A weight lies otherwise."""
    if "weight_hr_l0" in case.stack.weights:
        return
    G = len(GATES[case.stack.cell])

    def blocks_transposed(name: str, v: Array) -> Array:
        return np.concatenate([block.T for block in np.split(v, G)]) if name.startswith("weight_hh") else v

    def refilled(which: str) -> Callable[[str, Array], Array]:
        return lambda name, v: v.reshape(v.shape[::-1]).T if name.startswith(which) else v

    yield weights("layout", "each gate's block of weight_hh is transposed", blocks_transposed)
    yield weights("layout", "the weights are (in, G·H), and were reshaped where they should be transposed", refilled("weight"))
    if G > 1:  # or it is the first
        yield weights("layout", "weight_hh is (H, G·H), and was reshaped where it should be transposed", refilled("weight_hh"))


def orders(case: Case) -> Iterator[Reading[Case]]:
    """The gates are stacked in another order; those of a library first."""
    ours = GATES[case.stack.cell]
    known: dict[str, tuple[str, str]] = {}
    for c in TABLE:
        if c.cell == case.stack.cell:
            letters, libraries = known.get(c.gates, (c.own, ""))
            known[c.gates] = letters, ", ".join(dict.fromkeys([*filter(None, libraries.split(", ")), c.library]))
    every = sorted(map("".join, permutations(ours)), key=lambda order: (order not in known, inverse(order, ours) not in known))
    for order in every:
        if order == ours:
            continue
        if order in known:
            sentence = f"these are {known[order][0]} weights ({known[order][1]}) read as {ours}"
        elif inverse(order, ours) in known:
            own, libraries = known[inverse(order, ours)]
            sentence = f"{ours} weights were put into the order {own} ({libraries}) and read as {ours}"
        else:
            sentence = f"these are {order} weights, an order of no library here, read as {ours}"
        yield weights("order", sentence, partial(reordered, order, ours))


def inverse(order: str, ours: str) -> str:
    """The order which, taken after ``order``, is ours again."""
    return "".join(ours[order.index(gate)] for gate in ours)


def reordered(order: str, ours: str, name: str, v: Array) -> Array:
    """Blocks that are stacked as ``order`` says, in our order."""
    if name.startswith("weight_hr"):
        return v
    blocks = dict(zip(order, np.split(v, len(order)), strict=True))
    return np.concatenate([blocks[gate] for gate in ours])


def gate_changed(gate: str, cell: str, change: Callable[[Array], Array], names: str = "") -> Callable[[str, Array], Array]:
    """Change the block of one gate in every parameter whose name begins so."""

    def changed(name: str, v: Array) -> Array:
        if not name.startswith(names):
            return v
        blocks = np.split(v, len(GATES[cell]))
        return np.concatenate([change(b) if g == gate else b for g, b in zip(GATES[cell], blocks, strict=True)])

    return changed


def signs(case: Case) -> Iterator[Reading[Case]]:
    if case.stack.cell == "gru":
        yield weights("sign", "z is inverted: it keeps the candidate, not the old state", gate_changed("z", "gru", np.negative))


def biases(case: Case) -> Iterator[Reading[Case]]:
    """A bias is lost, counted twice, or held in another place."""
    cell = case.stack.cell
    if "bias_ih_l0" not in case.stack.weights:
        return
    if cell == "lstm":
        yield weights("bias", "1 is added to the bias of f", gate_changed("f", cell, lambda b: b + b.dtype.type(1), "bias_ih"))
        yield weights("bias", "the 1 in the bias of f was lost", gate_changed("f", cell, lambda b: b - b.dtype.type(1), "bias_ih"))
    if cell == "gru":
        yield Reading("bias", "b_hn was folded into b_in", folded)
        yield weights("bias", "b_hn was lost", gate_changed("n", cell, np.zeros_like, "bias_hh"))
    for names, lost in (("bias_ih", "b_ih was"), ("bias_hh", "b_hh was"), ("bias", "both biases were")):
        yield weights("bias", f"{lost} lost", partial(without, names))
    yield Reading("bias", "the sum of the biases is in both of them", doubled)


def without(names: str, name: str, v: Array) -> Array:
    return 0 * v if name.startswith(names) else v


def doubled(case: Case) -> Case:
    """b_ih + b_hh for each of them."""
    other = {k: k.replace("_ih", "_hh") if "_ih" in k else k.replace("_hh", "_ih") for k in case.stack.weights}
    new = {k: v + case.stack.weights[other[k]] if k.startswith("bias") else v for k, v in case.stack.weights.items()}
    return case._replace(stack=case.stack._replace(weights=new))


def folded(case: Case) -> Case:
    """b_in + b_hn for b_in, and 0 for b_hn."""
    new = dict(case.stack.weights)
    for name, b_hh in case.stack.weights.items():
        if name.startswith("bias_hh"):
            b_ih, two = new[name.replace("hh", "ih", 1)], 2 * len(b_hh) // 3
            new[name.replace("hh", "ih", 1)] = np.concatenate([b_ih[:two], b_ih[two:] + b_hh[two:]])
            new[name] = np.concatenate([b_hh[:two], 0 * b_hh[two:]])
    return case._replace(stack=case.stack._replace(weights=new))


def options(case: Case) -> Iterator[Reading[Case]]:
    """Another variant of the cell."""
    if case.stack.cell == "gru":
        other = case.stack._replace(reset_after=not case.stack.reset_after)
        when = "after" if other.reset_after else "before"
        yield Reading(
            "option",
            f"the reset acts {when} the recurrent product",
            lambda k: k._replace(stack=k.stack._replace(reset_after=other.reset_after)),
        )
    if case.stack.cell == "rnn":
        phi = "relu" if case.stack.nonlinearity == "tanh" else "tanh"
        yield Reading("option", f"the nonlinearity is {phi}", lambda k: k._replace(stack=k.stack._replace(nonlinearity=phi)))


def directions(case: Case) -> Iterator[Reading[Case]]:
    if case.stack.bidirectional:

        def exchanged(k: Case) -> Case:
            other = {n: n.removesuffix("_reverse") if n.endswith("_reverse") else f"{n}_reverse" for n in k.stack.weights}
            return k._replace(stack=k.stack._replace(weights={n: k.stack.weights[other[n]] for n in k.stack.weights}))

        yield Reading("direction", "the weights of the two directions are exchanged", exchanged)


def then(case: Case, *changes: Callable[[Outputs], Outputs], **more: Any) -> Case:
    """The case with changes of its outputs after those it has."""
    return case._replace(after=(*case.after, *changes), **more)


def of_y(change: Callable[[Array], Array]) -> Callable[[Outputs], Outputs]:
    return lambda out: (change(out[0]), *out[1:])


def inputs(case: Case) -> Iterator[Reading[Case]]:
    """The axes and the order of x."""
    exchange = of_y(lambda y: y.swapaxes(0, 1))
    yield Reading(
        "time", "x and y are batch first, (B, T, ·), read as (T, B, ·)", lambda k: then(k, exchange, x=k.x.swapaxes(0, 1))
    )
    yield Reading("time", "x goes in from its last step to its first", lambda k: then(k, x=k.x[::-1]))
    yield Reading("time", "the layer runs from the last step to the first", lambda k: then(k, of_y(lambda y: y[::-1]), x=k.x[::-1]))


def states(case: Case) -> Iterator[Reading[Case]]:
    """What the initial and the final state are."""
    if case.state is not None:
        yield Reading("state", "the initial state was not used", lambda k: k._replace(state=None))
        if len(case.state) == 2:
            yield Reading(
                "state",
                "the state is (c, h), read as (h, c)",
                lambda k: then(k, lambda out: (out[0], *out[:0:-1]), state=k.state and k.state[::-1]),
            )
            yield Reading("state", "the initial h and c are exchanged", lambda k: k._replace(state=k.state and k.state[::-1]))
    if case.stack.cell == "lstm":
        yield Reading("state", "the final h and c are exchanged", lambda k: then(k, lambda out: (out[0], *out[:0:-1])))


def outputs(case: Case) -> Iterator[Reading[Case]]:
    """How y is put together."""
    yield Reading("y", "y is batch first, (B, T, ·), and x is not", lambda k: then(k, of_y(lambda y: y.swapaxes(0, 1))))
    yield Reading("y", "y is in the reverse order of time", lambda k: then(k, of_y(lambda y: y[::-1])))
    if case.stack.bidirectional:
        yield Reading("y", "the halves of y are exchanged: reverse | forward", lambda k: then(k, of_y(halves_exchanged)))
        yield Reading(
            "y", "the reverse half of y is in its order of computation, last step first", lambda k: then(k, of_y(reverse_flipped))
        )


def halves(y: Array) -> Sequence[Array]:
    return np.split(y, 2, -1)


def halves_exchanged(y: Array) -> Array:
    return np.concatenate(halves(y)[::-1], -1)


def reverse_flipped(y: Array) -> Array:
    forward, reverse = halves(y)
    return np.concatenate([forward, reverse[::-1]], -1)
