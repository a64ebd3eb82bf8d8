"""Truncated BPTT over any cell: the state is carried from window to window, its gradient is cut.  notes/bptt_variants.md

    s_{e} = forward of the window [e - k1, e) from s_{e - k1}: nothing is lost on the way forward     (TB1)
    the outputs of [e - k1, e) send their gradient back through [e - k2, e), k2 >= k1                 (TB2)
    and what arrives at s_{e - k2} is dropped, unless that is the initial state                       (TB3)

k1 = k2 is the plain form: windows side by side.  With k2 = T nothing is ever dropped: full BPTT.
"""

from typing import Any, NamedTuple

import numpy as np

from .stack import add


class Cache(NamedTuple):
    room: Any
    windows: list  # of each window [e - k2, e): its first step, and the room's Cache
    k1: int


def spans(T, k1, k2):
    """(first step to go back to, first step whose output counts, end) of each window"""
    if not 1 <= k1 <= k2:
        raise ValueError(f"windows need 1 <= k1 <= k2, got k1={k1} and k2={k2}")
    ends = [*range(k1, T, k1), T]
    return [(max(e - k2, 0), start, e) for start, e in zip([0, *ends], ends, strict=False)]           # TB2


def forward(room, p, x, s, k1, k2=None, **options):
    """x (T, B, I), State  ->  y (T, B, P), State, Cache; k2 is k1 if not given"""
    k2 = k1 if k2 is None else k2
    y, states, windows = [], {0: s}, []
    for back, start, end in spans(len(x), k1, k2):
        out, s_n, _ = room.forward(p, x[start:end], states[start], **options)                         # TB1
        y.append(out)
        states[end] = s_n
        windows.append((back, states[first_known(states, back)], x[first_known(states, back) : end]))
    return np.concatenate(y), states[len(x)], Cache(room, windows, k1)


def backward(dy, ds_n, k):
    """d(outputs), Cache  ->  dp, dx, ds_0, as the room's backward has them, but for what the windows cut off"""


def _add(dp, d):
    return d if dp is None else add(dp, d)
