"""Faults of reference/compiled/packed.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("weights of each segment alone", "run_backward", "room.accumulate(dy, ds, k, w, dp)",
          "room.accumulate(dy, ds, k, w, dp if k is caches[0] else room.zeros(p))"),
]
