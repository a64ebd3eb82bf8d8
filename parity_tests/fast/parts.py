"""Faults of reference/fast/parts.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.faults import Fault

fault = partial(Fault, "fast/parts")
# fmt: off
FAULTS = [
    fault("every part computes the whole batch's first", "share", "context.run(call, part)", "context.run(call, parts[0])"),
    fault("what is left of a batch belongs to no part", "cut", "units * (i + 1) // n * unit", "units // n * (i + 1) * unit"),
]
