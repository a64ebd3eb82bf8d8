"""Faults of reference/fast/packed.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("segments' deltas and caches in opposite orders", "run_backward", "room.gradients(of_segments, caches)",
          "room.gradients(of_segments, caches[::-1])"),
]
