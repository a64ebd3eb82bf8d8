"""Faults of reference/fast/packed.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.catalogue import Fault

fault = partial(Fault, "fast/packed")
# fmt: off
FAULTS = [
    fault("segments' deltas and caches in opposite orders", "run_backward", "room.gradients(of_segments, caches)",
          "room.gradients(of_segments, caches[::-1])"),
]
