"""Importing ``reference`` with a change in it under another name: with a fault, without a trick, in tiles."""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import reference

FOLDER = Path(reference.__file__).parent


made: list[ModuleType] = []  # every copy so far
Rewrite = Callable[[str, str], str]  # (file of ``reference``, as "fast/rnn.py", its text) -> the text of the copy


class _Loader(importlib.abc.InspectLoader):
    """Loads one file of ``reference`` under another package's name, changed or not."""

    def __init__(self, file: Path, rewrite: Rewrite):
        self.file, self.rewrite = file, rewrite

    def get_source(self, fullname: str) -> str:
        return self.rewrite(self.file.relative_to(FOLDER).as_posix(), self.file.read_text(encoding="utf-8"))

    def is_package(self, fullname: str) -> bool:
        return self.file.name == "__init__.py"


@dataclass
class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``alias`` and its modules in the folder of ``reference``."""

    alias: str
    rewrite: Rewrite

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.alias and not fullname.startswith(self.alias + "."):
            return None
        place = FOLDER.joinpath(*fullname.split(".")[1:])
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        return importlib.util.spec_from_loader(fullname, _Loader(file, self.rewrite))


def copied(alias: str, rewrite: Rewrite) -> ModuleType:
    """A copy of ``reference`` under another name, its files as ``rewrite`` makes them."""
    finder = _Finder(alias, rewrite)
    sys.meta_path.insert(0, finder)
    try:
        made.append(importlib.import_module(alias))
        return made[-1]
    finally:
        sys.meta_path.remove(finder)


# What fast/tiles.py and fast/parts.py do with large layers, done with the smallest, on every machine.
CONDITION = "small_kernels() and (quiet() or processors() == 1)"
IN_TILES = {
    "fast/parts.py": (("ROWS, FEWEST = 32, 8 ", "ROWS, FEWEST = 3, 2 "), ("LEAST = 4096 ", "LEAST = 1 "),
                      (f"PARTED = {CONDITION}", "PARTED = True"), ("WORK = 1 << 23 ", "WORK = 0 "),
                      ("min(n, processors())", "min(n, 2)")),
    "fast/tiles.py": (("SMALL = 10**6 ", "SMALL = 0 "), ("WIDTH = 32\n", "WIDTH = 4\n"), ("SMALL // (ROWS * WIDTH)", "5"),
                      ("(len(batch) == 1 and parts.processors() > 1)", "False"),
                      ("LINES = 64 ", "LINES = 3 ")),
}


def rewritten(text: str, changes: Iterable[tuple[str, str]]) -> str:
    """The text with each old piece, which must be there once, replaced by the new.

    Raises
    ------
    LookupError
        One is not: the list of changes must follow the code.
    """
    for old, new in changes:
        if text.count(old) != 1:
            raise LookupError(f"{old!r} must be there once, but is {text.count(old)} times")
        text = text.replace(old, new)
    return text


def in_tiles(file: str, text: str) -> str:
    """The rewrite after which the fast rooms work in tiles and parts wherever there is more than one sequence."""
    return rewritten(text, IN_TILES.get(file, ()))


@cache
def tiled() -> ModuleType:
    """That copy"""
    return copied("reference_in_tiles", in_tiles)


@cache
def in_one_part() -> ModuleType:
    """A copy whose fast rooms do without tiles and parts, as they do where small products have no kernels of their own"""
    changes = {"fast/parts.py": ((f"PARTED = {CONDITION}", "PARTED = False"),)}
    return copied("reference_in_one_part", lambda file, text: rewritten(text, changes.get(file, ())))
