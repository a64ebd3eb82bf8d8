"""Parts and sampling by SymPy: notes linear, embedding, dropout, losses, attention, linear_recurrence, sampling, char_lm."""

import numpy as np
import pytest
import sympy as sp

from reference.common import sampling
from reference.parts import attention, dropout, embedding, linear, linear_recurrence, losses

from ..studies import temperature
from ..symbolic_gradients import Symbols, agree, derived, inner, sigmoid, softmax, surprise, tanh

normal = np.random.default_rng(3).standard_normal


def test_linear():
    """F1*"""
    W, b, x, dy = normal((2, 3)), normal(2), normal((2, 2, 3)), normal((2, 2, 2))
    s = Symbols(W=W, b=b, x=x)
    y = [[[sum(s["W"][o, i] * v[i] for i in range(3)) + s["b"][o] for o in range(2)] for v in row] for row in s["x"]]
    by_code, k = linear.forward(linear.Params(W, b), x)
    dp, dx = linear.backward(dy, k)
    agree({"y": by_code}, {"y": s.value(y)})
    agree({"W": dp.W, "b": dp.b, "x": dx}, s.gradient(inner(dy, y)))


@pytest.mark.parametrize("padding", [None, 1])
def test_embedding(padding):
    """E1*, E2: a token that is read twice gathers two gradients; the padding's row is a constant."""
    W, ids, dy = normal((4, 2)), np.array([[2, 1, 2], [0, 1, 2]]), normal((2, 3, 2))
    s, y = Symbols(W=W), np.empty((2, 3, 2), object)
    for place, token in np.ndenumerate(ids):
        y[place] = W[token] if token == padding else s["W"][token]
    by_code, k = embedding.forward(W, ids, padding)
    agree({"y": by_code}, {"y": s.value(y)})
    agree({"W": embedding.backward(dy, k)}, s.gradient(inner(dy, y)))


def test_dropout():
    """D2*"""
    x, dy, keep = normal((2, 3)), normal((2, 3)), np.array([[True, False, True], [True, True, False]])
    s = Symbols(x=x)
    y = [[v * sp.Rational(4, 3) if kept else 0 * v for v, kept in zip(*row, strict=True)] for row in zip(s["x"], keep, strict=True)]
    by_code, k = dropout.forward(x, keep, 0.25)
    agree({"y": by_code}, {"y": s.value(y)})
    agree({"x": dropout.backward(dy, k)}, s.gradient(inner(dy, y)))


@pytest.mark.parametrize("smoothing", [0.0, 0.25])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", losses.REDUCTIONS)
def test_cross_entropy(reduction, weighted, smoothing):
    """J1*, J2*, J3*: with class weights, label smoothing and a target that is ignored."""
    z, targets, w = normal((4, 3)), [2, -1, 0, 2], np.array([0.5, 1.5, 0.75]) if weighted else np.ones(3)
    s, l = Symbols(z=z), []
    for row, target in zip(s["z"], targets, strict=True):
        cost = surprise(row)  # -log p of each class
        mean = sum(w[v] * cost[v] for v in range(3)) / 3
        l.append(0 if target < 0 else (1 - smoothing) * w[target] * cost[target] + smoothing * mean)
    total = {"mean": sum(l) / sum(w[t] for t in targets if t >= 0), "sum": sum(l), "none": l}[reduction]
    dloss = normal(np.shape(total))
    loss, k = losses.cross_entropy_forward(z, targets, w if weighted else None, -1, reduction, smoothing)
    agree({"loss": loss}, {"loss": s.value(total)})
    agree({"z": losses.cross_entropy_backward(dloss, k)}, s.gradient(inner(dloss, total)))


@pytest.mark.parametrize("reduction", ["token", "sequence", "sum"])
def test_cross_entropy_of_padded_sequences(reduction):
    """J4*"""
    z, targets, lengths = normal((3, 2, 3)), np.array([[1, 0], [2, 2], [0, 7]]), (3, 2)
    s = Symbols(z=z)
    each = [[surprise(s["z"][t, b])[targets[t, b]] for t in range(T)] for b, T in enumerate(lengths)]
    total = {"token": sum(map(sum, each)) / 5, "sum": sum(map(sum, each)), "sequence": (sum(each[0]) / 3 + sum(each[1]) / 2) / 2}[
        reduction
    ]
    loss, k = losses.sequence_forward(z, targets, np.arange(3)[:, None] < np.array(lengths), reduction)
    agree({"loss": loss}, {"loss": s.value(total)})
    agree({"z": losses.sequence_backward(0.7, k)}, s.gradient(0.7 * total))


def huber(r):
    delta = sp.Rational(3, 4)
    middle = (r**2 / 2, sp.And(r <= delta, r >= -delta))
    return sp.Piecewise(middle, (delta * (r - delta / 2), r > 0), (delta * (-r - delta / 2), True))


NUMBERS = {
    "mse": (losses.mse_forward, {}, lambda x, y: (x - y) ** 2),
    "l1": (losses.l1_forward, {}, lambda x, y: sp.Piecewise((x - y, x > y), (y - x, True))),
    "huber": (losses.huber_forward, {"delta": 0.75}, lambda x, y: huber(x - y)),
    "bce": (losses.bce_forward, {}, lambda x, y: -y * sp.log(1 / (1 + sp.exp(-x))) - (1 - y) * sp.log(1 / (1 + sp.exp(x)))),
    "bce-weighted": (
        losses.bce_forward,
        {"pos_weight": 2.5},
        lambda x, y: -2.5 * y * sp.log(1 / (1 + sp.exp(-x))) - (1 - y) * sp.log(1 / (1 + sp.exp(x))),
    ),
}


@pytest.mark.parametrize("reduction", losses.REDUCTIONS)
@pytest.mark.parametrize("name", NUMBERS)
def test_losses_of_numbers(name, reduction):
    """J5*, J6*, J7*: residuals on both sides of every edge."""
    forward, options, formula = NUMBERS[name]
    x, y = np.array([[0.5, -1.5, 0.3], [2.0, -0.25, -4.0]]), np.array([[0.2, 0.9, 0.6], [0.0, 1.0, 0.4]])
    s = Symbols(x=x)
    l = np.frompyfunc(formula, 2, 1)(s["x"], y)
    total = {"mean": l.sum() / 6, "sum": l.sum(), "none": l}[reduction]
    dloss = normal(np.shape(total))
    loss, k = forward(x, y, reduction=reduction, **options)
    agree({"loss": loss}, {"loss": s.value(total)})
    agree({"x": losses.mse_backward(dloss, k)}, s.gradient(inner(dloss, total)))


@pytest.mark.parametrize("reduction", losses.REDUCTIONS)
def test_quantiles(reduction):
    """J8*: of each truth one forecast is above it or one is below it, and in a row all are on one side."""
    q, x, y = np.array([0.125, 0.5, 0.75]), np.array([[0.5, -1.5, 0.3], [2.0, 2.5, 3.0]]), np.array([0.2, 1.0])
    s = Symbols(x=x)
    formula = np.frompyfunc(lambda x, y, q: sp.Piecewise((q * (y - x), y > x), ((1 - q) * (x - y), True)), 3, 1)
    l = formula(s["x"], y[:, None], q)
    total = {"mean": l.sum() / 6, "sum": l.sum(), "none": l}[reduction]
    dloss = normal(np.shape(total))
    loss, k = losses.quantile_forward(x, y, q, reduction)
    agree({"loss": loss}, {"loss": s.value(total)})
    agree({"x": losses.quantile_backward(dloss, k)}, s.gradient(inner(dloss, total)))


@derived
def additive(v, W_q, W_k, b, q, h):
    return v @ tanh(W_q @ q + W_k @ h + b)


def score(kind, s, q, h):
    """How well the memory's step h fits the query q."""
    if kind == "additive":
        return additive(s["v"], s["W_q"], s["W_k"], s["b"], q, h)
    if kind == "general":
        return h @ (s["W_q"] @ q)
    return h @ q / (sp.sqrt(2) if kind == "scaled" else 1)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", attention.KINDS)
def test_attention(kind, masked):
    """A1*, A2*, A3*, A4*, A5*, A6*: two queries, three steps of memory, two sequences, one of which may be shorter."""
    shapes = {"additive": {"W_q": (2, 1), "W_k": (2, 2), "b": (2,), "v": (2,)}, "general": {"W_q": (2, 1)}}.get(kind, {})
    p = {name: normal(shape) for name, shape in shapes.items()}
    q, h = normal((2, 2, 1 if p else 2)), normal((3, 2, 2))
    dc, dw = normal((2, 2, 2)), normal((2, 2, 3))
    s, lengths = Symbols(p, q=q, h=h), (3, 2) if masked else (3, 3)
    c, w = np.zeros((2, 2, 2), object), np.zeros((2, 2, 3), object)
    for t in range(2):
        for b, S in enumerate(lengths):
            w[t, b, :S] = softmax([score(kind, s, s["q"][t, b], s["h"][n, b]) for n in range(S)])
            c[t, b] = sum(w[t, b, n] * s["h"][n, b] for n in range(S))
    mask = np.arange(3)[:, None] < np.array(lengths) if masked else None
    context, weights, k = attention.forward(attention.Params(**p), q, h, mask, kind)
    agree({"c": context, "w": weights}, {"c": s.value(c), "w": s.value(w)})
    dp, dq, dh = attention.backward(dc, dw, k)
    agree({name: getattr(dp, name) for name in p} | {"q": dq, "h": dh}, s.gradient(inner(dc, c) + inner(dw, w)))


@pytest.mark.parametrize("run", [linear_recurrence.loop, linear_recurrence.scan], ids=lambda run: run.__name__)
def test_linear_recurrence(run):
    """LR1*, LR2*, LR3*: four steps, so that the scan has three rounds; the factors by themselves, and those of the layer."""
    a, u, h_0, dy, dh_n = normal((4, 2, 2)), normal((4, 2, 2)), normal((2, 2)), normal((4, 2, 2)), normal((2, 2))
    s = Symbols(a=a, u=u, h_0=h_0)
    by_code, states = run(a, u, h_0), unrolled(s["a"], s["u"], s["h_0"])
    agree({"h": by_code}, {"h": s.value(states)})
    by_hand = linear_recurrence.recurrence_backward(dy, dh_n, a, by_code, run)
    agree(dict(zip(("a", "u", "h_0"), by_hand, strict=True)), s.gradient(inner(dy, states[1:]) + inner(dh_n, states[-1])))

    p, x = linear_recurrence.Params(normal((4, 1)), normal(4)), normal((4, 2, 1))
    s = Symbols(p._asdict(), x=x, h_0=h_0)
    z, n = np.split(s["x"] @ s["W_ih"].T + s["b_ih"], 2, axis=-1)
    z = sigmoid(z)
    states = unrolled(z, (1 - z) * n, s["h_0"])
    y, h_n, k = linear_recurrence.forward(p, x, h_0, run)
    agree({"y": y, "h_n": h_n}, {"y": s.value(states[1:]), "h_n": s.value(states[-1])})
    dp, dx, dh_0 = linear_recurrence.backward(dy, dh_n, k)
    agree(dp._asdict() | {"x": dx, "h_0": dh_0}, s.gradient(inner(dy, states[1:]) + inner(dh_n, states[-1])))


def unrolled(a, u, h):
    """Factors, inputs, the first state  ->  every state, symbols all"""
    states = [h]
    for a_t, u_t in zip(a, u, strict=True):
        states.append(a_t * states[-1] + u_t)
    return np.array(states)


Z = [sp.Rational(n, 4) for n in (3, -2, 5, 1)]  # logits; the most likely is token 2, then 0, 3, 1
EVERY = [0, 1, 2, 3]
# At temperature 1 token 2 has 0.47, and 0 beside it makes 0.75; without token 1 they have 0.81.
CUT = [
    (sp.Rational(2, 3), {}, EVERY),
    (sp.Integer(2), {}, EVERY),
    (sp.Integer(1), {"top_k": 2}, [0, 2]),
    (sp.Integer(1), {"top_p": 0.8}, [0, 2, 3]),
    (sp.Integer(1), {"top_k": 3, "top_p": 0.8}, [0, 2]),
]


def tempered(z, tau):
    """log p of logits at a temperature"""
    return [v / tau - sp.log(sum(sp.exp(w / tau) for w in z)) for v in z]


@pytest.mark.parametrize(("tau", "options", "left"), CUT)
def test_what_a_token_is_drawn_from(tau, options, left):
    """P1, P2, P3: the softmax of those that are left."""
    log_p = sampling.log_probabilities(np.array(Z, float), float(tau), **options)
    agree({"log p": log_p[left]}, {"log p": [sp.N(v, 40) for v in tempered([Z[k] for k in left], tau)]})
    assert (np.delete(log_p, left) == -np.inf).all()


def test_entropy_rises_with_the_temperature():
    """CH4, CH5, CH6, and the slope of log p above CH6: derivatives with respect to τ by SymPy, against the formulas of the note."""
    tau, z = sp.Symbol("tau", positive=True), sp.symbols("z:4")
    log_p = tempered(z, tau)
    p = [sp.exp(v) for v in log_p]
    H, mean = -sum(map(sp.Mul, p, log_p)), sum(map(sp.Mul, p, z))
    powers = [sp.exp(v.subs(tau, 1)) ** (1 / tau) for v in log_p]
    wrong = [
        H.diff(tau) - sum(q * (v - mean) ** 2 for q, v in zip(p, z, strict=True)) / tau**3,
        *(v.diff(tau) - (mean - z_k) / tau**2 for v, z_k in zip(log_p, z, strict=True)),
        *(q - power / sum(powers) for q, power in zip(p, powers, strict=True)),
        p[0] / p[1] - powers[0] / powers[1],
    ]
    for at in (sp.Rational(2, 3), sp.Integer(2)):
        numbers = dict(zip(z, Z, strict=True)) | {tau: at}
        assert all(abs(v.subs(numbers).evalf(60)) < 1e-50 for v in wrong)
        agree({"bits": temperature.entropy(np.array(Z, float), float(at))}, {"bits": (H / sp.log(2)).subs(numbers).evalf(40)})
