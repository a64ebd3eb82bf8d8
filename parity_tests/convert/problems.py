"""Random layers in the conventions of a row, and what is right for them: the parity rule (notes/judge/tolerances.md) on y and
the final states, ``reference`` in longdouble the oracle."""

from typing import NamedTuple

import numpy as np

from parity_tests.judge.tolerance import judge
from reference.cells import gru, lstm, rnn
from reference.convert.conventions import GATES, TABLE, Convention
from reference.convert.stacks import Stack

from .libraries import RUN, dtype_of

T, B, I, H = 3, 2, 4, 5
ROOMS = {"rnn": rnn, "lstm": lstm, "gru": gru}
CHECKED = [c for c in TABLE if not c.source]
CASES = [(c, reset) for c in CHECKED for reset in c.resets or (True,)]
ids = {"ids": lambda v: v.layer if isinstance(v, Convention) else f"after={v}"}


class Problem(NamedTuple):
    stack: Stack
    x: np.ndarray  # (T, B, I)
    state: tuple  # (B, H) each


def problem(c: Convention, reset_after: bool = True, seed: int = 0, layers: int = 1, directions: int = 1) -> Problem:
    """All standard normal, in float64, but what the row's layer can hold; b_hn zero where it has none."""
    draw, dtype = np.random.default_rng(seed).standard_normal, dtype_of(c)

    def normal(*shape: int) -> np.ndarray:
        return draw(shape).astype(dtype).astype(np.float64)

    G, weights = len(GATES[c.cell]), {}
    for k in range(layers):
        for ending in (f"_l{k}", f"_l{k}_reverse")[:directions]:
            width = directions * H if k else I
            weights[f"weight_ih{ending}"], weights[f"weight_hh{ending}"] = normal(G * H, width), normal(G * H, H)
            weights[f"bias_ih{ending}"], weights[f"bias_hh{ending}"] = normal(G * H), normal(G * H)
            if c.biases == "no b_hn":
                weights[f"bias_hh{ending}"][-H:] = 0
    states = tuple(normal(*((layers * directions,) if layers * directions > 1 else ()), B, H) for _ in ROOMS[c.cell].State._fields)
    return Problem(Stack(c.cell, weights, reset_after, c.nonlinearities[0]), normal(T, B, I), states)


def expected(p: Problem, dtype) -> list[np.ndarray]:
    """[y, h_n] or [y, h_n, c_n] by reference, in a dtype."""
    one = p.state[0].ndim == 2
    state = tuple((v[None] if one else v).astype(dtype) for v in p.state)
    y, s_n = p.stack.layer(dtype)(p.x.astype(dtype), state if len(state) == 2 else state[0])
    return [y, *(v[0] if one else v for v in (s_n if isinstance(s_n, tuple) else (s_n,)))]


def computed(c: Convention, arrays: dict, p: Problem) -> list[np.ndarray]:
    """By the real layer of a library, from arrays by its names."""
    dtype = dtype_of(c)
    arrays = {name: v.astype(dtype) for name, v in arrays.items()}
    return RUN[c.library](c, arrays, p.x.astype(dtype), tuple(v.astype(dtype) for v in p.state), p.stack.reset_after)


def agree(given: list, p: Problem, dtype: str) -> bool:
    """Whether outputs are, by the parity rule, those of reference."""
    oracle, baseline = expected(p, np.longdouble), expected(p, dtype)
    assert len(given) == len(oracle)
    assert {np.asarray(v).dtype.name for v in given} == {dtype}
    return all(judge("", v, [b], o, dtype).ok for v, b, o in zip(given, baseline, oracle, strict=True))
