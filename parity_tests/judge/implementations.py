"""Who is judged: the built-in implementations by name, and strangers by module.

One implementation is a ``load(spec, weights) -> layer`` and, if it wants, a ``declines(spec) -> reason or None``.
README.md, "Bring your own", says what a layer promises.
"""

import importlib
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import reference
from reference.common.checks import COMPILED
from reference.common.extras import lacking
from torch_impl.cells.adapters import ADAPTERS
from torch_impl.cells.adapters import MORE as MORE_ADAPTERS

from .arithmetic import PRECISIONS
from .cases import Spec
from .numpy_layer import NumpyLayer
from .strangers import STRANGERS


class LoadError(ValueError):
    """An implementation that cannot be found or has no load()."""


@dataclass(frozen=True)
class Implementation:
    """A name, how to load it, what it declines."""

    name: str
    load: Callable[[Spec, dict[str, np.ndarray]], Any]
    declines: Callable[[Spec], str | None] = lambda spec: None
    takes_masks: bool = False
    about: Callable[[], str] | None = None  # version and threads, of what we do not know ourselves
    computes: dict[str, str] = field(default_factory=dict, hash=False)  # precision by the dtype that is asked for, if another
    package: ModuleType | None = None  # for our own NumPy rooms: where they are, so that a failure can be traced

    def reason_to_decline(self, spec: Spec) -> str | None:
        """Why this spec is not for it, or None."""
        if spec.dropout and spec.masks and not self.takes_masks:
            return "takes no dropout masks"
        reason = self.declines(spec)
        if reason is not None and not isinstance(reason, str):
            raise TypeError(f"declines(spec) must return a reason as a string, or None; it returned {reason!r}")
        return reason

    def precision(self, spec: Spec) -> str:
        """What it says it computes a spec in; empty if that is the dtype."""
        precision = self.computes.get(spec.dtype, spec.dtype)
        return "" if precision == spec.dtype else precision


def numpy_declines(spec: Spec) -> str | None:
    if spec.device.partition(":")[0] != "cpu":
        return "NumPy computes on the CPU"
    return f"NumPy does not compute in {spec.dtype}" if PRECISIONS[spec.dtype].narrow else None


def numba_declines(spec: Spec) -> str | None:
    return numpy_declines(spec) or lacking(*COMPILED)


def numpy_implementation(name: str, package: ModuleType, engine: str = "definition") -> Implementation:
    """``reference``, or a copy of it, as an implementation; it computes in the dtype of the weights."""
    return Implementation(
        name,
        lambda spec, weights: NumpyLayer(package, spec, weights, engine),
        declines=numba_declines if engine == "compiled" else numpy_declines,
        takes_masks=True,
        package=package if engine == "definition" else None,
    )


BUILTIN = {
    "numpy": numpy_implementation("numpy", reference),
    "numpy.fast": numpy_implementation("numpy.fast", reference, "fast"),
    "numba": numpy_implementation("numba", reference, "compiled"),
} | {name: Implementation(name, a.load, a.declines, a.takes_masks) for name, a in ADAPTERS.items()}
# Only when asked for by name: what compiles for seconds for each case, and what needs a GPU.
MORE = {name: Implementation(name, a.load, a.declines, a.takes_masks) for name, a in MORE_ADAPTERS.items()}


def chosen(names: Iterable[str] | None, device: str) -> list[Implementation]:
    """Those that were named (LoadError: as ``resolve``); if none were, all built-in ones that run on the device."""
    if names:
        return [resolve(name) for name in names]
    return [i for i in BUILTIN.values() if not i.reason_to_decline(Spec("lstm", 3, 6, device=device))]


def resolve(name: str) -> Implementation:
    """A built-in name, the short name of one of our strangers, or the dotted name of a module that has ``load``.

    A module, and what it imports, is looked for in the current folder first, then in PYTHONPATH and among what is
    installed; what is loaded already, such as our own packages, stays as it is.  LoadError: there is no such module,
    importing it fails, or it has no callable ``load``.
    """
    if name in BUILTIN or name in MORE:
        return (BUILTIN | MORE)[name]
    if name in STRANGERS:
        try:
            return replace(resolve(STRANGERS[name].address), name=name)
        except LoadError as e:
            raise LoadError(f"{name} is not installed: pip install {' '.join(STRANGERS[name].needs)} gets it ({e})") from e
    if "" not in sys.path:
        sys.path.append("")  # for what the module imports later
    sys.path.insert(0, "")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name and (name == e.name or name.startswith(e.name + ".")):
            file = " (a dotted name is wanted, as my_lib.adapter, not a file)" if "/" in name or name.endswith(".py") else ""
            raise LoadError(
                f"no module is named {name!r}{file}; looked in {Path.cwd()}, in PYTHONPATH and among what is "
                f"installed; built in are {', '.join((*BUILTIN, *MORE, *STRANGERS))}"
            ) from e
        raise LoadError(f"{name} cannot be imported: {e}") from e
    except (Exception, SystemExit) as e:
        place = traceback.extract_tb(e.__traceback__)[-1]
        where = "" if isinstance(e, SyntaxError) else f" ({place.filename}, line {place.lineno})"
        raise LoadError(f"{name} cannot be imported: {type(e).__name__}: {e}{where}{hidden()}") from e
    finally:
        sys.path.remove("")
    if not callable(getattr(module, "load", None)):
        raise LoadError(f"{name} has no function load(spec, weights)")
    computes = getattr(module, "computes", {})
    if not isinstance(computes, dict) or not {*computes, *computes.values()} <= PRECISIONS.keys():
        raise LoadError(f"{name}: computes must map each dtype to one of {', '.join(PRECISIONS)}; it is {computes!r}")
    declines, about = getattr(module, "declines", lambda spec: None), getattr(module, "about", None)
    takes_masks = getattr(module, "takes_masks", False)
    if not isinstance(takes_masks, bool):
        raise LoadError(f"{name}: takes_masks must be True or False; it is {takes_masks!r}")
    return Implementation(name, module.load, declines, takes_masks, about, computes)


def hidden() -> str:
    """What of the current folder has the name of a package of ours that is loaded, for whoever wonders; empty if nothing."""
    here = Path.cwd()
    for name in ("reference", "torch_impl", "parity_tests", "benchmarks"):
        hides = name in sys.modules and not Path(sys.modules[name].__file__ or "").is_relative_to(here)
        if hides and (Path(name).is_dir() or Path(f"{name}.py").exists()):
            return f"; here 'import {name}' gives bptt's own, not that of {here}"
    return ""
