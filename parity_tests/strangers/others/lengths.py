"""Lengths for libraries that have none: which steps are there, where each sequence ends, and how to turn one round.

A library's layer then runs over all T steps.  What it does past an end is not looked at, and nothing of it comes back.
"""

import numpy as np


def valid(spec, x, lengths):
    """Which steps of which sequence there are, in the layout of x; True if all"""
    if lengths is None:
        return True
    there = np.arange(x.shape[spec.batch_first])[:, None, None] < np.reshape(lengths, (-1, 1))  # (T, B, 1)
    return np.swapaxes(there, 0, 1) if spec.batch_first else there


def ends(T, B, lengths):
    """(B,) each sequence's last step; (B, T) whose step to take to turn each round within its length, and to turn it back"""
    n = np.reshape(np.full(B, T) if lengths is None else lengths, (B, 1)).astype(np.int32)
    t = np.arange(T, dtype=np.int32)
    return n[:, 0] - 1, np.where(t < n, n - 1 - t, t)
