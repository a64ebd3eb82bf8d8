"""Faults of reference/compiled/products.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("columns beyond the last whole vector left out", "add_panel", "whole * lanes < N", "False"),
    Fault("rows beyond the last whole tile left out", "add_panel", "i += rows", "i += ROWS"),
    Fault("a product of the first column on", "add_product", "k0 + k", "k", kinds=("gru",)),
    Fault("a weight not transposed in its panels", "pack_transposed", "W[p * width + j, k]", "W[p * width + k % n, j % K]"),
    Fault("all strips those of the first columns", "pack_strips", "c + q * ROWS", "c"),
]
