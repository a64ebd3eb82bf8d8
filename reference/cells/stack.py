"""Layers x directions x dropout x packed sequences, over any room.  Derivation: notes/cells/stack.md

    segments   a packed batch is a run of dense blocks in which the batch size is constant     (S1)
    flip       the reverse direction is the forward one on each sequence turned round          (S2)
    layers     the input of a layer is  y_forward | y_reverse  of the layer below              (S3)
    dropout    between layers only:  x = y ∘ keep / (1 - p)                                     (S4)

Everything is *packed rows*: (N, F), time-major, the longest sequence first, N = sum of batch_sizes.
A dense batch is the packed batch in which every sequence has the same length.
S2* labels the adjoint of S2.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import groupby
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from ..common.arrays import Array, join, rows, split, stacked
from ..common.packing import lengths_of, positions

# NamedTuples of arrays, whose fields differ from room to room.
Params: TypeAlias = Any
State: TypeAlias = Any
Cached: TypeAlias = Any         # a room's Cache
Nested = list[list[Any]]        # Params or State of each layer and direction
Option = str | bool             # of a room: its nonlinearity, or where it resets


class Room(Protocol):
    """The verbs of one layer and direction: ``rnn``, ``lstm``, ``gru``, and those of ``fast``."""

    __name__: str
    GATES: str
    Params: Any
    State: Any

    @property
    def forward(self) -> Callable[..., tuple[Array, Any, Any]]: ...

    @property
    def deltas(self) -> Callable[..., Any]: ...

    @property
    def backward(self) -> Callable[..., tuple[Any, Array, Any]]: ...


class Layer(NamedTuple):
    """What backward needs of one layer."""

    runs: list[list[Cached]]    # per direction: the room's cache of each segment
    keep: Array | None          # (N, D·P)    dropout mask of this layer's input


class Cache(NamedTuple):
    layers: list[Layer]
    batch_sizes: Array  # (T,)
    p: float            # dropout probability


def segments(batch_sizes: Array) -> list[tuple[int, int]]:
    """batch_sizes (T,)  ->  [(steps, batch size) of each dense block]"""
    if batch_sizes[0] == batch_sizes[-1]:           # they never grow: it is one block
        return [(len(batch_sizes), int(batch_sizes[0]))]
    return [(len(list(block)), int(B)) for B, block in groupby(batch_sizes)]                        # S1


def flip(batch_sizes: Array) -> Array:
    """The permutation (N,) of packed rows that turns each sequence round in place; it is its own inverse."""
    t, b = positions(batch_sizes)
    start = np.flatnonzero(b == 0)                  # (T,)    the row in which each step begins
    last = lengths_of(batch_sizes)[b] - 1
    return start[last - t] + b                                                                      # S2


def take(state: State, part: slice) -> State:
    """The sequences ``part`` of a State."""
    return type(state)(*(v[part] for v in state))


def concat(*states: State) -> State:
    """Several States, one below the other."""
    return type(states[0])(*map(np.concatenate, zip(*states, strict=True)))


def run_forward(room: Room, p: Params, x: Array, s: State, batch_sizes: Array,
                options: dict[str, Option]) -> tuple[Array, State, list[Cached]]:
    """One layer, one direction: x (N, I), State of (B, ·)  ->  y (N, P), State, [cache of each segment]"""
    ys: list[Array] = []
    ended: list[State] = []
    caches, row = [], 0
    for T, B in segments(batch_sizes):
        if len(s.h) > B:
            ended.insert(0, take(s, slice(B, None)))                                                # S1
        block = x[row : row + T * B].reshape(T, B, x.shape[-1])
        y, s, cache = room.forward(p, block, take(s, slice(B)), **options)
        ys.append(rows(y))
        caches.append(cache)
        row += T * B
    return stacked(ys), concat(s, *ended) if ended else s, caches


def run_backward(room: Room, dy: Array, ds_n: State, caches: list[Cached],
                 batch_sizes: Array) -> tuple[Params, Array, State]:
    """The adjoint of run_forward: dy (N, P), State  ->  dp, dx (N, I), State"""
    gradients, ds = backwards(room.backward, dy, ds_n, caches, batch_sizes)
    dps, dxs = zip(*gradients, strict=True)
    return reduce(add, reversed(dps)), stacked([rows(dx) for dx in dxs]), ds                        # S1*


def backwards(block_backward: Callable[[Array, State, Cached], tuple], dy: Array, ds_n: State, caches: list[Cached],
              batch_sizes: Array) -> tuple[list[tuple], State]:
    """From the last segment to the first: ``block_backward(dy (T, B, P), State, cache) -> *gradients, State``

    ->  the gradients of each segment, in forward's order, and the State of (B, ·)
    """
    gradients: list[tuple] = []
    blocks, end = segments(batch_sizes), len(dy)
    ds = take(ds_n, slice(blocks[-1][1]))
    for (T, B), cache in zip(reversed(blocks), reversed(caches), strict=True):
        if len(ds.h) < B:
            ds = concat(ds, take(ds_n, slice(len(ds.h), B)))                                        # S1*
        block = dy[end - T * B : end].reshape(T, B, dy.shape[-1])
        *own, ds = block_backward(block, ds, cache)
        gradients.insert(0, tuple(own))
        end -= T * B
    return gradients, ds


def add(p: Params, q: Params) -> Params:
    """Two Params, field by field."""
    return type(p)(*(None if u is None else u + v for u, v in zip(p, q, strict=True)))


def forward(room: Room, params: Nested, x: Array, states: Nested, batch_sizes: Array, keep: Sequence[Array] = (),
            p: float = 0.0, **options: Option) -> tuple[Array, Nested, Cache]:
    """The whole stack.

    room     the verbs of one layer and direction: ``rnn``, ``lstm``, ``gru``; a room may have its own run_forward and
             run_backward, as those of ``fast`` do
    params   a list of D Params for each layer; states likewise, State of (B, ·) each
    x        (N, I) packed rows
    keep     dropout masks (N, D·P), one for each layer but the last, or none at all
    options  passed on to the room's forward

    ->  y (N, D·P), which may share memory with the Cache, states, Cache
    """
    run = getattr(room, "run_forward", run_forward)
    turn = flip(batch_sizes) if len(params[0]) > 1 else None
    layers, states_n = [], []
    for layer, (ps, ss) in enumerate(zip(params, states, strict=True)):
        mask = keep[layer - 1] if len(keep) and layer else None
        if mask is not None:
            x = x * mask * scale(p)                                                                 # S4
        ys, s_n, runs = [], [], []
        for direction, (weights, s) in enumerate(zip(ps, ss, strict=True)):
            y, s, caches = run(room, weights, x[turn] if direction else x, s, batch_sizes, options)
            ys.append(y[turn] if direction else y)                                                  # S2
            s_n.append(s)
            runs.append(caches)
        x = join(*ys)                                                                               # S3
        layers.append(Layer(runs, mask))
        states_n.append(s_n)
    return x, states_n, Cache(layers, batch_sizes, p)


def backward(room: Room, dy: Array, dstates_n: Nested, k: Cache) -> tuple[Nested, Array, Nested]:
    """The adjoint of forward: d(outputs), Cache  ->  dparams, dx (N, I), dstates"""
    run = getattr(room, "run_backward", run_backward)
    turn = flip(k.batch_sizes) if len(k.layers[0].runs) > 1 else None
    dparams: list[list] = []
    dstates: list[list] = []
    for layer, ds_n in zip(reversed(k.layers), reversed(dstates_n), strict=True):
        dys = split(dy, len(layer.runs))                                                            # S3*
        dps, dss = [], []
        dx: Any = None
        for direction, caches in enumerate(layer.runs):
            d = dys[direction][turn] if direction else dys[direction]                               # S2*
            dp, d, ds = run(room, d, ds_n[direction], caches, k.batch_sizes)
            d = d[turn] if direction else d                                                         # S2*
            dx = d if dx is None else dx + d                                                        # S3*
            dps.append(dp)
            dss.append(ds)
        dy = dx if layer.keep is None else dx * layer.keep * scale(k.p)                             # S4*
        dparams.insert(0, dps)
        dstates.insert(0, dss)
    return dparams, dy, dstates


def scale(p: float) -> float:
    """What inverted dropout multiplies the kept values by; p = 1 keeps nothing."""
    return 1 / (1 - p) if p < 1 else 0.0
