"""The attention of reference/parts/attention.py in PyTorch; autograd is the backward.  A1 to A6: notes/parts/attention.md"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from reference.common import checks
from reference.parts.attention import KINDS

from ..common import precision
from ..common.initial_weights import draw


class Params(NamedTuple):
    W_q: Tensor | None = None  # (A, Q)
    W_k: Tensor | None = None  # (A, K)
    b: Tensor | None = None    # (A,)
    v: Tensor | None = None    # (A,)


def keys_forward(p: Params, h: Tensor) -> Tensor:
    """h (S, B, K)  ->  keys (S, B, A)"""
    return h if p.W_k is None else linear(h, p.W_k, p.b)                                  # A2


def attend_forward(p: Params, q: Tensor, h: Tensor, keys: Tensor, mask: Tensor | None = None,
                   kind: str = "additive") -> tuple[Tensor, Tensor]:
    """q (T, B, Q), h (S, B, K), keys (S, B, A), mask (S, B)  ->  context (T, B, K), weights (T, B, S)"""
    g = q if p.W_q is None else linear(q, p.W_q)                                          # A1
    if kind == "additive":
        e = torch.einsum("tsba,a->tbs", torch.tanh(g[:, None] + keys), p.v)               # A4
    else:
        e = torch.einsum("tba,sba->tbs", g, keys)                                         # A3
        e = e / g.shape[-1] ** 0.5 if kind == "scaled" else e                             # A3
    if mask is not None:
        e = e.masked_fill(~mask.T, -torch.inf)
    w = e.softmax(-1)                                                                     # A5
    return torch.einsum("tbs,sbk->tbk", w, h), w                                          # A6


def forward(p: Params, q: Tensor, h: Tensor, mask: Tensor | None = None, kind: str = "additive") -> tuple[Tensor, Tensor]:
    """q (T, B, Q), h (S, B, K), mask (S, B)  ->  context (T, B, K), weights (T, B, S)"""
    h = h if mask is None else h.masked_fill(~mask[..., None], 0)  # 0 · NaN = NaN, if the weights alone were 0
    return attend_forward(p, q, h, keys_forward(p, h), mask, kind)


class Attention(nn.Module):
    """The twin of reference.Attention: the same arguments, names and shapes; ``rng`` draws the same weights.

    Raises
    ------
    TypeError, ValueError
        As the namesake's.
    """

    def __init__(self, query_size: int, memory_size: int, kind: str = "additive", attention_size: int | None = None, *,
                 dtype: torch.dtype | None = None, rng: np.random.Generator | None = None):
        super().__init__()
        self.kind = checks.choice("kind", kind, KINDS)
        checks.sizes(query_size=query_size, memory_size=memory_size)
        if attention_size is not None and kind != "additive":
            raise ValueError(f"attention_size is for kind 'additive', got it for {kind!r}")
        if kind in ("dot", "scaled") and query_size != memory_size:
            raise ValueError(f"query_size must equal memory_size for kind {kind!r}, got {query_size} and {memory_size}")
        A = checks.positive_int("attention_size", memory_size if attention_size is None else attention_size)
        sizes = {"query_size": query_size, "memory_size": memory_size, "attention_size": A}
        checks.fits(sizes, A * (query_size + memory_size), np.dtype(np.float32))
        dtype = precision.dtype(dtype)
        if kind in ("additive", "general"):
            self.query = nn.Linear(query_size, A, bias=False, dtype=dtype)
        if kind == "additive":
            self.memory = nn.Linear(memory_size, A, dtype=dtype)
            self.score = nn.Linear(A, 1, bias=False, dtype=dtype)
        if rng is not None:
            draw(self, checks.source("rng", rng))

    @property
    def p(self) -> Params:
        """The parameters as the room takes them."""
        if self.kind == "additive":
            return Params(self.query.weight, self.memory.weight, self.memory.bias, self.score.weight[0])
        return Params(self.query.weight) if self.kind == "general" else Params()

    def forward(self, q: Tensor, h: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """q (T, B, Q) or (B, Q), h (S, B, K), mask (S, B)  ->  context, weights, with T or without"""
        context, weights = forward(self.p, q if q.dim() == 3 else q[None], h, mask, self.kind)
        return (context, weights) if q.dim() == 3 else (context[0], weights[0])
