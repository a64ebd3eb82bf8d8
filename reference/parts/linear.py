"""Linear: one affine map for every row.  Derivation: notes/parts/linear.md

    y = x Wᵀ + b                                                    (F1)

I input features, O output features; what comes before them (time, batch) is kept.  Layout of torch.nn.Linear.
F1* labels the adjoint of F1.
"""

from typing import NamedTuple

from ..common.arrays import Array, rows


class Params(NamedTuple):
    W: Array                 # (O, I)
    b: Array | None = None   # (O,)


class Cache(NamedTuple):
    p: Params
    x: Array  # (..., I)


def forward(p: Params, x: Array) -> tuple[Array, Cache]:
    """x (..., I)  ->  y (..., O), Cache"""
    y = rows(x) @ p.W.T                                                     # F1
    if p.b is not None:
        y += p.b                                                            # F1
    return y.reshape(*x.shape[:-1], len(p.W)), Cache(p, x)


def backward(dy: Array, k: Cache) -> tuple[Params, Array]:
    """The adjoint of forward: dy (..., O), Cache  ->  dp, dx (..., I)"""
    A = rows(dy)
    db = None if k.p.b is None else A.sum(0)                                # F1*
    return Params(A.T @ rows(k.x), db), (A @ k.p.W).reshape(k.x.shape)      # F1*
