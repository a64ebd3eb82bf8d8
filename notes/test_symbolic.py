"""An independent derivation: SymPy differentiates the unrolled recurrence of one unit, and knows nothing of the notes.

For H = 1, B = 1, I = 1 and T = 3 the cell is written down as symbols.  The derivatives of the loss in every parameter,
input and initial state, by SymPy's own rules, are compared with ``backward`` of the room at random points.
"""

import numpy as np
import pytest
import sympy as sp

from reference import gru, lstm, rnn

T, POINTS = 3, 20


def sigmoid(x):
    return 1 / (1 + sp.exp(-x))


def rnn_step(w, x, h):
    (w_i,), (w_h,), (b_i,), (b_h,) = w
    return (sp.tanh(w_i * x + b_i + w_h * h[0] + b_h),)


def lstm_step(w, x, s):
    h, c = s
    a = [w_i * x + b_i + w_h * h + b_h for w_i, w_h, b_i, b_h in zip(*w, strict=True)]
    i, f, g, o = sigmoid(a[0]), sigmoid(a[1]), sp.tanh(a[2]), sigmoid(a[3])
    c = f * c + i * g
    return o * sp.tanh(c), c


def gru_step(w, x, s, reset_after):
    (w_ir, w_iz, w_in), (w_hr, w_hz, w_hn), (b_ir, b_iz, b_in), (b_hr, b_hz, b_hn) = w
    h, = s
    r = sigmoid(w_ir * x + b_ir + w_hr * h + b_hr)
    z = sigmoid(w_iz * x + b_iz + w_hz * h + b_hz)
    inner = r * (w_hn * h + b_hn) if reset_after else w_hn * r * h + b_hn
    return ((1 - z) * sp.tanh(w_in * x + b_in + inner) + z * h,)


CELLS = {
    "rnn": (rnn, rnn_step, {}), "lstm": (lstm, lstm_step, {}),
    "gru": (gru, lambda w, x, s: gru_step(w, x, s, True), {"reset_after": True}),
    "gru-before": (gru, lambda w, x, s: gru_step(w, x, s, False), {"reset_after": False}),
}


def derivatives(step, G: int, states: int):
    """The derivative of the loss in every leaf, as a function of numbers.

    SymPy differentiates one step in everything that it reads.  The chain through the steps runs forward in time: for
    every leaf, how the state moves with it.  So not even the direction is shared with backpropagation.
    """
    w = [sp.symbols(f"{name}_0:{G}") for name in ("W_ih", "W_hh", "b_ih", "b_hh")]
    x, state = sp.Symbol("x"), sp.symbols(f"s_0:{states}")
    reads = [*(v for part in w for v in part), x, *state]
    new = sp.Matrix(step(w, x, state))
    compute = sp.lambdify(reads, [list(new), new.jacobian(reads)], "numpy", cse=True)
    n = 4 * G

    def gradient(weights, xs, start, dy, ds):
        moved = np.zeros((states, n + T + states))                 # d state / d leaf
        moved[:, n + T :] = np.eye(states)
        total, s = np.zeros(n + T + states), start
        for t in range(T):
            s, J = compute(*weights.ravel(), xs[t], *s)
            moved = J[:, n + 1 :] @ moved
            moved[:, :n] += J[:, :n]
            moved[:, n + t] += J[:, n]
            total += dy[t] * moved[0]
        return total + ds @ moved

    return gradient


@pytest.mark.parametrize("kind", CELLS)
def test_backward_is_the_symbolic_derivative(kind):
    room, step, options = CELLS[kind]
    G, states = len(room.GATES), len(room.State._fields)
    by_symbols, rng = derivatives(step, G, states), np.random.default_rng(0)
    names = [*(f"d{name}[{g}]" for name in room.Params._fields[:4] for g in range(G)), *(f"dx[{t}]" for t in range(T)),
             *(f"d{f}_0" for f in room.State._fields)]
    for _ in range(POINTS):
        w, x, s, dy, ds = (rng.standard_normal(n) for n in ((4, G), T, states, T, states))
        p = room.Params(w[0][:, None], w[1][:, None], w[2], w[3])
        state, upstream = (room.State(*v.reshape(states, 1, 1)) for v in (s, ds))
        cache = room.forward(p, x.reshape(T, 1, 1), state, **options)[2]
        dp, dx, ds_0 = room.backward(dy.reshape(T, 1, 1), upstream, cache)
        by_hand = np.concatenate([v.ravel() for v in (*dp[:4], dx, *ds_0)])
        expected = by_symbols(w, x, s, dy, ds)
        assert len(names) == len(expected) == len(by_hand)
        for name, one, other in zip(names, by_hand, expected, strict=True):
            assert abs(one - other) <= 1e-13 * max(1, np.abs(expected).max()), (name, one, other)


def test_the_whole_loss_as_one_expression():
    """The RNN is small enough to be differentiated in one piece, all three steps nested in each other."""
    names = sp.symbols("w v b x_0:3 s dy_0:3 ds")
    w, v, b, *rest = names
    x, s, dy, ds = rest[:3], rest[3], rest[4:7], rest[7]
    h, loss = s, 0
    for t in range(T):
        h = sp.tanh(w * x[t] + v * h + b)
        loss += dy[t] * h
    loss += ds * h
    of = sp.lambdify(names, [sp.diff(loss, leaf) for leaf in (w, v, b, *x, s)], "numpy")
    for seed in range(POINTS):
        n = np.random.default_rng(seed).standard_normal(len(names))
        p = rnn.Params(n[:1, None], n[1:2, None], n[2:3], np.zeros(1))
        cache = rnn.forward(p, n[3:6].reshape(T, 1, 1), rnn.State(n[6].reshape(1, 1)))[2]
        dp, dx, ds_0 = rnn.backward(n[7:10].reshape(T, 1, 1), rnn.State(n[10].reshape(1, 1)), cache)
        by_hand = [dp.W_ih[0, 0], dp.W_hh[0, 0], dp.b_ih[0], *dx.ravel(), ds_0.h[0, 0]]
        expected = np.array(of(*n))
        assert np.abs(by_hand - expected).max() <= 1e-13 * max(1, np.abs(expected).max())
