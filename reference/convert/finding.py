"""Which recurrent layers are among the arrays of a model: told by names and shapes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..common import checks
from ..common.arrays import Array
from .conventions import OURS, TABLE, Convention
from .naming import Place, names, of_gate, unnamed, used
from .placing import Params

# What follows the name of an array: layer and direction, or nothing.
AFTER = {"torch": r"(?:_l\d+(?:_reverse)?)?", "JAX": r"/\d+", "ONNX": r"\[\d\]"}
AFTER |= dict.fromkeys(("reference", "Paddle"), AFTER["torch"])
# Names that say little by themselves: what their module must be called.
WITHIN = {"haiku.LSTM": r"lstm(?:_\d+)?/", "haiku.VanillaRNN": r"vanilla_rnn(?:_\d+)?/"}
REVERSE = re.compile(r"_reverse(?:[/.]\*)?$|\[1\]$|(?:^|/)backward_[^/]*/\*$")
TOLD = ("reference", "torch", "Paddle", "ONNX")  # whose names always say the direction


class Found(NamedTuple):
    """One layer, one direction."""

    convention: Convention
    place: Place
    params: Params  # in the order and layout of reference

    @property
    def sizes(self) -> tuple[int, int]:
        """I, H"""
        return self.params.W_ih.shape[1], len(self.params.W_ih) // len(self.convention.gates)

    @property
    def reverse(self) -> bool:
        """Whether its name says so."""
        return bool(REVERSE.search(str(self.place)))


def rows(library: str) -> list[Convention]:
    """The rows of a library, or of one layer by its full name.  ValueError: there is none."""
    if not isinstance(library, str):
        raise TypeError(f"library must be a name, got {type(library).__name__}")
    known = [c for c in (*OURS, *TABLE) if not c.source]
    chosen = [c for c in known if library.lower() in (c.library.lower(), c.layer.lower())]
    if not chosen:
        libraries = dict.fromkeys(c.library.lower() for c in known)
        raise ValueError(f"no library {checks.shown(library)} is known; there are {', '.join(libraries)}")
    return chosen


def find(arrays: Mapping[str, Array], library: str | None = None, reset_after: bool | None = None) -> list[Found]:
    """The recurrent layers among a model's arrays, in the order of their names there

    ``reset_after`` decides where the arrays are those of either GRU.

    Raises
    ------
    ValueError
        No such library; or the names and shapes of a layer are those of several libraries that mean other things by them.
    """
    arrays = apart({k: checks.tensor(f"arrays[{k!r}]", v) for k, v in checks.mapping("arrays", arrays).items()})
    if reset_after is not None:
        checks.flag("reset_after", reset_after)
    candidates = rows(library) if library is not None else [c for c in (*TABLE, *OURS) if not c.source]
    by_name: dict[str, list[tuple[int, Found]]] = {}
    for c in candidates:
        for name, place in anchors(c, arrays):
            try:
                entry = len(used(c, arrays, place)), Found(c, place, unnamed(c, arrays, place))
            except (KeyError, ValueError):
                continue
            by_name.setdefault(name, []).append(entry)
    found = [one(name, by_name[name], reset_after) for name in arrays if name in by_name]
    return ordered(without_copies(found))


def anchors(c: Convention, arrays: Iterable[str]) -> Iterator[tuple[str, Place]]:
    """Where an array is called as the weight of the hidden state is."""
    own = of_gate(c, names(c)[1], c.gates[0])
    pattern = re.compile(
        rf"((?:.*[/.:])?{WITHIN.get(c.layer, '')}){re.escape(own).replace('/', '([/.])')}({AFTER.get(c.library, '')})"
    )
    for name in arrays:
        match = pattern.fullmatch(name)
        if match:
            before, *separator, after = match.groups()
            yield name, Place(before, after, *separator)


def at(arrays: Mapping[str, Array], library: str, place: str) -> Found:
    """The layer at one place, ``encoder/*``, whatever it is called.

    ValueError: no layer of the library is there, with what would be wanted.
    """
    before, _, after = place.partition("*")
    arrays, problems = apart(arrays), []
    for c in rows(library):
        for separator in "/.":
            where = Place(before, after, separator)
            try:
                return Found(c, where, unnamed(c, arrays, where))
            except KeyError as e:
                problems.append(f"{c.layer} has an array {e.args[0]} there")
            except ValueError as e:
                problems.insert(0, str(e))
    raise ValueError(f"no layer of {library} is at {place!r}: {problems[0]}")


def one(name: str, entries: Sequence[tuple[int, Found]], reset_after: bool | None) -> Found:
    """Of the readings of one array that which leaves the fewest arrays over.  ValueError: two of them differ."""
    most = max(count for count, _ in entries)
    best = [found for count, found in entries if count == most]
    first, *others = sorted(best, key=lambda f: reset_after is not None and reset_after not in f.convention.resets)
    for other in others:
        if meaning(other.convention) != meaning(first.convention) and not same_library(first, other):
            libraries = " or ".join(dict.fromkeys(f.convention.library.lower() for f in best))
            raise ValueError(f"{name} can be of {libraries}: say which")
    return first


def meaning(c: Convention) -> tuple:
    return c.cell, c.gates, c.transposed, c.negated, c.added, c.resets[:1]


def same_library(a: Found, b: Found) -> bool:
    return a.convention.library == b.convention.library


def apart(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """ONNX's W, R (D, G·H, ·) and B (D, 2·G·H) by direction, ``W[0]`` and ``W[1]``; all else as it is."""
    split: dict[str, Array] = {}
    for name, v in arrays.items():
        if re.search(r"(?:^|[/.:])[WRB]$", name):  # of any shape, so that a wrong one is not taken for a missing one
            split |= {f"{name}[{d}]": part for d, part in enumerate(v if v.ndim and len(v) in (1, 2) else [v])}
        else:
            split[name] = v
    return split


def together(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The inverse of ``apart``."""
    joined: dict[str, list[Array]] = {}
    for name, v in arrays.items():
        joined.setdefault(name.partition("[")[0], []).append(v)
    return {name: np.stack(parts) for name, parts in joined.items()}


def without_copies(found: Sequence[Found]) -> list[Found]:
    """Paddle's state_dict has each array a second time, as that of a cell: ``0.cell_fw.weight_ih``."""
    stacks = {f.place.before for f in found if f.place.after.startswith("_l")}
    copies = [re.fullmatch(r"((?:.*\.)?)\d+\.cell(?:_[fb]w)?\.", f.place.before) for f in found]
    return [f for f, copy in zip(found, copies, strict=True) if not (copy and copy[1] in stacks)]


def ordered(found: Sequence[Found]) -> list[Found]:
    """The layers of one stack by number and direction; what comes from elsewhere keeps its order."""
    first = {f.place.before: k for k, f in reversed(list(enumerate(found)))}

    def key(f: Found) -> tuple:
        number = re.search(r"\d+", f.place.after)
        return first[f.place.before], int(number[0]) if number else 0, bool(f.reverse)

    return sorted(found, key=key)
