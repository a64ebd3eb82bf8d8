"""PaddlePaddle's nn.SimpleRNN, nn.LSTM and nn.GRU on the CPU, its own sequence_length and directions; paddle.grad is the backward.

Run with paddlepaddle 3.3.1.  Paddle promises neither that it ignores what stands past a sequence's end nor what it
returns there: x and dy are given to it with zeros there, and its y gets them; its dx is judged as it is.
"""

import numpy as np
import paddle

from .lengths import valid

THREADS = "FLAGS_paddle_num_threads"
paddle.set_device("cpu")


def tensor(array, **options):
    """ndarray  ->  paddle's, a copy"""
    return paddle.to_tensor(np.ascontiguousarray(array), **options)


def turned(name, v):
    """Paddle has a projection's weight turned over."""
    return np.ascontiguousarray(v.T if name.startswith("weight_hr") else v)


class Layer:
    """One of paddle's layers; ``backward`` is that of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec = spec
        options = {"num_layers": spec.num_layers, "time_major": not spec.batch_first}
        options["direction"] = "bidirect" if spec.bidirectional else "forward"
        if spec.cell == "rnn":
            options["activation"] = spec.nonlinearity
        if spec.proj_size:
            options["proj_size"] = spec.proj_size
        if not spec.bias:
            options |= {"bias_ih_attr": False, "bias_hh_attr": False}
        paddle.set_default_dtype(spec.dtype)
        kind = {"rnn": paddle.nn.SimpleRNN, "lstm": paddle.nn.LSTM, "gru": paddle.nn.GRU}[spec.cell]
        self.module = kind(spec.input_size, spec.hidden_size, **options)
        self.weights = {name: self.parameter(*name.split("_", 2)) for name in weights}
        for name, w in weights.items():  # torch's gate order
            self.weights[name].set_value(turned(name, w))

    def parameter(self, kind, which, end):
        """Of a cell of paddle's: ("weight", "ih", "l0_reverse")"""
        layer = self.module[int(end.removesuffix("_reverse")[1:])]
        cell = layer.cell if not self.spec.bidirectional else layer.cell_bw if end.endswith("_reverse") else layer.cell_fw
        return getattr(cell, f"{kind}_{'ho' if which == 'hr' else which}")

    def forward(self, x, state, lengths=None):
        self.valid = valid(self.spec, x, lengths)
        self.inputs = [tensor(v, stop_gradient=False) for v in (np.where(self.valid, x, 0), *(state or ()))]
        h, *c = self.inputs[1:] or [None]
        given = (h, *c) if c else h
        ends = None if lengths is None else tensor(np.asarray(lengths, np.int32))
        y, state_n = self.module(self.inputs[0], given, sequence_length=ends)
        self.outputs = [y, *(state_n if self.spec.cell == "lstm" else [state_n])]
        y, *state_n = (v.numpy() for v in self.outputs)
        return np.where(self.valid, y, 0), tuple(state_n)

    def backward(self, dy, dstate):
        wanted, given = [*self.inputs, *self.weights.values()], [tensor(d) for d in (np.where(self.valid, dy, 0), *dstate)]
        dx, *rest = (g.numpy() for g in paddle.grad(self.outputs, wanted, given))
        n = len(self.inputs) - 1
        dweights = zip(self.weights, rest[n:], strict=True)
        return dx, tuple(rest[:n]) or None, {name: turned(name, d) for name, d in dweights}


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs paddle's CPU kernels"
    if spec.cell == "gru" and not spec.reset_after:
        return "paddle's GRU resets after the product only"
    if spec.dropout:
        return "this adapter has no dropout"
    return None


def about():
    """Version and threads."""
    return f"PaddlePaddle {paddle.__version__} on the CPU, {paddle.get_flags(THREADS)[THREADS]} thread"
