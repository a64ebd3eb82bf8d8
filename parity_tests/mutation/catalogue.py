"""What a fault is, and the faults of all rooms together: each is listed beside its room's test.

The faults of reference/cells/lstm.py are the FAULTS of parity_tests/cells/lstm.py: tables, a line or two for each, which the
formatter leaves alone.  A fault is a change to one piece of one function of ``reference``, a wrong implementation that the
suite must catch.  Where somebody shipped the same mistake, ``source`` says where.
"""

import importlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType

from ..judge.cases import KINDS

ALL, LSTM, GRU = tuple(KINDS), ("lstm", "lstm-proj"), ("gru", "gru-before")
CHAPTERS = ("cells", "fast", "compiled", "common", "parts", "models", "training", "gradients")


@dataclass(frozen=True)
class Fault:
    """One wrong piece of code."""

    name: str  # what is wrong
    function: str  # in which, "Class.method"; empty for what stands outside of functions
    old: str  # an expression or statements, once in that function, however they are laid out
    new: str  # what the fault has instead
    equation: str = ""  # what the diagnosis must name; empty where the fault is outside the rooms of cells
    source: str = ""  # a public report of the same mistake
    kinds: tuple[str, ...] = ()  # the cells in which it can show; if none are named those of its room, or all
    shows: str = "number"  # what shows it, the ``why`` of a verdict: "changed" for an argument that was written to
    room: str = ""  # "cells/lstm" for reference/cells/lstm.py; in a table, where it is not the one beside it


@cache
def modules() -> dict[str, ModuleType]:
    """What stands beside the rooms of ``reference`` and has FAULTS: "cells/lstm" is parity_tests/cells/lstm.py."""
    here = Path(__file__).parent.parent
    names = [
        f"{chapter}/{file.stem}"
        for chapter in CHAPTERS
        for file in sorted((here / chapter).glob("*.py"))
        if (here.parent / "reference" / chapter / file.name).exists() and file.stem != "__init__"
    ]
    beside = {name: importlib.import_module(f"parity_tests.{name.replace('/', '.')}") for name in names}
    return {name: module for name, module in beside.items() if hasattr(module, "FAULTS")}


def faults_of(module: ModuleType) -> list[Fault]:
    """The FAULTS of a module, with their rooms and kinds."""
    beside = "/".join(module.__name__.split(".")[1:])
    kinds = tuple(k for k, options in KINDS.items() if options["cell"] == beside.rpartition("/")[2]) or ALL
    return [replace(fault, room=fault.room or beside, kinds=fault.kinds or kinds) for fault in module.FAULTS]


def catalogue() -> list[Fault]:
    """The faults of cells and layers, which the named cases must catch: those of the rooms without cases of their own."""
    return [fault for module in modules().values() if not hasattr(module, "CASES") for fault in faults_of(module)]


def rooms() -> dict[str, ModuleType]:
    """The rooms that have CASES of their own beside their FAULTS, by their last name."""
    return {name.partition("/")[2]: module for name, module in modules().items() if hasattr(module, "CASES")}
