"""Parity of the parts that models are made of: each module here holds the CASES and FAULTS of one room of its name.

A module that is put here is found by itself.
"""

import importlib
import pkgutil
from types import ModuleType

ROOMS: dict[str, ModuleType] = {
    room.name: importlib.import_module(f"{__name__}.{room.name}")
    for room in pkgutil.iter_modules(__path__) if room.name != "harness"}
