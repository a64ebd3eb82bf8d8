"""Embedding: a row of a table for each token.  Derivation: notes/parts/embedding.md

    y_n = W[ids_n]                                                  (E1)
    the row of padding_idx takes no gradient                        (E2)

V tokens in the vocabulary, E features; ids are whole numbers of any shape.  Layout of torch.nn.Embedding.
E1* labels the adjoint of E1.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from ..common.arrays import Array, rows


class Cache(NamedTuple):
    W: Array                  # (V, E)
    ids: Array                # (...)    whole numbers from 0 to below V
    padding_idx: int | None


def forward(W: Array, ids: Array, padding_idx: int | None = None) -> tuple[Array, Cache]:
    """W (V, E), ids (...)  ->  y (..., E), Cache"""
    return W[ids], Cache(W, ids, padding_idx)                               # E1


def backward(dy: Array, k: Cache) -> Array:
    """The adjoint of forward: dy (..., E), Cache  ->  dW (V, E)"""
    dW = scatter(rows(dy), k.ids.ravel(), len(k.W))                         # E1*
    if k.padding_idx is not None:
        dW[k.padding_idx] = 0                                               # E2
    return dW


def scatter(dy: Array, ids: Array, V: int) -> Array:
    """dy (N, E), ids (N,)  ->  the sum of the rows of dy that belong to each token, (V, E)

    The one-hot matrix X (N, V) of E1 is sparse: one 1 in each row.  Its product with dy costs N·E additions.
    """
    N = len(ids)
    X = sparse.csr_array((np.ones(N, dy.dtype), ids, np.arange(N + 1)), shape=(N, V))
    return X.T @ dy                                                         # E1*
