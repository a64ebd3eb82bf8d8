"""The parameters of one layer and direction: as reference has them, and as a row of the table has them.

Reordering, transposing and changing a sign lose nothing.  Two biases that a library holds as one are added; going back,
the sum is in b_ih, and b_hh has only what the library adds by itself.  So what a library held comes back bit for bit.
"""

from typing import NamedTuple

import numpy as np

from ..common.arrays import Array
from .conventions import GATES, Convention, order


class Params(NamedTuple):
    """In the order and layout of reference."""

    W_ih: Array  # (G·H, I)
    W_hh: Array  # (G·H, H), or (G·H, P) with a projection
    b_ih: Array | None = None  # (G·H,)
    b_hh: Array | None = None  # (G·H,)
    W_hr: Array | None = None  # (P, H)


class Placed(NamedTuple):
    """As a library holds them."""

    W_ih: Array  # (G·H, I), or (I, G·H) if transposed
    W_hh: Array
    biases: tuple[Array, ...]  # (b_ih, b_hh), (sum,) or (sum, b_hn); none at all if the layer has none


def placed(c: Convention, p: Params) -> Placed:
    """The parameters of reference  ->  the same layer as the row holds it

    Raises
    ------
    ValueError
        The layer has no place for b_hn, and it is not zero; or none for a projection.
    """
    if p.W_hr is not None and not c.projects:
        raise ValueError(f"{c.layer} has no place for a projection, weight_hr")

    def laid(v: Array) -> Array:
        return stacked(c, v).T if c.transposed else stacked(c, v)

    biases = held(c, p)
    return Placed(laid(p.W_ih), laid(p.W_hh), tuple(stacked(c, b) if len(b) == len(p.W_ih) else b for b in biases))


def taken(c: Convention, w: Placed) -> Params:
    """The inverse of ``placed``: a layer as the row holds it  ->  the parameters of reference"""
    W_ih, W_hh = (unstacked(c, v.T if c.transposed else v) for v in w[:2])
    if not w.biases:
        return Params(W_ih, W_hh)
    first, *more = w.biases
    b_ih, b_hh = unstacked(c, first), own(c, first)
    if c.biases == "two":
        b_hh = unstacked(c, *more)
    elif c.biases == "n apart":
        b_hh[-len(more[0]) :] = more[0]
    return Params(W_ih, W_hh, b_ih, b_hh)


def stacked(c: Convention, v: Array) -> Array:
    """Blocks (G·H, ...) of reference, in the row's order and with its signs."""
    blocks = np.split(v, len(c.gates))
    return np.concatenate([-blocks[k] if g in c.negated else blocks[k] for k, g in zip(order(c), c.gates, strict=True)])


def unstacked(c: Convention, v: Array) -> Array:
    """The inverse of ``stacked``."""
    blocks = dict(zip(c.gates, np.split(v, len(c.gates)), strict=True))
    return np.concatenate([-blocks[g] if g in c.negated else blocks[g] for g in GATES[c.cell]])


def own(c: Convention, like: Array) -> Array:
    """(G·H,)  What the library adds by itself, in the order of reference: zeros, but for the bias of f perhaps."""
    return np.repeat([c.added if g == "f" else 0.0 for g in GATES[c.cell]], len(like) // len(c.gates)).astype(like.dtype)


def total(b_ih: Array, b_hh: Array, added: Array) -> Array:
    """b_ih + b_hh - added; where b_hh is what is added, b_ih itself, to the last bit and the sign of a zero."""
    return np.where(b_hh == added, b_ih, b_ih + (b_hh - added))


def held(c: Convention, p: Params) -> tuple[Array, ...]:
    """The biases that a library has places for, in the order of reference.  ValueError: as ``placed``."""
    if p.b_ih is None or p.b_hh is None:
        if c.may_lack_biases and not c.added:
            return ()
        p = p._replace(b_ih=np.zeros_like(p.W_ih[:, 0]), b_hh=np.zeros_like(p.W_ih[:, 0]))
    assert p.b_ih is not None
    assert p.b_hh is not None
    if c.biases == "two":
        return p.b_ih, p.b_hh
    if c.biases == "sum":
        return (total(p.b_ih, p.b_hh, own(c, p.b_ih)),)
    *_, b_hn = np.split(p.b_hh, 3)
    if c.biases == "no b_hn" and b_hn.any():
        raise ValueError(f"{c.layer} has no place for b_hn: it must be zero")
    rest = total(p.b_ih, np.concatenate([p.b_hh[: -len(b_hn)], np.zeros_like(b_hn)]), np.zeros_like(p.b_ih))
    return (rest,) if c.biases == "no b_hn" else (rest, b_hn)
