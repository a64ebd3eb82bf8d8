"""Real-time recurrent learning over any cell: the gradient without going back.  Derivation: notes/gradients/rtrl.md

    M_t = ∂s_t / ∂θ, the influence of θ = (parameters, s_0) on the state;  M_0 = (0 | 1)            (RT1)
    M_{t+1} = J_t M_t + D_t,  J_t = ∂s_{t+1} / ∂s_t,  D_t = ∂s_{t+1} / ∂θ with s_t held fixed       (RT2)
    dθ = Σ_t dy_t (rows of M_{t+1} that belong to h) + ds_T M_T                                     (RT3)

s is the state as one row of S features, θ one row of Θ numbers.  Each sequence has an M (S, Θ + S) of its own, and that is
all that is kept: memory does not grow with T (Williams & Zipser 1989).
"""

import numpy as np

from ..cells.stack import Option, Params, Room, State
from ..common.arrays import Array, join
from .checkpointed_bptt import Upstream


def gradient(room: Room, p: Params, x: Array, s: State, dy: Array | Upstream, ds_n: State,
             **options: Option) -> tuple[Array, State, Params, State]:
    """x (T, B, I), State, d(outputs)  ->  y (T, B, P), State, dp, ds_0: what forward and backward return, but for dx

    dy  (T, B, P), or a function (steps: slice, y of those steps) -> dy of those steps, called once for each step in
        order, when nothing after it is known
    """
    T, B, P = len(x), x.shape[1], s.h.shape[-1]
    M = [start(p, s) for _ in range(B)]
    kind = np.result_type(x, s.h, p.W_hh)
    y, d = np.empty((T, B, P), kind), np.zeros((B, M[0].shape[1]), kind)
    for t in range(T):
        steps, states = slice(t, t + 1), []
        for b in range(B):
            s_b, J, D = step(room, p, x[steps, b : b + 1], one(s, b), options)
            M[b] = J @ M[b] + D                                                                      # RT2
            states.append(s_b)
        s = type(s)(*map(np.concatenate, zip(*states, strict=True)))
        y[t] = s.h
        dy_t = dy(steps, y[steps]) if callable(dy) else dy[steps]
        d += [dy_t[0, b] @ M[b][:P] for b in range(B)]                                               # RT3
    d += [joined(one(ds_n, b)) @ M[b] for b in range(B)]                                             # RT3
    size = M[0].shape[1] - M[0].shape[0]
    widths = np.cumsum([v.shape[-1] for v in s])[:-1]
    return y, s, unravel(d[:, :size].sum(0), p), type(s)(*np.split(d[:, size:], widths, axis=-1))


def step(room: Room, p: Params, x: Array, s: State, options: dict[str, Option]) -> tuple[State, Array, Array]:
    """One step of one sequence: x (1, 1, I), State of (1, ·)  ->  State, J (S, S), D (S, Θ + S)

    Row i of J and of D is the step's own backward from the unit vector i.
    """
    y, s_n, k = room.forward(p, x, s, **options)
    widths, nothing = np.cumsum([v.shape[-1] for v in s])[:-1], np.zeros_like(y)
    J, D = [], []
    for unit in np.eye(len(joined(s)), dtype=x.dtype):
        dp, _, ds = room.backward(nothing, type(s)(*np.split(unit[None], widths, axis=-1)), k)
        J.append(joined(ds))
        D.append(np.concatenate([ravel(dp), 0 * unit]))                                              # s_0 is not read
    return s_n, np.array(J), np.array(D)


def start(p: Params, s: State) -> Array:
    """M_0 (S, Θ + S): the parameters have no influence yet, and s_0 is itself"""
    S = len(joined(one(s, 0)))
    return np.concatenate([np.zeros((S, ravel(p).size), s.h.dtype), np.eye(S, dtype=s.h.dtype)], axis=1)  # RT1


def one(s: State, b: int) -> State:
    """Sequence b of a State, B = 1"""
    return type(s)(*(v[b : b + 1] for v in s))


def joined(s: State) -> Array:
    """A State of one sequence as one row (S,)"""
    return join(*s)[0]


def ravel(p: Params) -> Array:
    """Params as one row"""
    return np.concatenate([v.ravel() for v in p if v is not None])


def unravel(row: Array, p: Params) -> Params:
    """The inverse of ravel, for Params like p"""
    sizes = [0 if v is None else v.size for v in p]
    parts = np.split(row, np.cumsum(sizes)[:-1])
    return type(p)(*(None if v is None else part.reshape(v.shape) for v, part in zip(p, parts, strict=True)))
