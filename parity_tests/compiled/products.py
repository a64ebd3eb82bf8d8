"""Faults of reference/compiled/products.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("columns beyond the last whole vector left out", "add_panels", "v * lanes < N", "False"),
    Fault("rows beyond the last whole tile left out", "add_panels", "i += rows", "i += ROWS"),
    Fault("a product of the first column on", "add_product", "k0 + k", "k", kinds=("gru",)),
    Fault("a column of a weight taken for its neighbour", "pack_transposed", "W[p * lanes + j, k] if j < n else 0",
          "W[p * lanes + min(j + 1, n - 1), k] if j < n else 0"),
    Fault("all strips those of the first columns", "pack_strips", "c + q * ROWS", "c"),
]
