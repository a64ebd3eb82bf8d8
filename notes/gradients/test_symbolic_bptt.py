"""What becomes of a gradient, by SymPy: the notes of notes/gradients.  One unit, four steps; for a norm, two units."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp
from mpmath import mp

from reference.cells import gru, lstm, rnn
from reference.gradients import checkpointed_bptt, gradient_flow, hessian, rtrl, truncated_bptt

from ..symbolic_gradients import DIGITS, Symbols, agree, inner, jacobian, unroll

T = 4
ROOMS = {
    "rnn": (rnn, {}),
    "rnn-relu": (rnn, {"nonlinearity": "relu"}),
    "lstm": (lstm, {}),
    "gru": (gru, {}),
    "gru-before": (gru, {"reset_after": False}),
}
kinds = pytest.mark.parametrize("kind", ROOMS)


class Case:
    """One sequence: numbers, and the same as symbols."""

    def __init__(self, kind):
        self.kind, (self.room, self.options) = kind, ROOMS[kind]
        draw, G, self.fields = np.random.default_rng(11).standard_normal, len(self.room.GATES), self.room.State._fields
        self.p = self.room.Params(draw((G, 1)), draw((G, 1)), draw(G), draw(G))
        self.x, self.dy = draw((T, 1, 1)), draw((T, 1, 1))
        self.s, self.ds = (self.room.State(*draw((len(self.fields), 1, 1))) for _ in range(2))
        self.leaves = {k: v for k, v in self.p._asdict().items() if v is not None} | {"x": self.x}
        self.leaves |= {f"{n}_0": v for n, v in self.s._asdict().items()}
        self.symbols = Symbols(self.leaves)

    def forward(self):
        return self.room.forward(self.p, self.x, self.s, **self.options)

    def run(self, s, x, start):
        return unroll(self.kind, SimpleNamespace(**{n: s[n] for n in ("W_ih", "W_hh", "b_ih", "b_hh")}), x, start)

    def whole(self, s=None):
        s = self.symbols if s is None else s
        return self.run(s, s["x"][:, 0], tuple(s[f"{n}_0"][0] for n in self.fields))

    def loss(self, ys, last):
        return inner(self.dy[:, 0], ys) + sum(inner(d[0], v) for d, v in zip(self.ds, last, strict=True))

    def named(self, dp, dx, ds_0):
        gradients = {k: v for k, v in dp._asdict().items() if v is not None} | {f"{n}_0": v for n, v in ds_0._asdict().items()}
        return gradients if dx is None else gradients | {"x": dx}


@kinds
def test_step_jacobians_and_their_products(kind):
    """GF1, GF2, GF4: what moves the last state, and the norms of the gradients on the way."""
    case = Case(kind)
    _, states = case.whole()
    k = case.forward()[2]
    J = gradient_flow.step_jacobians(case.room, k)
    starts, S = [], len(case.fields)
    for t in range(T):  # one step from a state of its own
        s = Symbols(case.leaves, state=case.symbols.value(np.array(states[t])))
        _, (_, end) = case.run(s, [s["x"][t, 0]], tuple(s["state"]))
        starts.append(s.jacobian(np.ravel(end))[1][:, -S:])
    agree({"J": J}, {"J": np.array(starts)})
    _, slopes = case.symbols.jacobian(np.ravel(states[-1]))  # all steps at once
    agree({"P": gradient_flow.products(J)[0]}, {"P": slopes[:, -S:]})
    n = gradient_flow.norms(case.room, case.dy, case.ds, k)
    ds_0 = case.symbols.gradient(case.loss(case.whole()[0], states[-1]))
    agree({f"{f}_0": v[0] for f, v in n._asdict().items()}, {f"{f}_0": abs(ds_0[f"{f}_0"][0]) for f in case.fields})


@pytest.mark.parametrize("entries", [(2, 1, 0, -3), (1, -2, 3, 1), (0, 5, 0, 0)], ids=["real", "a pair", "nilpotent"])
def test_singular_values_and_spectral_radius(entries):
    """GF3: the roots of two characteristic polynomials."""
    J = sp.Matrix(2, 2, entries) / 8
    singular = [sp.sqrt(v) for v in (J.T * J).eigenvals(multiple=True)]
    radius = max(abs(v) for v in J.eigenvals(multiple=True))
    spectrum = gradient_flow.spectrum(np.array(J, float))
    agree(spectrum._asdict(), {"singular": [sp.N(v, 40) for v in sorted(singular, reverse=True)], "radius": sp.N(radius, 40)})


def largest_stretch(J):
    """σ₁ of a 2 x 2 matrix of long numbers, by trace and determinant of JᵀJ"""
    with mp.workdps(DIGITS):
        square, area = (J**2).sum(), (J[0, 0] * J[1, 1] - J[0, 1] * J[1, 0]) ** 2
        return mp.sqrt((square + mp.sqrt(square**2 - 4 * area)) / 2)


@pytest.mark.parametrize("kind", ["rnn", "rnn-relu"])
def test_norm_bound(kind):
    """GF3: max φ' · ‖W_hh‖ of two units, φ' being how a unit moves with its own bias; ‖J‖ is below it."""
    draw, (room, options) = np.random.default_rng(13).standard_normal, ROOMS[kind]
    p, x, h = room.Params(draw((2, 1)), draw((2, 2)), draw(2), draw(2)), draw((T, 1, 1)), draw((1, 2))
    _, _, k = room.forward(p, x, room.State(h), **options)
    bounds, stretches = [], []
    for t in range(T):
        s = Symbols(W_ih=p.W_ih, W_hh=p.W_hh, b_ih=p.b_ih, b_hh=p.b_hh, state=k.h[t, 0])
        (end,), _ = unroll(kind, SimpleNamespace(**s), [x[t, 0]], (s["state"],))
        by = [s.named(row) for row in s.jacobian(end)[1]]
        slope = max(row["b_ih"][unit] for unit, row in enumerate(by))
        bounds.append(slope * largest_stretch(np.array(p.W_hh, object) * mp.mpf(1)))
        stretches.append(largest_stretch(np.array([row["state"] for row in by])))
    agree({"bound": gradient_flow.gain_bound(room, k)}, {"bound": bounds})
    assert all(0 < stretch <= bound for stretch, bound in zip(stretches, bounds, strict=True))


@kinds
@pytest.mark.parametrize("reach", [1, 2, 4])
def test_truncated(kind, reach):
    """TB1*, TB2, TB3: each window's loss, with the state before its reach a constant."""
    case, window = Case(kind), 1
    _, states = case.whole()
    total = {n: 0 * v for n, v in case.leaves.items()}
    for n in range(T):
        first = max(n - reach + 1, 0)
        cut = Symbols(case.leaves)
        start = tuple(cut[f"{f}_0"][0] for f in case.fields) if n < reach else case.symbols.value(np.array(states[first]))
        ys, ends = case.run(cut, cut["x"][first : n + 1, 0], tuple(start))
        loss = inner(case.dy[n, 0], ys[-1])
        if n == T - 1:
            loss += sum(inner(d[0], v) for d, v in zip(case.ds, ends[-1], strict=True))
        total = {name: total[name] + v for name, v in cut.gradient(loss).items()}
    _, _, k = truncated_bptt.forward(case.room, case.p, case.x, case.s, window, **case.options)
    agree(case.named(*truncated_bptt.backward(case.dy, case.ds, k, reach)), total)


@kinds
def test_checkpointed_and_forward_in_time(kind):
    """CB1, CB2; RT1, RT2, RT3: both are the whole gradient."""
    case = Case(kind)
    ys, states = case.whole()
    expected = case.symbols.gradient(case.loss(ys, states[-1]))
    _, _, k = checkpointed_bptt.forward(case.room, case.p, case.x, case.s, 3, **case.options)
    agree(case.named(*checkpointed_bptt.backward(case.dy, case.ds, k)), expected)
    y, _, dp, ds_0 = rtrl.gradient(case.room, case.p, case.x, case.s, case.dy, case.ds, **case.options)
    agree(case.named(dp, None, ds_0) | {"y": y[:, 0]}, expected | {"y": case.symbols.value(np.array(ys))})


@kinds
def test_hessian_vector_product(kind):
    """HV1, HV2, HV3, HV4: the symbolic gradient at two near points, in sixty digits.

    Their distance is 1e-20, so the quotient has an error near 1e-40.  The loss is not linear in the outputs.
    """
    case = Case(kind)
    draw = np.random.default_rng(12).standard_normal
    v = {n: draw(u.shape) for n, u in case.leaves.items()}
    ys, states = case.whole()
    loss = sum((w * w * w).sum() for w in (*ys, *states[-1]))
    values = list(case.symbols.numbers.values())
    move = np.concatenate([np.ravel(u) for u in v.values()])
    at = jacobian([loss], case.symbols.numbers)
    with mp.workdps(DIGITS):
        step = mp.mpf(10) ** -20
        there, back = (
            at([mp.mpf(a) + sign * step * mp.mpf(b) for a, b in zip(values, move, strict=True)])[1][0] for sign in (1, -1)
        )
        expected = case.symbols.named((there - back) / (2 * step))

    def upstream(y, s_n, Ry, Rs_n):
        State = case.room.State
        Rds = State(*(6 * u * w for u, w in zip(s_n, Rs_n, strict=True)))
        return 3 * y**2, State(*(3 * u**2 for u in s_n)), 6 * y * Ry, Rds

    direction = hessian.Direction(
        case.room.Params(*(v.get(n) for n in case.room.Params._fields)),
        v["x"],
        case.room.State(*(v[f"{n}_0"] for n in case.fields)),
    )
    gradient, product = hessian.product(case.room, case.p, case.x, case.s, direction, upstream, **case.options)
    agree(case.named(*gradient), case.symbols.gradient(loss))
    agree(case.named(*product), expected)
