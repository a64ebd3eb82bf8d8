"""Importing ``reference`` under another name, with one of its files changed."""

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


@dataclass
class _Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads the module of this name, from a file whose text is changed first."""

    name: str
    file: Path
    change: Callable[[str], str]

    def find_spec(self, fullname, path=None, target=None):
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def get_source(self, fullname: str) -> str:
        return self.change(self.file.read_text(encoding="utf-8"))


def copied(alias: str, room: str, change: Callable[[str], str], also: tuple[str, ...] = ()) -> ModuleType:
    """A copy of ``reference`` under another name; the text of one room, as "fast/rnn", is what ``change`` makes of it.

    ``also`` are packages in it that it does not import by itself.
    """
    spec = importlib.util.spec_from_file_location(alias, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)])
    assert spec is not None and spec.loader is not None
    package = sys.modules[alias] = importlib.util.module_from_spec(spec)
    finder = _Changed(f"{alias}.{room.replace('/', '.')}", FOLDER / f"{room}.py", change)
    sys.meta_path.insert(0, finder)
    try:
        spec.loader.exec_module(package)
        for name in also:
            importlib.import_module(f"{alias}.{name}")
    finally:
        sys.meta_path.remove(finder)
    return package
