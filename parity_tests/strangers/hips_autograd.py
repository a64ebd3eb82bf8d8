"""HIPS autograd: the forward in plain NumPy, by the equations of torch.nn's documentation; autograd is the backward.

Nothing comes from ``reference``, so this is a second opinion on the equations as well as on their gradients.
"""

import autograd.numpy as np
from autograd import make_vjp
from autograd.builtins import tuple as traced_tuple
from numpy import errstate

GATES = {"lstm": "ifgo", "gru": "rzn"}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def sigmoid(a):
    """1 / (1 + e⁻ᵃ), written so that nothing overflows"""
    return (1 + np.tanh(a / 2)) / 2


def by_gate(spec, a):
    """(B, G·H)  ->  {gate: (B, H)}"""
    gates = GATES[spec.cell]
    return dict(zip(gates, np.split(a, len(gates), axis=1), strict=True))


def rnn(spec, p, x, h):
    """One step: x (B, I), h (B, H)  ->  (h,)"""
    a = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    return (np.tanh(a) if spec.nonlinearity == "tanh" else np.where(a > 0, a, np.zeros_like(a)),)


def lstm(spec, p, x, h, c):
    """One step: x (B, I), h (B, P), c (B, H)  ->  (h, c)"""
    a = by_gate(spec, x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"])
    c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["g"])
    h = sigmoid(a["o"]) * np.tanh(c)
    return (h @ p["weight_hr"].T if spec.proj_size else h), c


def gru(spec, p, x, h):
    """One step: x (B, I), h (B, H)  ->  (h,)"""

    def from_h(h):
        return by_gate(spec, h @ p["weight_hh"].T + p["bias_hh"])

    a_x, a_h = by_gate(spec, x @ p["weight_ih"].T + p["bias_ih"]), from_h(h)
    r, z = sigmoid(a_x["r"] + a_h["r"]), sigmoid(a_x["z"] + a_h["z"])
    n = np.tanh(a_x["n"] + (r * a_h["n"] if spec.reset_after else from_h(r * h)["n"]))
    return ((1 - z) * n + z * h,)


STEP = {"rnn": rnn, "lstm": lstm, "gru": gru}


def run(spec, weights, x, state, valid):
    """All layers and directions: x in the spec's layout, valid (T, B, 1)  ->  y, h_n or y, h_n, c_n"""
    swap = (1, 0, 2) if spec.batch_first else (0, 1, 2)
    y, T, finals = np.transpose(x, swap), len(valid), []
    for layer in range(spec.num_layers):
        x, outputs = np.where(valid, y, np.zeros_like(y)), []
        for suffix in ("", "_reverse")[: 1 + spec.bidirectional]:
            end = f"_l{layer}{suffix}"
            p = {"bias_ih": 0, "bias_hh": 0} | {name: weights[name + end] for name in NAMES if name + end in weights}
            s, h = [v[len(finals)] for v in state], [None] * T
            # A step past a sequence's end changes nothing, so in reverse the initial state waits for the last step.
            for t in reversed(range(T)) if suffix else range(T):
                new = STEP[spec.cell](spec, p, x[t], *s)
                s = [np.where(valid[t], after, before) for after, before in zip(new, s, strict=True)]
                h[t] = s[0]
            outputs.append(np.stack(h))
            finals.append(s)
        y = np.concatenate(outputs, axis=2)
    y = np.where(valid, y, np.zeros_like(y))
    return traced_tuple((np.transpose(y, swap), *(np.stack(v) for v in zip(*finals, strict=True))))


class Layer:
    """A stack of layers; ``backward`` is the pullback of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec, self.weights = spec, weights

    def forward(self, x, state, lengths=None):
        s = self.spec
        B, T = x.shape[:2] if s.batch_first else x.shape[1::-1]
        if state is None:
            widths = (s.proj_size or s.hidden_size, s.hidden_size)[: 2 if s.cell == "lstm" else 1]
            state = tuple(np.zeros((s.num_layers * (1 + s.bidirectional), B, width), x.dtype) for width in widths)
        ends = np.reshape(np.array([T] * B if lengths is None else lengths), (B, 1))
        valid = np.arange(T)[:, None, None] < ends  # (T, B, 1)
        differentiated = make_vjp(lambda *v: run(s, *v, valid), (0, 1, 2))
        self.pullback, (y, *state_n) = differentiated(self.weights, x, tuple(state))
        return y, tuple(state_n)

    def backward(self, dy, dstate):
        with errstate(over="ignore"):  # autograd's slope of tanh is 1 / cosh², rightly 0 where cosh² overflows
            dweights, dx, dstate_0 = self.pullback((dy, *dstate))
        return dx, dstate_0, dweights


def load(spec, weights):
    """Build what a spec asks for.

    Parameters
    ----------
    spec : Spec
        What to build.
    weights : dict of str to ndarray
        Parameters by their torch.nn names.

    Returns
    -------
    Layer
        With ``forward`` and ``backward``.
    """
    return Layer(spec, weights)


def declines(spec):
    """Why a spec is not for this implementation.

    Parameters
    ----------
    spec : Spec
        What would be built.

    Returns
    -------
    str or None
        A reason, or None.
    """
    return "autograd computes on the CPU" if spec.device != "cpu" else None
