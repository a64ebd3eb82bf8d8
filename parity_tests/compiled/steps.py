"""Faults of reference/compiled/steps.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("bias of the first step only", "input_product", "range(steps)", "range(min(steps, 1))"),
    Fault("input's gradient of the first row only", "sum_over_steps", "last - first", "min(last - first, 1)"),
    Fault("the last rows of a weight's gradient left out", "cut", "n if k == PARTS else n * k // PARTS // ROWS * ROWS",
          "n * k // PARTS // ROWS * ROWS"),
    Fault("a sum of the last rows only", "add_columns", "total[m] += row[m]", "total[m] = row[m]"),
]
