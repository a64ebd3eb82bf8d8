"""Importing ``reference`` with a change in it under another name: with a fault, without a trick, in tiles."""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import reference

FOLDER = Path(reference.__file__).parent


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
        return importlib.import_module(alias)
    finally:
        sys.meta_path.remove(finder)


# What fast/tiles.py and fast/parts.py do with large layers, done with the smallest, on every machine.
IN_TILES = {
    "fast/parts.py": (("ROWS, FEWEST = 32, 8 ", "ROWS, FEWEST = 3, 2 "), ("LEAST = 4096 ", "LEAST = 1 "),
                      ("PARTED = small_kernels()", "PARTED = True"), ("min(n, processors())", "min(n, 2)")),
    "fast/tiles.py": (("SMALL = 10**6 ", "SMALL = 0 "), ("WIDTH = 32\n", "WIDTH = 4\n"), ("SMALL // (ROWS * WIDTH)", "5"),
                      ("LONG = 512 ", "LONG = 7 "), ("LINES = 64 ", "LINES = 3 ")),
}


def in_tiles(file: str, text: str) -> str:
    """The rewrite after which the fast rooms work in tiles and parts wherever there is more than one sequence.

    Raises
    ------
    LookupError
        A line that it changes is not there: the list must follow the code.
    """
    for old, new in IN_TILES.get(file, ()):
        if text.count(old) != 1:
            raise LookupError(f"{file} must contain {old!r} once")
        text = text.replace(old, new)
    return text


@cache
def tiled() -> ModuleType:
    """That copy"""
    return copied("reference_in_tiles", in_tiles)


@cache
def in_one_part() -> ModuleType:
    """A copy whose fast rooms do without tiles and parts, as they do where small products have no kernels of their own"""
    return copied("reference_in_one_part", lambda _, text: text.replace("PARTED = small_kernels()", "PARTED = False"))
