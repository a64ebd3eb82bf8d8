"""The code that an explorer shows."""

import inspect
from collections.abc import Sequence
from types import ModuleType


def source(module: ModuleType, functions: Sequence[str]) -> list[tuple[int, str]]:
    """The lines of functions with their numbers in the file; between two functions an empty line, numbered 0."""
    shown: list[tuple[int, str]] = []
    for name in functions:
        lines, first = inspect.getsourcelines(getattr(module, name))
        shown += [*enumerate((line.rstrip() for line in lines), first), (0, "")]
    return shown[:-1]
