"""JAX: a lax.scan over time for each layer and direction, compiled by XLA for the CPU; jax.vjp is the backward.

Nothing comes from ``reference``.  The input product of a layer is done before its scan, for all steps at once.  A training
step is two compiled programs, as ``forward`` and ``backward`` are two calls; the first hands its residuals to the second.
XLA compiles for each form of input, at the first call of that form.  It uses as many threads as the process has
processors when it starts; ``about`` says how many there are.
"""

import os
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)  # else float64 would be rounded to float32; float32 stays what it is

GATES = {"lstm": "ifgo", "gru": "rzn"}
POOL = "tf_XLAEigen"  # how XLA names the threads of its pool


def by_gate(spec, a):
    """(B, G·H)  ->  {gate: (B, H)}"""
    gates = GATES[spec.cell]
    return dict(zip(gates, jnp.split(a, len(gates), axis=-1), strict=True))


def rnn(spec, p, a_x, h):
    """One step: a_x (B, H) the input's half, h (B, H)  ->  (h,)"""
    a = a_x + h @ p["weight_hh"].T + p["bias_hh"]
    return (jnp.tanh(a) if spec.nonlinearity == "tanh" else jax.nn.relu(a),)


def lstm(spec, p, a_x, h, c):
    """One step: a_x (B, 4H), h (B, P), c (B, H)  ->  (h, c)"""
    a = by_gate(spec, a_x + h @ p["weight_hh"].T + p["bias_hh"])
    c = jax.nn.sigmoid(a["f"]) * c + jax.nn.sigmoid(a["i"]) * jnp.tanh(a["g"])
    h = jax.nn.sigmoid(a["o"]) * jnp.tanh(c)
    return (h @ p["weight_hr"].T if spec.proj_size else h), c


def gru(spec, p, a_x, h):
    """One step: a_x (B, 3H), h (B, H)  ->  (h,)"""

    def from_h(h):
        return by_gate(spec, h @ p["weight_hh"].T + p["bias_hh"])

    a_x, a_h = by_gate(spec, a_x), from_h(h)
    r, z = jax.nn.sigmoid(a_x["r"] + a_h["r"]), jax.nn.sigmoid(a_x["z"] + a_h["z"])
    n = jnp.tanh(a_x["n"] + (r * a_h["n"] if spec.reset_after else from_h(r * h)["n"]))
    return ((1 - z) * n + z * h,)


STEP = {"rnn": rnn, "lstm": lstm, "gru": gru}


def scan(spec, p, x, state, valid, reverse):
    """One layer, one direction: x (T, B, I), state a tuple, valid (T, B, 1) or None  ->  y (T, B, P), final state"""

    def step(s, at):
        a_x, inside = at
        new = STEP[spec.cell](spec, p, a_x, *s)
        if inside is not None:  # past a sequence's end nothing changes, so in reverse the state waits for the last step
            new = tuple(jnp.where(inside, after, before) for after, before in zip(new, s, strict=True))
        return new, new[0]

    final, y = lax.scan(step, state, (x @ p["weight_ih"].T + p["bias_ih"], valid), reverse=reverse)
    return y, final


def run(spec, weights, x, state, valid):
    """All layers and directions: x in the spec's layout, state stacked  ->  y, (h_n,) or (h_n, c_n)"""
    x, finals = jnp.swapaxes(x, 0, 1) if spec.batch_first else x, []
    for layer in range(spec.num_layers):
        outputs = []
        for suffix in ("", "_reverse")[: 1 + spec.bidirectional]:
            end = f"_l{layer}{suffix}"
            p = {name.removesuffix(end): v for name, v in weights.items() if name.endswith(end)}
            p = dict.fromkeys(("bias_ih", "bias_hh"), jnp.zeros((), x.dtype)) | p
            y, final = scan(spec, p, x, tuple(s[len(finals)] for s in state), valid, bool(suffix))
            outputs.append(y)
            finals.append(final)
        x = jnp.concatenate(outputs, axis=-1)
        x = x if valid is None else jnp.where(valid, x, jnp.zeros((), x.dtype))
    return jnp.swapaxes(x, 0, 1) if spec.batch_first else x, tuple(jnp.stack(v) for v in zip(*finals, strict=True))


def outside(spec, x, valid):
    """x (T, B, I) or (B, T, I) with zeros where no sequence is, whatever stood there"""
    return x if valid is None else jnp.where(jnp.swapaxes(valid, 0, 1) if spec.batch_first else valid, x, 0)


def apply(spec, weights, x, state, valid):
    """As run; x past the ends of the sequences does not count"""
    return run(spec, weights, outside(spec, x, valid), state, valid)


class Layer:
    """A stack of layers; ``backward`` is the pullback of the last ``forward``."""

    compiles = True

    def __init__(self, spec, weights):
        self.spec, self.weights = spec, {name: self.put(v) for name, v in weights.items()}
        f = partial(apply, spec)
        self.inference = jax.jit(f)
        self.recorded = jax.jit(lambda weights, x, state, valid: jax.vjp(lambda *v: f(*v, valid), weights, x, state))
        self.pulled = jax.jit(lambda pullback, d: pullback(d))
        self.pending = ()

    def put(self, array):
        """ndarray  ->  JAX array, a copy"""
        return jnp.array(array)

    def get(self, array):
        """JAX array  ->  ndarray"""
        return np.asarray(array)

    def sync(self):
        """Wait until what was asked last is done."""
        jax.block_until_ready(self.pending)

    def forward(self, x, state, lengths=None):
        (y, state_n), self.pullback = self.recorded(self.weights, x, *self.given(x, state, lengths))
        self.pending = y, state_n
        return y, state_n

    def infer(self, x, state, lengths=None):
        """The forward without what a backward would need."""
        self.pending = self.inference(self.weights, x, *self.given(x, state, lengths))
        return self.pending

    def backward(self, dy, dstate):
        dweights, dx, dstate_0 = self.pending = self.pulled(self.pullback, (dy, tuple(dstate)))
        return dx, dstate_0, dweights

    def given(self, x, state, lengths):
        """state or zeros, and which steps of which sequence there are (T, B, 1), None if all"""
        s = self.spec
        B, T = x.shape[:2] if s.batch_first else x.shape[1::-1]
        if state is None:
            widths = (s.proj_size or s.hidden_size, s.hidden_size)[: 2 if s.cell == "lstm" else 1]
            state = tuple(jnp.zeros((s.num_layers * (1 + s.bidirectional), B, width), x.dtype) for width in widths)
        valid = None if lengths is None else jnp.array(np.arange(T)[:, None, None] < np.reshape(lengths, (B, 1)))
        return tuple(state), valid


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
    return "this adapter runs XLA's CPU programs" if spec.device != "cpu" else None


def about():
    """Version, and the threads that XLA's pool really has.

    Returns
    -------
    str
        One line.
    """
    jax.block_until_ready(jnp.zeros(1))
    tasks = list(Path("/proc/self/task").glob("*/comm"))
    pool = sum(task.read_text(encoding="utf-8").strip() == POOL for task in tasks)
    threads = pool or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    return f"JAX {jax.__version__} (XLA on the CPU), {threads} threads"
