"""Gradient flow: what becomes of a gradient on its way back through time.  Derivation: notes/gradients/gradient_flow.md

    ds_t = ds_{t+1} J_t + the caller's gradient at s_t,  J_t = ∂s_{t+1} / ∂s_t       (GF1)
    P_t  = J_{T-1} ⋯ J_t = ∂s_T / ∂s_t                                               (GF2)
    σ, ρ = singular values and spectral radius of a square matrix                    (GF3)
    n_t  = ‖ds_t‖                                                                    (GF4)

s is the state as one row: h, and for an LSTM h | c, of S features.  T time, B batch.
A room is one of rnn, lstm, gru, and k the Cache of its forward.
"""

from typing import NamedTuple

import numpy as np

from ..cells.stack import Cached, Room, State
from ..common.arrays import Array, join, split


class Spectrum(NamedTuple):
    singular: Array  # (..., S)   largest first
    radius: Array    # (...)      largest modulus of an eigenvalue


def norms(room: Room, dy: Array, ds_n: State, k: Cached) -> State:
    """d(outputs), Cache  ->  State of (T+1, B): the norm of each sequence's gradient at each state

    That of c[t] is what arrives from the step after it, with h[t] held fixed: c and h are two parts of one state.
    """
    d = room.deltas(dy, ds_n, k)
    return room.State(*(np.linalg.norm(getattr(d, f"d{name}"), axis=-1) for name in room.State._fields))  # GF4


def step_jacobians(room: Room, k: Cached, b: int = 0) -> Array:
    """Cache, sequence b  ->  J (T, S, S): J[t, i, j] is the derivative of feature i of s[t+1] with respect to feature j of s[t]

    The step's own backward, run on all T steps and all S unit vectors as one batch of T·S rows.
    """
    states = [getattr(k, name)[:, b] for name in room.State._fields]
    T, S = len(states[0]) - 1, sum(s.shape[-1] for s in states)
    unit = np.tile(np.eye(S, dtype=k.x.dtype), (T, 1))
    ds = room.State(*np.split(unit, np.cumsum([s.shape[-1] for s in states])[:-1], axis=-1))
    one = one_step(room, take_sequence(room, k, b), S)
    d = room.deltas(np.zeros_like(ds.h)[None], ds, one)
    return join(*(getattr(d, f"d{name}")[0] for name in room.State._fields)).reshape(T, S, S)             # GF1


def take_sequence(room: Room, k: Cached, b: int) -> Cached:
    """The Cache of sequence b alone, B = 1"""
    return k._replace(**{name: v[:, b : b + 1] for name, v in k._asdict().items() if is_series(name, v)})


def one_step(room: Room, k: Cached, copies: int) -> Cached:
    """A Cache of T steps and one sequence  ->  that of one step and T·copies sequences, each step ``copies`` times"""
    def batched(v: Array) -> Array:
        return np.repeat(v[:, 0], copies, axis=0)[None]

    series = {name: v for name, v in k._asdict().items() if is_series(name, v)}
    states = {name: np.concatenate([batched(v[:-1]), batched(v[1:])])
              for name, v in series.items() if name in room.State._fields}
    return k._replace(**{name: batched(v) for name, v in series.items()} | states)


def is_series(name: str, value: object) -> bool:
    """Whether a field of a Cache has a time and a batch axis"""
    return name != "p" and isinstance(value, np.ndarray)


def products(J: Array) -> Array:
    """J (T, S, S)  ->  P (T+1, S, S): P[t] is the derivative of the last state in s[t]; P[T] is the identity"""
    P = np.empty((len(J) + 1, *J.shape[1:]), J.dtype)
    P[-1] = np.eye(J.shape[-1])
    for t in reversed(range(len(J))):
        P[t] = P[t + 1] @ J[t]                                                                            # GF2
    return P


def spectrum(J: Array) -> Spectrum:
    """(..., S, S)  ->  Spectrum"""
    return Spectrum(np.linalg.svd(J, compute_uv=False), np.abs(np.linalg.eigvals(J)).max(-1))             # GF3


def gain_bound(room: Room, k: Cached, b: int = 0) -> Array:
    """Cache, sequence b  ->  (T,): a bound on the largest singular value of each J_t of an RNN

    ‖J_t‖ <= max φ'(a_t) · ‖W_hh‖: a row scaled by φ' cannot grow by more than the largest φ'.
    """
    if "nonlinearity" not in k._fields:
        raise ValueError(f"gain_bound knows the RNN only, got {room.__name__}")
    h = k.h[1:, b]
    slope = 1 - h**2 if k.nonlinearity == "tanh" else (h > 0).astype(h.dtype)
    return slope.max(-1) * np.linalg.norm(k.p.W_hh, 2)                                                    # GF3


def memory(room: Room, k: Cached, b: int = 0) -> Array:
    """Cache of an LSTM or a GRU, sequence b  ->  (T, H): the factor of the path that meets no matrix, f or z"""
    if "gates" not in k._fields:
        raise ValueError("memory needs a gate that keeps the old state, which an RNN lacks")
    gate = room.GATES.index("f" if "f" in room.GATES else "z")
    return split(k.gates[:, b], len(room.GATES))[gate]
