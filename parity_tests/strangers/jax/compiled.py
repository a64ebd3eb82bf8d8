"""What JAX's libraries share: each layer of a stack is one program forward and one backward, compiled once for each form.

A library gives ``run(spec, p, x, state, lengths)``, one layer in all its directions: p holds for each direction the weights by
torch's names without their endings, state for each direction (h,) or (h, c), or is None; it returns y and the new state.
What is composed here by hand: y of a layer is x of the next.  Programs are kept, as a layer that is loaded anew has a form
that was met before, and XLA takes a second for each; three without the flags below, which change what XLA makes of a program,
not the program, and are named in ``about``.  jax.scan has XLA's own.
"""

import os
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0")
import jax
import jax.numpy as jnp

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)  # else float64 would be rounded to float32; float32 stays what it is


@lru_cache(maxsize=32)  # of forms: those of a kind of cell
def programs(run, spec):
    """(forward that also gives its pullback, the pullback applied) of a function of weights, x, state and lengths"""
    recorded = jax.jit(lambda p, x, state, lengths: jax.vjp(lambda *v: run(spec, *v, lengths), p, x, state))
    return recorded, jax.jit(lambda pullback, d: pullback(d))


def form(spec, width=None):
    """What of a spec makes another program: its shapes do so by themselves."""
    spec = replace(spec, packed=False, state=True, T=None, B=None)
    return spec if width is None else replace(spec, input_size=width, num_layers=1)


def own(v):
    """A copy of each array, as JAX's: the caller may write into his, and JAX need not copy those that are aligned."""
    return None if v is None else jax.tree.map(jnp.array, v)


class Layer:
    """A stack of layers; ``backward`` is the pullback of the last ``forward``."""

    def __init__(self, run, spec, weights):
        self.ends = [[f"_l{k}{d}" for d in ("", "_reverse")[: 1 + spec.bidirectional]] for k in range(spec.num_layers)]
        self.weights = [tuple(of(weights, end) for end in ends) for ends in self.ends]
        widths = [p[0]["weight_ih"].shape[1] for p in self.weights]
        self.programs = [programs(run, form(spec, width)) for width in widths]

    def forward(self, x, state, lengths=None):
        y, state, lengths = own((x, state, lengths))
        self.pullbacks, finals = [], []
        for k, (recorded, _) in enumerate(self.programs):
            (y, final), pullback = recorded(self.weights[k], y, self.part(state, k), lengths)
            self.pullbacks.append(pullback)
            finals += final
        return y, joined(finals)

    def part(self, state, k):
        """Of a state of the stack that of layer k, by direction"""
        D = len(self.ends[k])
        return None if state is None else tuple(tuple(v[D * k + d] for v in state) for d in range(D))

    def backward(self, dy, dstate):
        d, dstate, gradients, starts = own(dy), own(tuple(dstate)), {}, []
        for k in reversed(range(len(self.programs))):
            dp, d, start = self.programs[k][1](self.pullbacks[k], (d, self.part(dstate, k)))
            starts = [*(start or ()), *starts]
            gradients |= {name + end: g for end, named in zip(self.ends[k], dp, strict=True) for name, g in named.items()}
        return d, joined(starts) or None, gradients


def of(weights, end):
    """The weights of one layer and direction"""
    return {name.removesuffix(end): jnp.array(v) for name, v in weights.items() if name.endswith(end)}


def joined(states):
    """[(h, c) of each layer and direction]  ->  (h, c) of all"""
    return tuple(np.stack(v) for v in zip(*states, strict=True))


def biases(spec, p):
    """b_ih and b_hh, zero where a library always has them and the spec has none"""
    zeros = jnp.zeros(p["weight_ih"].shape[0], p["weight_ih"].dtype)
    return (p["bias_ih"], p["bias_hh"]) if spec.bias else (zeros, zeros)


def valid(spec, x, lengths):
    """Which steps there are (T, B, 1), or (B, T, 1); None if all"""
    if lengths is None:
        return None
    there = jnp.arange(x.shape[spec.batch_first])[:, None] < lengths
    return (there.T if spec.batch_first else there)[..., None]


def inside(v, there):
    """Zero past the ends"""
    return v if there is None else jnp.where(there, v, jnp.zeros_like(v))


def by_cell(unroll, step):
    """The ``run`` of a library that has a cell, and no lengths: its state is held past an end, by hand.

    ``step(spec, p, x, s)`` is the cell; ``unroll`` runs it over time and is called as jax.lax.scan.
    """

    def held(spec, p, s, at):
        x, here = at
        new = step(spec, p, x, s)
        if here is not None:
            new = tuple(jnp.where(here, after, before) for after, before in zip(new, s, strict=True))
        return new, new[0]

    def run(spec, p, x, state, lengths):
        there = valid(spec, x, lengths)
        x, turned = inside(x, there), partial(jnp.swapaxes, axis1=0, axis2=1) if spec.batch_first else lambda v: v
        B = x.shape[not spec.batch_first]
        zeros = tuple(jnp.zeros((B, n), x.dtype) for n in spec.state_sizes)
        outputs, finals = [], []
        for d, weights in enumerate(p):
            steps = turned(x), None if there is None else turned(there)
            final, y = unroll(partial(held, spec, weights), zeros if state is None else state[d], steps, reverse=bool(d))
            finals.append(final)
            outputs.append(turned(y))
        return inside(jnp.concatenate(outputs, -1), there), tuple(finals)

    return run


def about(name, version):
    """What is run, in a line, with the flags that change what XLA makes of it"""
    flags = "".join(f", {flag}" for flag in os.environ.get("XLA_FLAGS", "").split())
    return f"{name} {version}, JAX {jax.__version__} (XLA on the CPU{flags})"


def declines(spec):
    """A reason that holds for all of them, or None."""
    if spec.device != "cpu":
        return "this adapter runs XLA's CPU programs"
    if spec.dropout:
        return "no dropout between layers"
    return "no projection" if spec.proj_size else None
