"""JAX: a lax.scan over time for each layer and direction, compiled by XLA for the CPU; jax.vjp is the backward.

A training step is two compiled programs, as ``forward`` and ``backward`` are two calls; the first hands its residuals to the
second.  XLA compiles for each form of input, at the first call of that form.  It uses as many threads as the process has
processors when it starts; ``about`` says how many there are.  Run with JAX 0.10.2.
"""

import os
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ..equations import GATES as GATES
from ..equations import opened, stack, steps

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)  # else float64 would be rounded to float32; float32 stays what it is

POOL = "tf_XLAEigen"  # how XLA names the threads of its pool
STEP = steps(jnp, jax.nn.sigmoid)


class Layer:
    """A stack of layers; ``backward`` is the pullback of the last ``forward``."""

    compiles = True

    def __init__(self, spec, weights):
        self.spec, self.weights = spec, {name: self.put(v) for name, v in weights.items()}
        run = partial(stack, jnp, STEP, jax.lax.scan, spec)
        self.inference = jax.jit(run)
        self.recorded = jax.jit(lambda weights, x, state, valid: jax.vjp(lambda *v: run(*v, valid), weights, x, state))
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
        (y, state_n), self.pullback = self.recorded(self.weights, x, *opened(self.spec, x, state, lengths))
        self.pending = y, state_n
        return y, state_n

    def infer(self, x, state, lengths=None):
        """The forward without what a backward would need."""
        self.pending = self.inference(self.weights, x, *opened(self.spec, x, state, lengths))
        return self.pending

    def backward(self, dy, dstate):
        dweights, dx, dstate_0 = self.pending = self.pulled(self.pullback, (dy, tuple(dstate)))
        return dx, dstate_0, dweights


load = Layer


def declines(spec):
    """A reason, or None."""
    if spec.dropout:
        return "this adapter has no dropout"
    return "this adapter runs XLA's CPU programs" if spec.device != "cpu" else None


def about():
    """Version, and the threads that XLA's pool really has."""
    jax.block_until_ready(jnp.zeros(1))
    tasks = list(Path("/proc/self/task").glob("*/comm"))
    pool = sum(task.read_text(encoding="utf-8").strip() == POOL for task in tasks)
    threads = pool or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    return f"JAX {jax.__version__} (XLA on the CPU), {threads} threads"
