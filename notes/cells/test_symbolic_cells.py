"""The cells by SymPy: notes rnn, lstm, gru.  Three steps of one unit; of two for an RNN, and before a projection."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp

from reference.cells import gru, lstm, rnn

from .. import symbolic_gradients
from ..symbolic_gradients import Symbols, agree, inner, unroll

T, POINTS = 3, 5
CELLS = {
    "rnn": (rnn, {}),
    "rnn-relu": (rnn, {"nonlinearity": "relu"}),
    "lstm": (lstm, {}),
    "lstm-proj": (lstm, {}),
    "gru": (gru, {"reset_after": True}),
    "gru-before": (gru, {"reset_after": False}),
}


def numbers(kind, room, seed):
    """Every leaf of one sequence, and the upstream gradients"""
    draw, G, H, P = np.random.default_rng(seed).standard_normal, len(room.GATES), 1, 1
    leaves = {}
    if room is rnn:
        H = P = 2  # of one unit a transposed W_hh would not be seen
    elif kind == "lstm-proj":
        H, leaves = 2, {"W_hr": draw((1, 2))}
    sizes = dict(zip(room.State._fields, (P, H), strict=False))
    leaves |= {"W_ih": draw((G * H, 1)), "W_hh": draw((G * H, P)), "b_ih": draw(G * H), "b_hh": draw(G * H), "x": draw((T, 1))} | {
        f"{name}_0": draw(n) for name, n in sizes.items()
    }
    return leaves, draw((T, P)), {name: draw(n) for name, n in sizes.items()}


@pytest.mark.parametrize("kind", CELLS)
def test_backward_is_the_symbolic_derivative(kind):
    """R1*, R2*; L1*, L2*, L3*, L4*, L5*; G1*, G2*, G3*, G4*: every gradient of every cell, at random points."""
    room, options = CELLS[kind]
    leaves, dy, ds = numbers(kind, room, 0)
    up = Symbols(leaves, dy=dy, **{f"d{n}": v for n, v in ds.items()})
    ys, states = unroll(kind, SimpleNamespace(**up), up["x"], tuple(up[f"{n}_0"] for n in room.State._fields))
    loss = inner(up["dy"], ys) + sum(inner(up[f"d{n}"], v) for n, v in zip(room.State._fields, states[-1], strict=True))
    derivative = symbolic_gradients.jacobian([loss], up.numbers)
    for seed in range(POINTS):
        leaves, dy, ds = numbers(kind, room, seed)
        point = Symbols(leaves, dy=dy, **{f"d{n}": v for n, v in ds.items()})
        p = room.Params(**{n: leaves.get(n) for n in room.Params._fields})
        y, s_n, k = room.forward(p, leaves["x"][:, None], room.State(*(leaves[f"{n}_0"][None] for n in ds)), **options)
        dp, dx, ds_0 = room.backward(dy[:, None], room.State(*(v[None] for v in ds.values())), k)
        by_hand = {n: v for n, v in dp._asdict().items() if v is not None} | {"x": dx[:, 0]}
        by_hand |= {f"{n}_0": v[0] for n, v in ds_0._asdict().items()} | {"dy": y[:, 0]}  # the loss is linear in dy
        by_hand |= {f"d{n}": v[0] for n, v in s_n._asdict().items()}
        agree(by_hand, point.named(derivative(point.numbers.values())[1][0]))


def test_the_chain_is_that_of_one_expression():
    """The RNN is small enough for SymPy to differentiate all three steps in one piece, without ``symbolic_gradients.jacobian``."""
    draw = np.random.default_rng(1).standard_normal
    s = Symbols(w=draw(), v=draw(), b=draw(), x=draw(T), h=draw())
    h = s["h"][()]
    for x in s["x"]:
        h = sp.tanh(s["w"][()] * x + s["v"][()] * h + s["b"][()])
    exact = {symbol: sp.Rational(float(n)) for symbol, n in s.numbers.items()}
    expected = [sp.diff(h, symbol).subs(exact).evalf(30) for symbol in s.numbers]
    assert all(abs(a - b) < 1e-25 for a, b in zip(s.jacobian([h])[1][0], map(sp.Float, expected), strict=True))
