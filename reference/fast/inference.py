"""LSTM and GRU forward alone, when nothing is kept for a backward: ``infer(p, x, s, ...) -> y (T, B, P), State``.

- A step works in one record that stays in the cache: the products are written into it, the nonlinearities act in place.
  A forward that keeps its gates writes them to memory that no cache holds.
- Feature-major: (4H, B), so that each gate is one contiguous block, and the product is W h, which BLAS does faster than
  h Wᵀ for a narrow h, and which needs no other layout of W in tiles.  States are turned round once for a chunk of steps.
- 1 / σ = 1 + e⁻ᵃ is what a step divides by, as in lstm.py; the bias is one more column of W_hh, whose factor is one more
  feature of the state that is always 1.
- One sequence alone (B = 1) has no batch axis: its product is a row times Wᵀ, called with less overhead.
"""

import numpy as np

from ..cells import gru as gru_room
from ..cells import lstm as lstm_room
from ..common.arrays import rows
from ..common.memory import empty
from .parts import batch, processors, share, sharers
from .tiles import left, left_every
from .weights import folded, transposed

ROWS = 1 << 13   # rows of the input product in a chunk: fewer are slower where H is large, more take more memory
LARGE = 1 << 22  # bytes of weights from which on an input product for each step would read them too often


def lstm(p, x, s):
    """x (T, B, I), State  ->  y (T, B, P), State; equations L1 to L5"""
    fold, b = ("ifgo", "gfio", "fio"), (p.b_ih + p.b_hh)[:, None]
    W_ih, b = folded(p.W_ih, *fold), folded(b, *fold)
    W_hh = recurrent(p.W_hh, b, x.shape[1], fold)
    y, c = empty((*x.shape[:2], p.W_hh.shape[1]), x.dtype), s.c.copy()
    in_parts(lambda part, alone: lstm_part(W_ih, W_hh, p.W_hr, b, x[:, part], s.h[part], c[part], y[:, part], alone),
             len(x), *c.shape)
    return y, lstm_room.State(y[-1].copy(), c)


@np.errstate(over="ignore")  # an infinite e⁻ᵃ: its gate is shut
def lstm_part(W_ih, W_hh, W_hr, b, x, h, c_given, y, alone):
    """A part of the batch: into y (T, b, P), and the last cell state in the place of the first (b, H)"""
    B, H = c_given.shape
    record, two = empty((5, H * B), x.dtype), empty((2, H * B), x.dtype)   # c g 1/f 1/i 1/o
    (c, g, _, _, o), gates, sigmoids = record, record[1:].reshape(-1), record[2:]
    cg, fi, u, g_part, one = record[:2], record[2:4], *two, np.array(1, x.dtype)
    c.reshape(H, B)[...] = c_given.T
    recur = product(W_hh, gates, B, alone)
    m = None if W_hr is None else empty((h.shape[1] * B,), x.dtype)
    project = None if W_hr is None else product(W_hr.T if B == 1 else W_hr, m, B, alone)
    for state, a, after in steps(W_ih, b, x, h, y, alone, len(W_hh) if B == 1 else W_hh.shape[1]):
        recur(state)
        np.add(gates, a, gates)                                            # L1
        np.tanh(g, g)
        np.exp(sigmoids, sigmoids)
        np.add(sigmoids, one, sigmoids)                                    # L2, f i o as 1 / σ
        np.divide(cg, fi, two)
        np.add(u, g_part, c)                                               # L3
        np.tanh(c, u)
        if project is None:
            np.divide(u, o, after)                                         # L4
        else:
            np.divide(u, o, u)                                             # L4
            project(u)                                                     # L5
            after[...] = m
    c_given[...] = c.reshape(H, B).T


def gru(p, x, s, reset_after=True):
    """x (T, B, I), State  ->  y (T, B, H), State; equations G1 to G4"""
    H, B = len(p.b_ih) // 3, x.shape[1]
    fold = ("rzn", "rzn", "rz")
    W_ih, b_ih, b_hh = folded(p.W_ih, *fold), *(folded(b[:, None], *fold) for b in (p.b_ih, p.b_hh))
    if reset_after:
        W_hh, W_hn = recurrent(p.W_hh, b_hh, B, fold, inside=True), None
    else:
        W_hh = recurrent(p.W_hh[: 2 * H], b_hh[: 2 * H], B, ("rz", "rz", "rz"), inside=True)
        W_hn = recurrent(p.W_hh[2 * H :], b_hh[2 * H :], B, ("n", "n", ""), inside=True)
    y = empty((*x.shape[:2], H), x.dtype)
    in_parts(lambda part, alone: gru_part(W_ih, W_hh, W_hn, b_ih, x[:, part], s.h[part], y[:, part], alone),
             len(x), B, H)
    return y, gru_room.State(y[-1].copy())


@np.errstate(over="ignore")
def gru_part(W_ih, W_hh, W_hn, b, x, h, y, alone):
    """A part of the batch: into y (T, b, H)"""
    B, H = h.shape
    N = 2 * H * B
    z3, u, one = empty((3 * H * B,), x.dtype), empty((H * B,), x.dtype), np.array(1, x.dtype)
    rz, r, z, n = z3[:N], z3[: N // 2], z3[N // 2 : N], z3[N:]            # r and z as 1 / σ
    reset = np.ones((H + 1) * B, x.dtype)
    recur = product(W_hh, z3 if W_hn is None else rz, B, alone)
    candidate = None if W_hn is None else product(W_hn, n, B, alone)
    for state, a, after in steps(W_ih, b, x, h, y, alone, H + 1, inside=True):
        before = state[: H * B]
        recur(state)                                                       # G1, G2
        np.add(rz, a[:N], rz)
        np.exp(rz, rz)
        np.add(rz, one, rz)                                                # G1
        if candidate is None:
            np.divide(n, r, n)
        else:
            np.divide(before, r, reset[: H * B])
            candidate(reset)                                               # G2
        np.add(n, a[N:], n)
        np.tanh(n, n)                                                      # G3
        np.subtract(before, n, u)
        np.divide(u, z, u)
        np.add(u, n, after)                                                # G4


def in_parts(call, T, B, H):
    """``call(part, whether there is no other)`` for all parts of a batch"""
    parts = batch(T, B, H)
    share(lambda part: call(part, len(parts) == 1), parts, sharers(T, B, H))


def recurrent(W, b, B, fold, inside=False):
    """W, folded as b is, with b as one more column; for one sequence turned round, and with b only where it must be added
    here (``inside``): otherwise it is left to the input product"""
    if B == 1:
        M = transposed(W, *fold)
        return np.concatenate([M, b.T]) if inside else M
    M = folded(W, *fold, columns=1)
    M[:, W.shape[1] :] = b
    return M


def product(M, out, B, alone):
    """A call (state) that writes M state into out, all flat: in tiles, but for a part that has the processors ``alone``"""
    if B == 1:
        return lambda state: state.dot(M, out)
    K, out = M.shape[1], out.reshape(-1, B)
    if alone and processors() > 1:
        return lambda state: np.matmul(M, state.reshape(K, B), out)
    times = left(M, out)
    return lambda state: times(state.reshape(K, B))


def steps(W_ih, b, x, h, y, alone, features, inside=False):
    """For each step what it needs, all flat: so many features of ``state | 1`` before it; ``a``; where to put the state after
    it  ->  y (T, B, P), filled a chunk of steps at once

    ``a`` is the input product of a step; with the bias ``b`` where the recurrent product has none, or another (``inside``).
    """
    T, B, _ = x.shape
    P, G = h.shape[1], len(W_ih)
    K = T if B == 1 else max(1, min(T, ROWS // B))
    state = empty((K + 1, (P + 1) * B), x.dtype)
    state[0, : P * B].reshape(P, B)[...], state[:, P * B :] = h.T, 1
    buffer = empty((K * G * B,), x.dtype)
    for start in range(0, T, K):
        n = min(K, T - start)
        a = input_product(W_ih, x[start : start + n], buffer, alone)
        if B == 1 or inside:
            np.add(a, b, a)
        yield from zip(state[:n, : features * B], a.reshape(n, -1), state[1 : n + 1, : P * B], strict=True)
        y[start : start + n] = state[1 : n + 1, : P * B].reshape(n, P, B).swapaxes(1, 2)
        state[0] = state[n]


def input_product(W, x, buffer, alone):
    """W (G, I), x (n, B, I)  ->  W x for each step, (n, G, B), in the memory of the buffer"""
    n, B, _ = x.shape
    a = buffer[: n * len(W) * B].reshape(n, len(W), B)
    if B == 1:
        return np.matmul(rows(x), W.T, a[..., 0])[..., None]
    if not alone:
        left_every(W, np.ascontiguousarray(x.swapaxes(1, 2)), a)
        return a
    if W.nbytes < LARGE:
        return np.matmul(W, x.swapaxes(1, 2), a)
    a[...] = np.matmul(W, rows(x).T).reshape(len(W), n, B).swapaxes(0, 1)
    return a
