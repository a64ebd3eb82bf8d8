"""Segments of a packed batch with the rooms of ``fast``: what does not belong to one segment alone is done once.

- The weights are folded and laid out once, not for every segment: ``prepare`` for forward, ``turn`` for backward.
- A segment's backward is only the time loop (``deltas``); the weight gradients and dx of all segments are one product
  each (``gradients``).
"""

from functools import partial

from .. import stack


def run_forward(room, p, x, s, batch_sizes, options):
    """As ``stack.run_forward``"""
    return stack.run_forward(room, room.prepare(p), x, s, batch_sizes, options)


def run_backward(room, dy, ds_n, caches, batch_sizes):
    """As ``stack.run_backward``"""
    p = room.turn(caches[0].p)
    found, ds = stack.backwards(partial(room.deltas, p), dy, ds_n, caches, batch_sizes)
    dp, dx = room.gradients(p, found, caches)
    return dp, dx, ds
