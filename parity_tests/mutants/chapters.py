"""What is mutated, and the tests that must notice.

A chapter is a folder that ``reference`` or ``torch_impl`` and ``parity_tests`` have alike: its code is judged by its tests.  The
judge is a chapter of its own, so that ``reference``, which its tests break on purpose, is whole there.
"""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
SIDES = ("reference", "torch_impl")
ROOMS = tuple(f"parity_tests/mutation/test_rooms.py::{test}" for test in ("test_numpy", "test_the_twin"))
CASES = ("parity_tests/test_parity.py",)
# Every public call with wrong arguments; not that each has a row, as mutmut writes functions of its own beside ours.
CALLS = ("parity_tests/doors/test_calls.py::test_one_wrong_argument",)
# Tests of other folders that say what a chapter does.
ALSO = {
    "cells": (*CASES, *CALLS),
    "common": ("parity_tests/training/test_loop.py", *CALLS),
    "compiled": CASES,
    "convert": CALLS,
    "fast": CASES,
    "judge": ("parity_tests/mutation",),
    **dict.fromkeys(("gradients", "models", "parts", "training"), (*ROOMS, *CALLS)),
}
# Who is judged there, which the suite's own plugin must know.  The largest cases are left out: a mutant that survives runs all.
PLUGIN = ("-p", "parity_tests.plugin")
SMALL = (*PLUGIN, "--dtype=float64", "--exclude=*crossed*")
WAYS = ("numpy", "torch.loop", "torch.hoisted", "torch.cell", "torch.bptt", "torch.library")
# mutmut puts a frame between a function and its caller: a warning then names another line.
LINES = "--deselect=parity_tests/cells/test_layers.py::TestDropout::test_the_warning_names_the_line_that_builds_the_layer"
OPTIONS = {
    "cells": (*SMALL, *(f"--impl={name}" for name in WAYS), LINES),
    "compiled": (*SMALL, "--impl=numba"),
    "fast": (*SMALL, "--impl=numpy.fast"),
    "judge": PLUGIN,
}
# Kernels of Triton: mutmut does not look behind their decorator.  What runs only in several processes: mutmut does not see which
# tests come there, as they start processes of their own.
NOT = (
    "torch_impl/triton",
    "torch_impl/training/data_parallel.py",
    "torch_impl/training/processes.py",
    "reference/training/processes.py",
)


class Chapter(NamedTuple):
    """Folders of code, and folders and files of tests, from the root; options of pytest."""

    code: tuple[str, ...]
    tests: tuple[str, ...]
    options: tuple[str, ...]


def chapters() -> dict[str, Chapter]:
    """By name, as they are in the tree."""
    folders = {
        tests.name: tuple(f"{side}/{tests.name}" for side in SIDES if (ROOT / side / tests.name).is_dir())
        for tests in sorted((ROOT / "parity_tests").iterdir())
    } | {"judge": ("parity_tests/judge",)}
    code = {name: tuple(folder for folder in of if folder not in NOT) for name, of in folders.items()}
    return {
        name: Chapter(of, (f"parity_tests/{name}", *ALSO.get(name, ())), (*OPTIONS.get(name, ()), *own_rooms(name)))
        for name, of in code.items()
        if of
    }


def own_rooms(name: str) -> tuple[str, ...]:
    """Of the tests of all rooms, those of this chapter."""
    rooms = {p.stem for p in (ROOT / "parity_tests" / name).glob("[a-z]*.py")} & {
        p.stem for p in (ROOT / "reference" / name).glob("*.py")
    }
    return ("-k", " or ".join(["not test_rooms", *sorted(rooms)])) if ROOMS[0] in ALSO.get(name, ()) else ()


def files(chapter: Chapter) -> list[str]:
    """The files that are mutated, from the root: all but tests, and the doors, which start a command and do nothing else."""
    every = (p for folder in chapter.code for p in (ROOT / folder).rglob("*.py"))
    own = (p.relative_to(ROOT) for p in every if p.name != "__main__.py")
    return sorted(name for p in own if "tests" not in p.parts and (name := p.as_posix()) not in NOT)
