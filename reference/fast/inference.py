"""LSTM and GRU forward alone, when nothing is kept for a backward: ``infer(p, x, s, ...) -> y (T, B, P), State``.

- A step works in one record that stays in the cache: the products are written into it, the nonlinearities act in place.
  A forward that keeps its gates writes them to memory that no cache holds.
- Feature-major: (4H, B), so that each gate is one contiguous block, and the product is W h, which BLAS does faster than
  h Wᵀ for a narrow h.  States are turned round once for a chunk of steps.
- σ(a) = ½ + ½ tanh(a/2), the inner half folded into the weights; the bias is one more column of W_hh, whose factor is one
  more feature of the state that is always 1.
- One sequence alone (B = 1) has no batch axis: its product is a row times Wᵀ, called with less overhead.
"""

import numpy as np

from .. import gru as gru_room
from .. import lstm as lstm_room
from ..memory import empty
from ..ops import rows
from .weights import folded, transposed

ROWS = 1 << 13   # rows of the input product in a chunk: fewer are slower where H is large, more take more memory
LARGE = 1 << 22  # bytes of weights from which on an input product for each step would read them too often


def lstm(p, x, s):
    """x (T, B, I), State  ->  y (T, B, P), State; equations L1 to L5"""
    B = x.shape[1]
    H, P = len(p.b_ih) // 4, p.W_hh.shape[1]
    fold = ("ifgo", "gfio", "fio")
    W_ih, b = folded(p.W_ih, *fold), folded((p.b_ih + p.b_hh)[:, None], *fold)
    record, two = empty((5, H * B), x.dtype), empty((2, H * B), x.dtype)   # c g f i o
    c, gates, sigmoids, o = record[0], record[1:].reshape(-1), record[2:], record[4]
    cg, fi, u, g_part, scale = record[:2], record[2:4], *two, x.dtype.type(0.5)
    m = u.reshape(H, B)
    c.reshape(H, B)[...] = s.c.T

    def step(state, a, after):
        recurrent(state, gates)
        np.add(gates, a, gates)                                            # L1
        np.tanh(gates, gates)
        np.multiply(sigmoids, scale, sigmoids)
        np.add(sigmoids, scale, sigmoids)                                  # L2
        np.multiply(cg, fi, two)
        np.add(u, g_part, c)                                               # L3
        np.tanh(c, u)
        if p.W_hr is None:
            np.multiply(u, o, after)                                       # L4
        else:
            np.multiply(u, o, u)                                           # L4
            np.matmul(p.W_hr, m, after.reshape(P, B))                      # L5

    recurrent = product(p.W_hh, b, B, fold)
    y = run(step, W_ih, b, x, s.h)
    return y, lstm_room.State(y[-1].copy(), c.reshape(H, B).T.copy())


def gru(p, x, s, reset_after=True):
    """x (T, B, I), State  ->  y (T, B, H), State; equations G1 to G4"""
    B = x.shape[1]
    H = len(p.b_ih) // 3
    N = 2 * H * B
    fold = ("rzn", "rzn", "rz")
    W_ih, b_ih, b_hh = folded(p.W_ih, *fold), *(folded(b[:, None], *fold) for b in (p.b_ih, p.b_hh))
    z3, u, scale = empty((3 * H * B,), x.dtype), empty((H * B,), x.dtype), x.dtype.type(0.5)
    rz, r, z, n = z3[:N], z3[: N // 2], z3[N // 2 : N], z3[N:]

    def step(state, a, after):
        before = state[: H * B]
        recurrent(state, z3 if reset_after else rz)                        # G1, G2
        np.add(rz, a[:N], rz)
        np.tanh(rz, rz)
        np.multiply(rz, scale, rz)
        np.add(rz, scale, rz)                                              # G1
        if reset_after:
            np.multiply(n, r, n)
        else:
            np.multiply(r, before, reset[: H * B])
            candidate(reset, n)                                            # G2
        np.add(n, a[N:], n)
        np.tanh(n, n)                                                      # G3
        np.subtract(before, n, u)
        np.multiply(u, z, u)
        np.add(u, n, after)                                                # G4

    reset = np.ones((H + 1) * B, x.dtype)
    if reset_after:
        recurrent = product(p.W_hh, b_hh, B, fold, inside=True)
    else:
        recurrent = product(p.W_hh[: 2 * H], b_hh[: 2 * H], B, ("rz", "rz", "rz"), inside=True)
        candidate = product(p.W_hh[2 * H :], b_hh[2 * H :], B, ("n", "n", ""), inside=True)
    y = run(step, W_ih, b_ih, x, s.h, inside=True)
    return y, gru_room.State(y[-1].copy())


def product(W, b, B, fold, inside=False):
    """(state | 1) -> W state + b, both flat, columns side by side, with W folded as b is: a call (state, out).

    For one sequence the bias is left to the input product, unless it must be added here (``inside``).
    """
    G, P = W.shape
    if B > 1:
        M = folded(W, *fold, columns=1)
        M[:, P:] = b
        return lambda state, out: np.matmul(M, state.reshape(P + 1, B), out.reshape(G, B))
    M = transposed(W, *fold)
    if inside:
        M = np.concatenate([M, b.T])
        return lambda state, out: state.dot(M, out)
    return lambda state, out: state[:P].dot(M, out)


def run(step, W_ih, b, x, h, inside=False):
    """Every step, in chunks: ``step(state | 1, a, after)``, flat  ->  y (T, B, P)

    ``a`` is the input product of a step; with the bias ``b`` where the recurrent product has none, or another (``inside``).
    """
    T, B, _ = x.shape
    P, G = h.shape[1], len(W_ih)
    K = T if B == 1 else max(1, min(T, ROWS // B))
    y, state = empty((T, B, P), x.dtype), empty((K + 1, (P + 1) * B), x.dtype)
    state[0, : P * B].reshape(P, B)[...], state[:, P * B :] = h.T, 1
    buffer = empty((K * G * B,), x.dtype)
    for start in range(0, T, K):
        n = min(K, T - start)
        a = input_product(W_ih, x[start : start + n], buffer)
        if B == 1 or inside:
            np.add(a, b, a)
        for t in range(n):
            step(state[t], a[t].reshape(-1), state[t + 1, : P * B])
        y[start : start + n] = state[1 : n + 1, : P * B].reshape(n, P, B).swapaxes(1, 2)
        state[0] = state[n]
    return y


def input_product(W, x, buffer):
    """W (G, I), x (n, B, I)  ->  W x for each step, (n, G, B), in the memory of the buffer"""
    n, B, _ = x.shape
    a = buffer[: n * len(W) * B].reshape(n, len(W), B)
    if B == 1:
        return np.matmul(rows(x), W.T, a[..., 0])[..., None]
    if W.nbytes < LARGE:
        return np.matmul(W, x.swapaxes(1, 2), a)
    a[...] = np.matmul(W, rows(x).T).reshape(len(W), n, B).swapaxes(0, 1)
    return a
