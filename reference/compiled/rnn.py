"""The Elman RNN compiled: the verbs of ``reference.cells.rnn`` as loops, held to it by the parity suite.  As lstm.py, but
that a step's place for its argument is that of its state: the backward needs nothing else."""

from typing import NamedTuple

import numpy as np

from ..cells.rnn import GATES, Params, State, step_backward, step_forward
from ..common.arrays import Array, rows
from .elementary import slope_of_tanh, tanh
from .jit import apart, compiled
from .packed import run_backward, run_forward, run_inference
from .products import add, add_product, clear
from .steps import AT_ONCE, KEPT, chunks_from_the_end, in_panels, input_product, ready, steps_at_once, sum_over_steps
from .threads import share
from .vectors import ROWS

__all__ = ["GATES", "Cache", "Folded", "Params", "State", "accumulate", "backward", "finished", "folded", "forward", "infer",
           "run", "run_backward", "run_forward", "run_inference", "step_backward", "step_forward", "turned", "zeros"]


class Folded(NamedTuple):
    """Params as a forward multiplies by them."""

    p: Params
    W_ih: Array  # (H, I)ᵀ in panels
    W_hh: Array  # (H, H)ᵀ in panels
    b: Array     # (H,)


class Turned(NamedTuple):
    """Params as a backward multiplies by them."""

    W_ih: Array  # (H, I) in panels
    W_hh: Array  # (H, H) in panels


class Cache(NamedTuple):
    p: Params
    x: Array           # (T, B, I)
    h: Array           # (T+1, B, H)   h[t] enters step t, h[t+1] leaves it
    nonlinearity: str  # "tanh" or "relu"


@compiled
def activate(h, r, rows, relu):
    """One step: the rows of h from r on, arguments, become the state"""
    apart()
    for n in range(rows):
        a = h[r + n]
        if relu:
            for j in range(len(a)):
                a[j] = 0 if a[j] <= 0 else a[j]                             # R2
        else:
            for j in range(len(a)):
                a[j] = tanh(a[j])                                           # R2


@compiled
def deltas(h, r, dh, q, D, d, rows, relu):
    """The adjoint of activate: what arrives at h, in dh from row q on  ->  D from d on"""
    apart()
    for n in range(rows):
        state, arrives, da = h[r + n], dh[q + n], D[d + n]
        if relu:
            for j in range(len(da)):
                da[j] = 0 if state[j] <= 0 else arrives[j]                  # R2*
        else:
            for j in range(len(da)):
                da[j] = arrives[j] * slope_of_tanh(state[j])                # R2*


@compiled
def forward_steps(x, h, W_ih, W_hh, b, T, B, at_once, relu, n0, n1):
    """All steps of the sequences n0 to n1; rows of steps each"""
    edge = np.empty((ROWS, W_ih.shape[2]), x.dtype)
    H, sequences = h.shape[1], n1 - n0
    for start in range(0, T, at_once):
        steps = min(at_once, T - start)
        input_product(x, W_ih, b, h, start, start + 1, steps, B, n0, n1, 0, H, edge)              # R1
        for t in range(start, start + steps):
            now, after = t * B + n0, (t + 1) * B + n0
            add_product(h, now, 0, W_hh, h, after, 0, sequences, H, 1, 0, t % 2 == 0, edge)       # R1
            activate(h, after, sequences, relu)


@compiled
def backward_steps(h, dy, dh, D, W_hh, start, stop, B, relu, n0, n1):
    """The steps from stop - 1 to start of the sequences n0 to n1: dh (B, H) in place, and D (·, H) for what is summed"""
    edge = np.empty((ROWS, W_hh.shape[2]), dy.dtype)
    H, sequences = h.shape[1], n1 - n0
    for t in range(stop - 1, start - 1, -1):
        here, now, after = (t - start) * B + n0, t * B + n0, (t + 1) * B + n0
        add(dy, now, dh, n0, sequences)
        deltas(h, after, dh, n0, D, here, sequences, relu)
        clear(dh, n0, n1)
        add_product(D, here, 0, W_hh, dh, n0, 0, sequences, H, 1, 0, t % 2 == 0, edge)            # R1*


def folded(p: Params) -> Folded:
    """Params  ->  Folded"""
    return Folded(p, in_panels(p.W_ih, True), in_panels(p.W_hh, True), p.b_ih + p.b_hh)


def turned(p: Params) -> Turned:
    """Params  ->  Turned"""
    return Turned(in_panels(p.W_ih, False), in_panels(p.W_hh, False))


def forward(p: Params, x: Array, s: State, nonlinearity: str = "tanh") -> tuple[Array, State, Cache]:
    """x (T, B, I), State  ->  y (T, B, H), State, Cache"""
    return run(folded(p), x, s, nonlinearity)


def infer(p: Params, x: Array, s: State, nonlinearity: str = "tanh") -> tuple[Array, State]:
    """forward, with nothing kept for a backward: x (T, B, I), State  ->  y (T, B, H), State"""
    return run(folded(p), x, s, nonlinearity)[:2]


def run(w: Folded, x: Array, s: State, nonlinearity: str = "tanh", keep: bool = True) -> tuple[Array, State, Cache]:
    """forward with weights that are laid out.  ``keep`` changes nothing: a step keeps only the state, which is also y."""
    (T, B, I), H, x = x.shape, s.h.shape[1], ready(x)
    k = Cache(w.p, x, np.empty((T + 1, B, H), x.dtype), nonlinearity)
    k.h[0], at_once = s.h, steps_at_once(B, H, AT_ONCE)
    share(forward_steps, B, T * B * H * (I + H), rows(x), rows(k.h), *w[1:], T, B, at_once, nonlinearity == "relu")
    return k.h[1:], State(k.h[T]), k


def backward(dy: Array, ds: State, k: Cache) -> tuple[Params, Array, State]:
    """The adjoint of forward: d(outputs), Cache  ->  d(inputs), in forward's order"""
    dp = zeros(k.p)
    dx, ds = accumulate(dy, ds, k, turned(k.p), dp)
    return finished(dp), dx, ds


def zeros(p: Params) -> Params:
    """Where ``accumulate`` adds up: b_hh has no place of its own"""
    return Params(*(np.zeros(v.shape, v.dtype) for v in p))


def finished(dp: Params) -> Params:
    """What was added up  ->  the gradient"""
    return dp._replace(b_hh=dp.b_ih.copy())                                 # R1*


def accumulate(dy: Array, ds: State, k: Cache, w: Turned, dp: Params) -> tuple[Array, State]:
    """A segment's backward: dy (T, B, H), State, Cache  ->  dx (T, B, I), State; the gradients of Params are added to dp"""
    (T, B, H), dy, dx, dh = dy.shape, ready(dy), np.empty_like(k.x), np.array(ds.h, order="C")
    at_once = steps_at_once(B, H, KEPT)
    D = np.empty((min(at_once, T) * B, H), dy.dtype)
    for start, stop in chunks_from_the_end(T, at_once):
        R, relu = (stop - start) * B, k.nonlinearity == "relu"
        share(backward_steps, B, R * H * H, rows(k.h), rows(dy), dh, D, w.W_hh, start, stop, B, relu)
        of_weights = [(D[:R], 0, rows(k.x), start * B, dp.W_ih), (D[:R], 0, rows(k.h), start * B, dp.W_hh)]     # R1*
        sum_over_steps(D[:R], w.W_ih, rows(dx), start * B, of_weights, dp.b_ih)                                 # R1*
    return dx, State(dh)
