"""MLX's nn.RNN, nn.LSTM and nn.GRU on the CPU; mx.vjp is the backward.

Run with mlx 0.32.4 (mlx[cpu]).  MLX has one layer in one direction: layers, directions and lengths are put together here.
"""

import mlx.core as mx
import numpy as np
from mlx import nn

from .lengths import ends, valid

mx.set_default_device(mx.cpu)
ACTIVATIONS = {"tanh": nn.tanh, "relu": nn.relu}


def array(v):
    """ndarray  ->  MLX's, a copy, in its dtype; a float64 would become a float32"""
    return mx.array(np.ascontiguousarray(v), getattr(mx, v.dtype.name))


def module(spec, p):
    """MLX's layer with one layer's parameters, named as in torch but for their ending."""
    w, I, H = {}, p["weight_ih"].shape[1], spec.hidden_size
    b = p["bias_ih"] + p["bias_hh"] if spec.bias else None
    if spec.cell == "rnn":
        m, w = nn.RNN(I, H, spec.bias, ACTIVATIONS[spec.nonlinearity]), {"Wxh": p["weight_ih"], "Whh": p["weight_hh"]}
    else:
        m, w = (nn.LSTM if spec.cell == "lstm" else nn.GRU)(I, H, spec.bias), {"Wx": p["weight_ih"], "Wh": p["weight_hh"]}
    if spec.bias and spec.cell == "gru":  # in n the two biases are not redundant
        w |= {"b": mx.concatenate([b[: 2 * H], p["bias_ih"][2 * H :]]), "bhn": p["bias_hh"][2 * H :]}
    elif spec.bias:
        w["bias"] = b
    m.update(w)
    return m


class Layer:
    """A stack of MLX's layers; ``backward`` is that of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec, self.names, self.weights = spec, list(weights), [array(w) for w in weights.values()]

    def run(self, x, state, weights, lengths):
        """x (B, T, I), state as given or nothing  ->  y (B, T, D·H), h_n and c_n"""
        B, T, _ = x.shape
        last, order = (mx.array(v) for v in ends(T, B, lengths))
        last, order, finals = last[:, None, None], order[..., None], []
        for layer in range(self.spec.num_layers):
            outputs = []
            for suffix in ("", "_reverse")[: 1 + self.spec.bidirectional]:
                end = f"_l{layer}{suffix}"
                p = {k.removesuffix(end): w for k, w in zip(self.names, weights, strict=True) if k.endswith(end)}
                given = mx.take_along_axis(x, order, 1) if suffix else x
                steps = module(self.spec, p)(given, *(s[len(finals)] for s in state))
                steps = steps if self.spec.cell == "lstm" else (steps,)  # h, and c, after each step
                finals.append([mx.take_along_axis(v, last, 1)[:, 0] for v in steps])
                outputs.append(mx.take_along_axis(steps[0], order, 1) if suffix else steps[0])
            x = mx.concatenate(outputs, -1)
        return [x, *(mx.stack(v) for v in zip(*finals, strict=True))]

    def forward(self, x, state, lengths=None):
        self.valid, self.n = valid(self.spec, x, lengths), 1 + len(state or ())
        given = [array(v) for v in (np.where(self.valid, x, 0), *(state or ()))] + self.weights
        lengths = None if lengths is None else np.array(lengths)

        def run(x, *rest):
            x = x if self.spec.batch_first else mx.swapaxes(x, 0, 1)
            y, *state_n = self.run(x, rest[: self.n - 1], rest[self.n - 1 :], lengths)
            return [y if self.spec.batch_first else mx.swapaxes(y, 0, 1), *state_n]

        self.pulled = lambda d: mx.vjp(run, given, d)[1]
        y, *state_n = (np.array(v) for v in run(*given))
        return np.where(self.valid, y, 0), tuple(state_n)

    def backward(self, dy, dstate):
        gradients = self.pulled([array(v) for v in (np.where(self.valid, dy, 0), *dstate)])
        dx, *rest = (np.array(v) for v in gradients)
        dweights = dict(zip(self.names, rest[self.n - 1 :], strict=True))
        return np.where(self.valid, dx, 0), tuple(rest[: self.n - 1]) or None, dweights


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs MLX's CPU kernels"
    if spec.proj_size:
        return "MLX's LSTM has no projection"
    if not spec.reset_after:
        return "MLX's GRU resets after the product only"
    return "MLX's layers have no dropout" if spec.dropout else None


def about():
    """Version."""
    return f"MLX {mx.__version__} on the CPU"
