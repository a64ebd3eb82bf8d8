"""Initial weights, clipping, optimisers and schedules by SymPy: notes init, clip, optim, schedules.

The gains and bounds are integrals.  Three steps of every optimiser are one closed formula of the three gradients, in
exact fractions, against ``step``.
"""

import numpy as np
import pytest
import sympy as sp

from reference.cells import lstm
from reference.common import schedules
from reference.training import clip, init, optim

from ..symbolic_gradients import agree

STEPS = 3
LR, DECAY, EPS, MU = sp.Rational(1, 8), sp.Rational(1, 4), sp.Rational(1, 16), sp.Rational(3, 4)
A, B1, B2 = sp.Rational(7, 8), sp.Rational(3, 8), sp.Rational(3, 4)  # none is 1/2, which is its own counterpart
W, G = sp.Rational(5, 8), [sp.Rational(n, 16) for n in (24, -10, 6)]  # a weight and its gradients


def running(share, values):
    """What a running mean from 0 comes to: (1 - a) Σ aᵗ⁻ᵏ v_k"""
    return (1 - share) * sum(share ** (len(values) - 1 - k) * v for k, v in enumerate(values))


def sgd(g, dampening=0, nesterov=False):
    """u_t = μᵗ⁻¹ g_1 + (1 - τ) Σ_{k>1} μᵗ⁻ᵏ g_k"""
    t = len(g)
    u = MU ** (t - 1) * g[0] + (1 - dampening) * sum(MU ** (t - 1 - k) * g[k] for k in range(1, t))
    return LR * (g[-1] + MU * u if nesterov else u)


def rmsprop(g, centered=False):
    v = running(A, [n**2 for n in g])
    return LR * g[-1] / (sp.sqrt(v - running(A, g) ** 2 if centered else v) + EPS)


def rmsprop_with_momentum(g):
    """The scaled gradients are summed: u_t = Σ μᵗ⁻ᵏ g_k / (√v_k + ε)"""
    return sum(MU ** (len(g) - 1 - k) * rmsprop(g[: k + 1]) for k in range(len(g)))


def adagrad(g):
    return LR / (1 + (len(g) - 1) * DECAY) * g[-1] / (sp.sqrt(2 + sum(n**2 for n in g)) + EPS)


def adam(g):
    t = len(g)
    m, v = running(B1, g) / (1 - B1**t), running(B2, [n**2 for n in g]) / (1 - B2**t)
    return LR * m / (sp.sqrt(v) + EPS)


ADAM = {"betas": (0.375, 0.75), "eps": 1 / 16}
CASES = {
    "SGD": (optim.SGD, {}, lambda g: LR * g[-1]),
    "momentum": (optim.SGD, {"momentum": 0.75}, sgd),
    "dampened": (optim.SGD, {"momentum": 0.75, "dampening": 0.5}, lambda g: sgd(g, sp.Rational(1, 2))),
    "Nesterov": (optim.SGD, {"momentum": 0.75, "nesterov": True}, lambda g: sgd(g, nesterov=True)),
    "RMSprop": (optim.RMSprop, {"alpha": 0.875, "eps": 1 / 16}, rmsprop),
    "centred": (optim.RMSprop, {"alpha": 0.875, "eps": 1 / 16, "centered": True}, lambda g: rmsprop(g, True)),
    "RMSprop with momentum": (optim.RMSprop, {"alpha": 0.875, "eps": 1 / 16, "momentum": 0.75}, rmsprop_with_momentum),
    "Adagrad": (optim.Adagrad, {"lr_decay": 0.25, "eps": 1 / 16, "initial_accumulator_value": 2.0}, adagrad),
    "Adam": (optim.Adam, ADAM, adam),
    "AdamW": (optim.AdamW, ADAM, adam),
}


@pytest.mark.parametrize("decay", [sp.Integer(0), DECAY])
@pytest.mark.parametrize("name", CASES)
def test_three_steps(name, decay):
    """O1, O2, O3, O4, O5, O6, O7, O8, O9"""
    cls, options, change = CASES[name]
    w, seen, expected, params = W, [], [], {"w": np.array([float(W)])}
    optimizer, weights = cls(params, lr=float(LR), weight_decay=float(decay), **options), []
    for g in G:
        seen.append(g if name == "AdamW" else g + decay * w)
        w = (1 - LR * decay if name == "AdamW" else 1) * w - change(seen)
        expected.append(sp.N(w, 40))
        optimizer.step({"w": np.array([float(g)])})
        weights.append(params["w"][0])
    assert len(set(weights)) == STEPS
    agree({"w": weights}, {"w": expected})


@pytest.mark.parametrize("norm_type", [1, 2, 3, sp.oo])
@pytest.mark.parametrize("max_norm", [sp.Rational(1, 2), sp.Integer(100)])
def test_clipping_by_the_norm(norm_type, max_norm):
    """K1, K2: the norm of all gradients as one vector, and one factor for all."""
    g = {"a": [sp.Rational(3, 4), sp.Integer(-2)], "b": [sp.Rational(5, 2)]}
    every = [abs(v) for vs in g.values() for v in vs]
    norm = max(every) if norm_type is sp.oo else sum(v**norm_type for v in every) ** sp.Rational(1, norm_type)
    factor = sp.Min(1, max_norm / (norm + sp.Rational(1, 10**6)))
    grads = {name: np.array(vs, float) for name, vs in g.items()}
    total = clip.clip_grad_norm(grads, float(max_norm), float(norm_type))
    agree({"norm": total} | grads, {"norm": sp.N(norm, 40)} | {n: [sp.N(v * factor, 40) for v in vs] for n, vs in g.items()})


def test_clipping_by_value():
    """K3"""
    grads = {"a": np.array([0.25, -2.0, 3.0])}
    clip.clip_grad_value(grads, 0.5)
    agree(grads, {"a": [sp.Min(sp.Max(sp.Rational(v), -sp.Rational(1, 2)), sp.Rational(1, 2)) for v in ("1/4", -2, 3)]})


def test_schedules():
    """V1, V2, V3, V4"""
    n, lr = sp.Symbol("n"), sp.Rational(1, 8)
    formulas = [
        (schedules.step(0.125, 3, 0.5), lr * sp.Rational(1, 2) ** sp.floor(n / 3)),
        (schedules.cosine(0.125, 6, 0.0625), lr / 2 + (lr - lr / 2) * (1 + sp.cos(sp.pi * n / 6)) / 2),
        (schedules.warmup(0.125, 4, 0.25, 0.75), lr * (sp.Rational(1, 4) + sp.Min(n, 4) / 8)),
        (
            schedules.sequential([schedules.warmup(0.125, 4), schedules.step(0.125, 3, 0.5)], [5]),
            sp.Piecewise(
                (lr * (sp.Rational(1, 3) + sp.Rational(2, 3) * sp.Min(n, 4) / 4), n < 5),
                (lr * sp.Rational(1, 2) ** sp.floor((n - 5) / 3), True),
            ),
        ),
    ]
    for code, formula in formulas:
        agree({"lr": [code(k) for k in range(10)]}, {"lr": [sp.N(formula.subs(n, k), 40) for k in range(10)]})


class Extremes(np.random.Generator):
    """In place of a generator: the right end of a uniform distribution, the deviation of a normal one."""

    def uniform(self, low, high, shape):
        assert low == -high
        return np.full(shape, high)

    def normal(self, mean, deviation, shape):
        assert mean == 0
        return np.full(shape, deviation)


def gain(function):
    """What makes up for a nonlinearity: √(E[a²] / E[f(a)²]) of a standard normal a"""
    a = sp.Symbol("a", real=True)
    density = sp.exp(-(a**2) / 2) / sp.sqrt(2 * sp.pi)
    halves = (sp.integrate(function(a, sign) ** 2 * density, (a, *ends)) for sign, ends in ((-1, (-sp.oo, 0)), (1, (0, sp.oo))))
    return 1 / sp.sqrt(sp.simplify(sum(halves)))


SLOPE = sp.Rational(1, 4)
GAINS = {
    "linear": gain(lambda a, sign: a),
    "relu": gain(lambda a, sign: a if sign > 0 else 0 * a),
    "leaky_relu": gain(lambda a, sign: a if sign > 0 else SLOPE * a),
}


def test_gains():
    """I3"""
    agree({name: init.gain(name, float(SLOPE)) for name in GAINS}, {name: sp.N(v, 40) for name, v in GAINS.items()})


def bound(variance):
    """Of the uniform distribution around 0 with this variance"""
    w, b = sp.symbols("w b", positive=True)
    return sp.solve(sp.integrate(w**2 / (2 * b), (w, -b, b)) - variance, b)[0]


@pytest.mark.parametrize("nonlinearity", GAINS)
def test_bounds_and_deviations(nonlinearity):
    """I2, I3: a sum of n products keeps its second moment where n · Var[W] = gain²; n is a fan, or the mean of both."""
    shape, gain, drawn = (5, 7), GAINS[nonlinearity], {}
    for n, uniform, normal, options in (
        (sp.Rational(5 + 7, 2), init.xavier_uniform, init.xavier_normal, {"gain": float(gain)}),
        (7, init.kaiming_uniform, init.kaiming_normal, {"a": float(SLOPE), "nonlinearity": nonlinearity}),
        (5, init.kaiming_uniform, init.kaiming_normal, {"a": float(SLOPE), "nonlinearity": nonlinearity, "mode": "fan_out"}),
    ):
        drawn["uniform"] = uniform(Extremes(np.random.PCG64()), shape, **options), bound(gain**2 / n)
        drawn["normal"] = normal(Extremes(np.random.PCG64()), shape, **options), sp.sqrt(gain**2 / n)
        agree({k: v for k, (v, _) in drawn.items()}, {k: np.full(shape, sp.N(v, 40)) for k, (_, v) in drawn.items()})


def test_the_default_of_a_recurrent_layer():
    """I1: each weight has the variance 1 / (3 H)."""
    W = init.named("uniform", 5)(Extremes(np.random.PCG64()), (10, 3))
    agree({"W": W}, {"W": np.full((10, 3), sp.N(bound(sp.Rational(1, 15)), 40))})


@pytest.mark.parametrize("shape", [(3, 3), (3, 2), (2, 3)])
def test_orthogonal_weights(shape):
    """I4: the QR decomposition whose R has a positive diagonal is the one of Gram and Schmidt."""
    N = sp.Matrix(*shape, [sp.Rational(n, 4) for n in (3, -2, 5, 1, 4, -6, 2, 7, -1)[: shape[0] * shape[1]]])
    wide = shape[0] < shape[1]
    Q, _ = (N.T if wide else N).QRdecomposition()
    agree(
        {"W": init.orthogonalised(np.array(N, float), 1.5)},
        {"W": np.array((Q.T if wide else Q).applyfunc(lambda v: sp.N(sp.Rational(3, 2) * v, 40)), object)},
    )


def test_the_forget_gate_at_the_start():
    """I5: of a cell state that no weight touches, σ(value) is left by a step."""
    params = {
        "weight_ih_l0": np.zeros((8, 1)),
        "weight_hh_l0": np.zeros((8, 2)),
        "bias_ih_l0": np.ones(8),
        "bias_hh_l0": np.ones(8),
    }
    weights = init.initialise(params, init.zeros, np.random.default_rng(0), forget_bias=1.5)
    s_0 = lstm.State(np.zeros((1, 2)), np.array([[0.5, -2.0]]))
    _, s_n, _ = lstm.forward(lstm.Params(*weights.values()), np.zeros((1, 1, 1)), s_0)
    left = 1 / (1 + sp.exp(-sp.Rational(3, 2)))
    agree({"c": s_n.c}, {"c": [[sp.N(left / 2, 40), sp.N(-2 * left, 40)]]})
