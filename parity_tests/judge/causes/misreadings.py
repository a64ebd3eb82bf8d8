"""Misreadings that people are known to make: the sentences of a report, each with the definition read in that way."""

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import NamedTuple

import numpy as np

from ..cases import GATES, Case
from ..oracle import Tensors
from .reading import Inputs, Outputs, Reading, States, same, with_spec

Change = Callable[[str, np.ndarray], np.ndarray]  # of a weight, by its name


class Misreading(NamedTuple):
    """What the definition gives if ... ; several readings are added up."""

    sentence: str
    readings: tuple[Reading, ...] = ()
    gradients: Callable[[Tensors], Tensors] = same  # without readings: what becomes of the right gradients


def weights(case: Case) -> Iterator[Misreading]:
    """The weights and biases are taken for others."""
    spec = case.spec
    for order, sign, sentence in orders(spec.cell):
        yield _weights(sentence, _gates(order, sign))
    yield _weights("weight_hh is transposed", lambda k, w: _transposed(w) if "weight_hh" in k else w)
    reshaped = "the weights are reshaped where they should be transposed"
    yield _weights(reshaped, lambda k, w: w.reshape(w.shape[::-1]).T if w.ndim == 2 else w)
    if spec.bidirectional:
        shared = {k: k.removesuffix("_reverse") for k in spec.weight_shapes()}
        exchanged = {k: v if k != v else f"{k}_reverse" for k, v in shared.items()}
        yield _named("both directions have the weights of the forward one", shared)
        yield _named("the weights of the two directions are exchanged", exchanged)
    if spec.bias:
        yield from biases(case)


def orders(cell: str) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], str]]:
    """Which block of rows each gate is taken from, with which sign: σ(-a) is 1 - σ(a)."""
    gates = GATES[cell]
    straight, plus = tuple(range(len(gates))), (1,) * len(gates)
    for order in permutations(straight):
        if order != straight:
            name = " ".join(gates[k] for k in order)
            yield order, plus, f"the gates are read in the order {name}, not {' '.join(gates)}"
    if cell == "lstm":
        yield (0, 0, 2, 3), (1, -1, 1, 1), "the forget gate is 1 - i (coupled gates)"
        yield (1, 1, 2, 3), (-1, 1, 1, 1), "the input gate is 1 - f (coupled gates)"
    if cell == "gru":
        yield straight, (1, -1, 1), "the update gate keeps the candidate, not the old state"


def biases(case: Case) -> Iterator[Misreading]:
    """A bias is lost: everywhere, in one direction, in deeper layers, in one gate."""
    places: dict[str, Callable[[str], bool]] = {"": lambda k: True}
    if case.spec.bidirectional:
        places[" in the reverse direction"] = lambda k: k.endswith("_reverse")
    if case.spec.num_layers > 1:
        places[" in all layers but the first"] = lambda k: "_l0" not in k
    for where, holds in places.items():
        for which, letters in (("bias_ih is", "bias_ih"), ("bias_hh is", "bias_hh"), ("both biases are", "bias")):
            yield _weights(f"{which} left out{where}", _without(letters, holds))
    yield _named("bias_ih is added twice, bias_hh never", {k: k.replace("bias_hh", "bias_ih") for k in case.spec.weight_shapes()})
    if case.spec.cell == "gru":
        two = 2 * case.spec.hidden_size
        hidden = "the hidden bias of n, b_hn, is left out"
        yield _weights(hidden, lambda k, w: np.concatenate([w[:two], 0 * w[two:]]) if "bias_hh" in k else w)


def states(case: Case) -> Iterator[Misreading]:
    """The initial state is taken for another."""
    spec = case.spec
    L, D = spec.num_layers, 1 + spec.bidirectional
    row = np.arange(L * D)
    yield _states("the initial state is left out", lambda v: 0 * v)
    if spec.cell == "lstm":
        yield _all_states("the initial cell state is left out", lambda s: (s[0], 0 * s[1]))
        yield _all_states("the initial hidden state is left out", lambda s: (0 * s[0], s[1]))
        if not spec.proj_size:
            yield _all_states("h and c of the initial state are exchanged", lambda s: s[::-1])
    if L > 1:
        yield _states("the initial states of all layers but the first are left out", lambda v: _at(row < D, v))
        yield _states("every layer starts from the first layer's state", lambda v: v[row % D])
    if D > 1:
        yield _states("the reverse direction starts from forward's initial state", lambda v: v[row - row % 2])
        yield _states("the reverse direction's initial state is left out", lambda v: _at(row % 2 == 0, v))
    if L > 1 and D > 1:
        yield _states("the initial states are read direction by direction, not layer by layer", lambda v: v[row % D * L + row // D])
    if case.B > 1:
        yield _states("the first sequence's initial state is used for all", lambda v: v[:, np.zeros(case.B, int)])
        if L * D > 1:
            yield _states("the initial state is read batch first", lambda v: v.reshape(case.B, L * D, -1).swapaxes(0, 1))
    if case.lengths and not _is_sorted(case):
        back = np.argsort(by_length(case), kind="stable")
        yield _states("the initial states are not sorted with the sequences", lambda v: v[:, back])


def options(case: Case) -> Iterator[Misreading]:
    """Another variant of the cell."""
    if case.spec.cell == "gru":
        when = "before" if case.spec.reset_after else "after"
        other = with_spec(case, reset_after=when == "after")
        yield Misreading(f"the reset acts {when} the recurrent product", (Reading(case=other),))
    if case.spec.cell == "rnn":
        phi = "relu" if case.spec.nonlinearity == "tanh" else "tanh"
        yield Misreading(f"the nonlinearity is {phi}", (Reading(case=with_spec(case, nonlinearity=phi)),))


def outputs(case: Case) -> Iterator[Misreading]:
    """What is returned is put together wrongly."""
    spec, batch = case.spec, 1 - case.spec.batch_first
    L, D, P = spec.num_layers, 1 + spec.bidirectional, spec.state_sizes[0]
    row = np.arange(L * D)
    if D > 1:
        halves = "the forward and reverse halves of y are exchanged"
        yield _outputs(halves, lambda o: o._replace(y=np.concatenate([o.y[..., P:], o.y[..., :P]], -1)))
        last = "the reverse direction's h_n is taken at the last step of y, not at the first"
        yield _outputs(last, lambda o: _with_h(o, row == L * D - 1, _step(case, o.y, -1)[..., P:]))
        if L > 1:
            by_direction = "the final states are returned direction by direction, not layer by layer"
            yield _outputs(by_direction, lambda o: o._replace(state=tuple(v[row % L * D + row // L] for v in o.state)))
    if spec.cell == "lstm" and not spec.proj_size:
        yield _outputs("h_n and c_n are exchanged", lambda o: o._replace(state=o.state[::-1]))
    if case.lengths:
        h_n = "h_n is y at the batch's last step, whatever the lengths"
        yield _outputs(h_n, lambda o: _with_h(o, row == (L - 1) * D, _step(case, o.y, -1)[..., :P]))
    if case.lengths and not _is_sorted(case):
        order = by_length(case)
        left = "left in the order of the sorted lengths"

        def sorted_states(states: States) -> States:
            return tuple(v[:, order] for v in states)

        yield _outputs(f"the final states are {left}", lambda o: o._replace(state=sorted_states(o.state)))
        yield _outputs(f"y is {left}", lambda o: o._replace(y=o.y.take(order, batch)))
        yield _outputs(f"y and the final states are {left}", lambda o: Outputs(o.y.take(order, batch), sorted_states(o.state)))


def by_length(case: Case) -> np.ndarray:
    """The sequences from the longest to the shortest, ties as they come."""
    return np.argsort(-np.array(case.lengths), kind="stable")


def _is_sorted(case: Case) -> bool:
    return list(by_length(case)) == list(range(case.B))


def _step(case: Case, y: np.ndarray, t: int) -> np.ndarray:
    return y[:, t] if case.spec.batch_first else y[t]


def _at(rows: np.ndarray, v: np.ndarray) -> np.ndarray:
    """These rows of a state, and nothing in the others."""
    return np.where(rows[:, None, None], v, 0)


def _with_h(o: Outputs, rows: np.ndarray, h: np.ndarray) -> Outputs:
    """The outputs with another h_n in these rows."""
    return o._replace(state=(np.where(rows[:, None, None], h, o.state[0]), *o.state[1:]))


def _weights(sentence: str, change: Change) -> Misreading:
    return _inputs(sentence, lambda i: i._replace(weights={k: change(k, w) for k, w in i.weights.items()}))


def _named(sentence: str, names: dict[str, str]) -> Misreading:
    """Each weight is the one of another name."""
    return _inputs(sentence, lambda i: i._replace(weights={k: i.weights[names[k]] for k in i.weights}))


def _states(sentence: str, change: Callable[[np.ndarray], np.ndarray]) -> Misreading:
    return _all_states(sentence, lambda state: tuple(map(change, state)))


def _all_states(sentence: str, change: Callable[[States], States]) -> Misreading:
    return _inputs(sentence, lambda i: i._replace(state=change(i.state)))


def _inputs(sentence: str, change: Callable[[Inputs], Inputs]) -> Misreading:
    return Misreading(sentence, (Reading(inputs=change),))


def _outputs(sentence: str, change: Callable[[Outputs], Outputs]) -> Misreading:
    return Misreading(sentence, (Reading(outputs=change),))


def _without(letters: str, holds: Callable[[str], bool]) -> Change:
    """Without those weights of whose names something holds."""
    return lambda name, w: 0 * w if letters in name and holds(name) else w


def _gates(order: tuple[int, ...], sign: tuple[int, ...]) -> Change:
    """Each gate's blocks taken from another place; a projection has no gates."""
    return lambda name, w: w if "weight_hr" in name else _blocks(w, order, sign)


def _blocks(w: np.ndarray, order: tuple[int, ...], sign: tuple[int, ...]) -> np.ndarray:
    """The gates' blocks of a weight or bias in another order, or with another sign."""
    parts = np.split(w, len(order))
    return np.concatenate([s * parts[k] for k, s in zip(order, sign, strict=True)])


def _transposed(w: np.ndarray) -> np.ndarray:
    """Each gate's square block transposed; a projection's blocks are not square and stay."""
    H = w.shape[1]
    return np.concatenate([b.T for b in np.split(w, len(w) // H)]) if len(w) % H == 0 else w
