"""Which doors there are: every public class and function of the library's chapters, read from the code.

A door is named by its module and itself, ``training.clip.clip_grad_norm``, ``models.tagger.Tagger.predict``.
"""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

CHAPTERS = {  # of applications and other commands a person calls the command: test_commands.py
    "reference": ("cells", "common", "compiled", "convert", "fast", "gradients", "models", "parts", "training"),
    "torch_impl": ("cells", "common", "convert", "export", "gradients", "models", "parts", "training", "triton"),
}
METHODS = FunctionType, classmethod, staticmethod


def modules(package: str) -> Iterator[tuple[str, ModuleType]]:
    """(name below the package, module) of each chapter"""
    for chapter in CHAPTERS[package]:
        top = import_module(f"{package}.{chapter}")
        yield chapter, top
        for found in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
            if not found.name.endswith("__main__"):
                yield found.name.partition(".")[2], import_module(found.name)


def doors(package: str) -> dict[str, Callable[..., Any]]:
    """By name: functions, and of classes the constructor and the public methods.

    Tuples of names, protocols and exceptions are no doors: they hold what they are given.
    """
    found: dict[str, Callable[..., Any]] = {}
    for place, module in modules(package):
        for name, value in public(vars(module)):
            if getattr(value, "__module__", None) != module.__name__:
                continue
            if inspect.isfunction(inspect.unwrap(value)):
                found[f"{place}.{name}"] = value
            elif inspect.isclass(value) and not issubclass(value, (tuple, BaseException)) and not vars(value).get("_is_protocol"):
                found[f"{place}.{name}"] = value
                own = {n: v for n, v in vars(value).items() if n == "__call__" or not n.startswith("_")}
                found |= {f"{place}.{name}.{n}": getattr(value, n) for n, v in own.items() if isinstance(v, METHODS)}
                found |= {f"{place}.{name}.{n}": v.fset for n, v in own.items() if isinstance(v, property) and v.fset}
    return found


def public(names: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in names.items() if not name.startswith("_")]


def arguments(door: Callable[..., Any]) -> list[str]:
    """What it can be given, but for ``self`` and what is spread (``*inputs``, ``**options``)."""
    spread = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    return [name for name, p in inspect.signature(door).parameters.items() if p.kind not in spread and name != "self"]
