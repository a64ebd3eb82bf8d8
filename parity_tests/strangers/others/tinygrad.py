"""tinygrad's nn.LSTMCell on the CPU, the only recurrent layer that it has; its own gradient is the backward.

Run with tinygrad 0.14.0.  The loop over time, layers, directions and lengths are put together here.  It compiles what it has
not compiled before, by clang, which ``pip install ziglang`` brings where there is none.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

os.environ.setdefault("DEV", "CPU")
os.environ.setdefault("PARALLEL", "0")  # no processes that compile: a case is judged in one that may be ended
if not shutil.which("clang") and importlib.util.find_spec("ziglang"):
    FOLDER = tempfile.TemporaryDirectory()  # goes when this process ends by itself
    clang = Path(FOLDER.name) / "clang"
    clang.write_text(f'#!/bin/sh\nexec {sys.executable} -m ziglang clang "$@"\n', encoding="utf-8")
    clang.chmod(0o755)
    os.environ.setdefault("CC", str(clang))
from tinygrad import Tensor, nn

from .lengths import ends, valid


class Layer:
    """A loop over tinygrad's cell; ``backward`` is that of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec, self.weights = spec, {name: put(w) for name, w in weights.items()}

    def cell(self, end):
        """tinygrad's cell with the weights of one layer and direction."""
        p = {k.removesuffix(end): w for k, w in self.weights.items() if k.endswith(end)}
        cell = nn.LSTMCell(p["weight_ih"].shape[1], self.spec.hidden_size, self.spec.bias)
        vars(cell).update({"bias_ih": None, "bias_hh": None} | p)
        return cell

    def forward(self, x, state, lengths=None):
        self.valid = valid(self.spec, x, lengths)
        self.weights = {name: Tensor(w.numpy()) for name, w in self.weights.items()}  # of this call's graph alone
        self.inputs = [put(np.where(self.valid, x, 0)), *map(put, state or ())]
        y, *state = self.inputs
        y = y if self.spec.batch_first else y.transpose(0, 1)
        B, T, _ = y.shape
        last, order = ends(T, B, lengths)
        finals = []
        for layer in range(self.spec.num_layers):
            outputs = []
            for suffix in ("", "_reverse")[: 1 + self.spec.bidirectional]:
                cell, given = self.cell(f"_l{layer}{suffix}"), taken(y, order) if suffix else y
                s, steps = tuple(v[len(finals)] for v in state) or None, []
                for t in range(T):
                    s = cell(given[:, t], s)
                    steps.append(s)
                h, c = (Tensor.stack(*v, dim=1) for v in zip(*steps, strict=True))
                finals.append([taken(v, last[:, None])[:, 0] for v in (h, c)])
                outputs.append(taken(h, order) if suffix else h)
            y = outputs[0].cat(*outputs[1:], dim=-1)
        y = y if self.spec.batch_first else y.transpose(0, 1)
        self.outputs = [y, *(Tensor.stack(*v) for v in zip(*finals, strict=True))]
        y, *state_n = (v.numpy() for v in self.outputs)
        return np.where(self.valid, y, 0), tuple(state_n)

    def backward(self, dy, dstate):
        given = map(put, (np.where(self.valid, dy, 0), *dstate))
        loss = sum((v * d).sum() for v, d in zip(self.outputs, given, strict=True))
        dx, *rest = (g.numpy() for g in loss.gradient(*self.inputs, *self.weights.values()))
        n = len(self.inputs) - 1
        return np.where(self.valid, dx, 0), tuple(rest[:n]) or None, dict(zip(self.weights, rest[n:], strict=True))


def put(v):
    """ndarray  ->  tensor, a copy"""
    return Tensor(np.array(v, order="C"))


def taken(v, steps):
    """v (B, T, ·), steps (B, n)  ->  (B, n, ·)"""
    return v[Tensor(np.arange(len(steps), dtype=np.int32)[:, None]), Tensor(np.array(steps))]


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs tinygrad on the CPU"
    if spec.cell != "lstm":
        return "tinygrad has an LSTMCell only"
    if spec.proj_size:
        return "tinygrad's LSTMCell has no projection"
    return "this adapter has no dropout" if spec.dropout else None


def about():
    """Version."""
    return f"tinygrad {importlib.metadata.version('tinygrad')} on the CPU"
