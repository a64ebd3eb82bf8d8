"""TensorFlow 2.21.0: tf.raw_ops.BlockLSTM, all steps at once, and GRUBlockCell, one step.

GradientTape is the backward of BlockLSTM; GRUBlockCell is forward only: "gradient registry has no entry for: GRUBlockCell".
Composed by hand: layers, the reverse direction (turned before and after), and for GRUBlockCell the loop.  Both are float32 only.
BlockLSTM has its gates in the order i c f o, one bias (zero where the spec has none) and by default adds 1 to f and clips the
cell state at 3, which is turned off here; GRUBlockCell has r and u, and resets before the product.
"""

import numpy as np
import tensorflow as tf

TORCH = {"lstm": "ifgo", "gru": "rzn"}


def by_gate(cell, order, v):
    """(G·H, ...) in torch's order of gates  ->  in TensorFlow's"""
    blocks = dict(zip(TORCH[cell], tf.split(v, len(order)), strict=True))
    return tf.concat([blocks[gate] for gate in order], 0)


def lstm(op, order, p, x, h, c, **options):
    """y, h and c of one direction"""
    w = tf.concat([by_gate("lstm", order, p[name]) for name in ("weight_ih", "weight_hh")], 1)
    peephole, steps = tf.zeros_like(h[0]), tf.constant(len(x), tf.int64)
    given = {"w": tf.transpose(w), "wci": peephole, "wcf": peephole, "wco": peephole, "b": by_gate("lstm", order, p["bias"])}
    _, c, _, _, _, _, y = op(seq_len_max=steps, x=x, cs_prev=c, h_prev=h, cell_clip=0.0, use_peephole=False, **given, **options)
    return y, y[-1], c[-1]


def gru(p, x, h):
    """y and h of one direction"""
    (r, z, n), (b_r, b_z, b_n) = tf.split(tf.concat([p["weight_ih"], p["weight_hh"]], 1), 3), tf.split(p["bias"], 3)
    given = {"w_ru": tf.transpose(tf.concat([r, z], 0)), "w_c": tf.transpose(n), "b_ru": tf.concat([b_r, b_z], 0), "b_c": b_n}
    y = []
    for x_t in tf.unstack(x):
        *_, h = tf.raw_ops.GRUBlockCell(x=x_t, h_prev=h, **given)
        y.append(h)
    return tf.stack(y), h


def lstm_v1(*given):
    return lstm(tf.raw_ops.BlockLSTM, "igfo", *given, forget_bias=0.0)


class ForwardOnly:
    """A stack of layers."""

    def __init__(self, spec, weights, lstm=lstm_v1):
        self.spec, self.cell = spec, {"lstm": lstm, "gru": gru}[spec.cell]
        self.weights = {name: tf.constant(v.copy()) for name, v in weights.items()}

    def run(self, x, state):
        x, finals = tf.transpose(x, (1, 0, 2)) if self.spec.batch_first else x, []
        for k in range(self.spec.num_layers):
            outputs = []
            for end in (f"_l{k}", f"_l{k}_reverse")[: 1 + self.spec.bidirectional]:
                p = {name: self.weights[name + end] for name in ("weight_ih", "weight_hh")}
                zeros = tf.zeros(len(p["weight_ih"]))
                p["bias"] = self.weights["bias_ih" + end] + self.weights["bias_hh" + end] if self.spec.bias else zeros
                turned = (lambda v: tf.reverse(v, [0])) if end.endswith("reverse") else lambda v: v
                y, *final = self.cell(p, turned(x), *(s[len(finals)] for s in state))
                outputs.append(turned(y))
                finals.append(final)
            x = tf.concat(outputs, -1)
        y = tf.transpose(x, (1, 0, 2)) if self.spec.batch_first else x
        return [y, *(tf.stack(v) for v in zip(*finals, strict=True))]

    def forward(self, x, state, lengths=None):
        B, layers = x.shape[not self.spec.batch_first], self.spec.num_layers * (1 + self.spec.bidirectional)
        zeros = [np.zeros((layers, B, width), x.dtype) for width in self.spec.state_sizes]
        self.inputs = [tf.constant(v.copy()) for v in (x, *(zeros if state is None else state))]
        with tf.GradientTape() as self.tape:
            self.tape.watch([self.inputs, self.weights])
            self.outputs = self.run(self.inputs[0], self.inputs[1:])
        y, *state_n = (v.numpy().copy() for v in self.outputs)
        return y, tuple(state_n)


class Layer(ForwardOnly):
    """Likewise; ``backward`` is that of the last ``forward``."""

    def backward(self, dy, dstate):
        d = [tf.constant(v.copy()) for v in (dy, *dstate)]
        (dx, *dstate_0), dweights = self.tape.gradient(self.outputs, [self.inputs, self.weights], d)
        return dx.numpy(), tuple(v.numpy() for v in dstate_0), {name: v.numpy().copy() for name, v in dweights.items()}


def load(spec, weights):
    return (Layer if spec.cell == "lstm" else ForwardOnly)(spec, weights)


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs TensorFlow's CPU kernels"
    if spec.dtype != "float32":
        return "BlockLSTM and GRUBlockCell take float32 only"
    if spec.packed:
        return "one seq_len_max for all sequences"
    if spec.cell == "rnn":
        return "TensorFlow has no such operation for a plain RNN"
    if spec.cell == "gru" and spec.reset_after:
        return "GRUBlockCell resets before the product"
    if spec.dropout:
        return "no dropout between layers"
    return "no projection" if spec.proj_size else None


def about():
    """Version."""
    return f"TensorFlow {tf.__version__}, BlockLSTM and GRUBlockCell"
