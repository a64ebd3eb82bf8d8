"""Importing ``reference`` with a change in it under another name: with a fault."""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
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
