"""Attention of queries over a memory, with its weights.  Derivation: notes/parts/attention.md

    g = q  (dot, scaled)  or  q W_qᵀ  (general, additive)               (A1)
    k = h  (dot, scaled, general)  or  h W_kᵀ + b  (additive)           (A2)
    e_ts = g_t · k_s,  times 1/√A if scaled                             (A3)
    e_ts = v · tanh(g_t + k_s)  if additive                             (A4)
    α_t = softmax of e_t over the s that the mask keeps                 (A5)
    c_t = Σ_s α_ts h_s                                                  (A6)

T queries, S memory steps, B batch, Q query, K memory, A width of g and k (K but in additive); time first.
A1* labels the adjoint of A1.  Additive: Bahdanau, Cho & Bengio 2015; dot, general: Luong, Pham & Manning 2015; scaled:
Vaswani et al. 2017.
"""

from typing import NamedTuple

import numpy as np

from ..common import checks
from ..common.arrays import Array, rows

KINDS = ("additive", "dot", "general", "scaled")


class Params(NamedTuple):
    """None where a kind has none: additive has all four, general W_q only."""

    W_q: Array | None = None   # (A, Q)
    W_k: Array | None = None   # (A, K)
    b: Array | None = None     # (A,)
    v: Array | None = None     # (A,)


class Cache(NamedTuple):
    p: Params
    kind: str
    q: Array         # (T, B, Q)
    h: Array         # (S, B, K)
    keys: Array      # (S, B, A)
    g: Array         # (T, B, A)
    u: Array | None  # (T, S, B, A)   the tanh of A4
    weights: Array   # (T, B, S)


def forward(p: Params, q: Array, h: Array, mask: Array | None = None,
            kind: str = "additive") -> tuple[Array, Array, Cache]:
    """q (T, B, Q), h (S, B, K), mask (S, B) boolean or None  ->  context (T, B, K), weights (T, B, S), Cache

    Raises
    ------
    ValueError
        The mask keeps no step of a sequence, the memory has no step, or a bad kind.
    RuntimeError
        The mask is not boolean or not (S, B).
    """
    h = blanked(h, mask)
    return attend_forward(p, q, h, keys_forward(p, h), mask, kind)


def backward(dcontext: Array, dweights: Array, k: Cache) -> tuple[Params, Array, Array]:
    """The adjoint of forward: dcontext (T, B, K), dweights (T, B, S), Cache  ->  dp, dq (T, B, Q), dh (S, B, K)"""
    dp, dq, dh, dkeys = attend_backward(dcontext, dweights, k)
    dW_k, db, dh_keys = keys_backward(dkeys, k.p, k.h)
    return dp._replace(W_k=dW_k, b=db), dq, dh + dh_keys


def keys_forward(p: Params, h: Array) -> Array:
    """h (S, B, K)  ->  keys (S, B, A); they do not depend on the queries, so a decoder needs them once."""
    if p.W_k is None:
        return h                                                                # A2
    return (rows(h) @ p.W_k.T + p.b).reshape(*h.shape[:-1], len(p.W_k))         # A2


def keys_backward(dkeys: Array, p: Params, h: Array) -> tuple[Array | None, Array | None, Array]:
    """The adjoint of keys_forward: dkeys (S, B, A), summed over all uses  ->  dW_k, db, dh (S, B, K)"""
    if p.W_k is None:
        return None, None, dkeys                                                # A2*
    A = rows(dkeys)
    return A.T @ rows(h), A.sum(0), (A @ p.W_k).reshape(h.shape)                # A2*


def attend_forward(p: Params, q: Array, h: Array, keys: Array, mask: Array | None = None,
                   kind: str = "additive") -> tuple[Array, Array, Cache]:
    """As forward, with the keys given: those of the memory h, which is finite where the mask drops it (see blanked)."""
    keep = kept(mask, h.shape[:2])
    checks.choice("kind", kind, KINDS)
    g, u = q if p.W_q is None else (rows(q) @ p.W_q.T).reshape(*q.shape[:-1], len(p.W_q)), None    # A1
    if kind == "additive":
        u = np.tanh(g[:, None] + keys)                                          # A4
        e = (u @ p.v).swapaxes(1, 2)                                            # A4
    else:
        e = by_sequence(turned(g) @ keys.transpose(1, 2, 0)) * scale(kind, g)   # A3
    top = np.where(keep, e.real, -np.inf).max(-1, keepdims=True)
    w = np.exp(np.where(keep, e - top, 0)) * keep                               # A5
    w = w / w.sum(-1, keepdims=True)                                            # A5
    return by_sequence(turned(w) @ turned(h)), w, Cache(p, kind, q, h, keys, g, u, w)     # A6


def attend_backward(dcontext: Array, dweights: Array | int, k: Cache) -> tuple[Params, Array, Array, Array]:
    """The adjoint of attend_forward  ->  dp (without W_k and b), dq (T, B, Q), dh (S, B, K), dkeys (S, B, A)"""
    p, w, dc = k.p, k.weights, turned(dcontext)
    dw = dweights + by_sequence(dc @ k.h.transpose(1, 2, 0))                    # A6*
    dh = by_sequence(w.transpose(1, 2, 0) @ dc)                                 # A6*
    de = w * (dw - (w * dw).sum(-1, keepdims=True))                             # A5*
    dv = None
    if k.u is not None:                                                         # additive
        du = de.swapaxes(1, 2)[..., None]                                       # (T, S, B, 1)
        dv = (rows(k.u).T @ du.reshape(-1, 1))[:, 0]                            # A4*
        da = du * p.v * (1 - k.u**2)                                            # A4*
        dg, dkeys = da.sum(1), da.sum(0)                                        # A4*
    else:
        de = de * scale(k.kind, k.g)                                            # A3*
        dg = by_sequence(turned(de) @ turned(k.keys))                           # A3*
        dkeys = by_sequence(de.transpose(1, 2, 0) @ turned(k.g))                # A3*
    if p.W_q is None:
        return Params(), dg, dh, dkeys                                          # A1*
    A = rows(dg)
    return Params(A.T @ rows(k.q), v=dv), (A @ p.W_q).reshape(k.q.shape), dh, dkeys       # A1*


def turned(x: Array) -> Array:
    """(T, B, F) -> (B, T, F), a view: what ``@`` multiplies sequence by sequence"""
    return x.swapaxes(0, 1)


def by_sequence(x: Array) -> Array:
    """The inverse of turned, contiguous"""
    return np.ascontiguousarray(x.swapaxes(0, 1))


def scale(kind: str, g: Array) -> float:
    """1/√A if scaled"""
    return g.shape[-1] ** -0.5 if kind == "scaled" else 1.0


def blanked(h: Array, mask: Array | None) -> Array:
    """h (S, B, K)  ->  h, zero where the mask drops it: a weight of 0 alone lets NaN pass, 0 · NaN = NaN"""
    return h if mask is None else np.where(kept(mask, h.shape[:2]).T[..., None], h, 0)


def kept(mask: Array | None, shape: tuple[int, ...]) -> Array:
    """The mask as (B, S), after checking it"""
    if not shape[0]:
        raise ValueError("memory must have at least one step, got none")
    if mask is None:
        return np.ones(shape[::-1], bool)
    keep = checks.mask("mask", mask, shape).T
    empty = np.flatnonzero(~keep.any(1))
    if empty.size:
        raise ValueError(f"mask must keep at least one step of each sequence, got none in sequence {empty[0]}")
    return keep
