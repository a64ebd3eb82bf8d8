"""The rooms outside the cells that have CASES and FAULTS: a module of a chapter that holds both is found by itself."""

import importlib
import pkgutil
from types import ModuleType

from .. import common, gradients, models, parts, training

CHAPTERS = (common, parts, models, training, gradients)


def _rooms(chapter: ModuleType) -> dict[str, ModuleType]:
    names = [m.name for m in pkgutil.iter_modules(chapter.__path__) if not m.name.startswith("test_")]
    modules = {name: importlib.import_module(f"{chapter.__name__}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "CASES")}


ROOMS: dict[str, ModuleType] = {name: room for chapter in CHAPTERS for name, room in _rooms(chapter).items()}
