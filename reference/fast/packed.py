"""Segments of a packed batch with the rooms of ``fast``: what does not belong to one segment alone is done once.

- The weights are folded and laid out once, not for every segment (``Weights``).
- A segment's backward is only the time loop (``deltas``); the weight gradients and dx of all segments are one product
  each (``gradients``).
"""

from functools import partial

from ..cells import stack
from .weights import Weights


def run_forward(room, p, x, s, batch_sizes, options):
    """As ``stack.run_forward``"""
    return stack.run_forward(room, Weights(p), x, s, batch_sizes, options)


def run_inference(room, p, x, s, batch_sizes, options):
    """As run_forward, but nothing is kept.  ``infer``, where there is one, is quicker for one segment; for several it would
    copy the weights anew for each."""
    if hasattr(room, "infer") and batch_sizes[0] == batch_sizes[-1]:
        return stack.run_forward(stack.keeping_nothing(room.infer), p, x, s, batch_sizes, options)
    return stack.run_forward(stack.keeping_nothing(room.forward), Weights(p), x, s, batch_sizes, options)


def run_backward(room, dy, ds_n, caches, batch_sizes):
    """As ``stack.run_backward``"""
    found, ds = stack.backwards(partial(room.deltas, Weights(caches[0].p)), dy, ds_n, caches, batch_sizes)
    dp, dx = room.gradients(found, caches)
    return dp, dx, ds
