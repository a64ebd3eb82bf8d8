"""Weights of other libraries to ours and back: whole stacks, both directions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..cells import layers
from ..common import checks
from ..common.arrays import Array
from ..common.parameters import TORCH_NAME, fields, stack_shapes, suffix
from . import finding
from .conventions import Convention
from .finding import Found, rows
from .naming import Place, named
from .placing import Params

CLASSES: dict[str, type[layers.Layer]] = {"rnn": layers.RNN, "lstm": layers.LSTM, "gru": layers.GRU}
V = TypeVar("V", bool, str)
HAIKU = {"rnn": "vanilla_rnn", "lstm": "lstm", "gru": "gru"}  # its own names for modules


class Stack(NamedTuple):
    """A recurrent layer of reference as arrays: L layers, D directions."""

    cell: str  # "rnn", "lstm" or "gru"
    weights: dict[str, Array]  # by the names of reference and torch.nn: weight_ih_l0, ...
    reset_after: bool = True  # GRU
    nonlinearity: str = "tanh"  # RNN

    @property
    def bidirectional(self) -> bool:
        return "weight_ih_l0_reverse" in self.weights

    @property
    def num_layers(self) -> int:
        return sum(name.startswith("weight_ih") for name in self.weights) // (1 + self.bidirectional)

    @property
    def params(self) -> list[Params]:
        """Layer by layer, direction by direction."""
        endings = [suffix(k, d) for k in range(self.num_layers) for d in range(1 + self.bidirectional)]
        return [Params(**fields(self.weights, ending)) for ending in endings]

    def layer(self, dtype: str | np.dtype | None = None) -> layers.Layer:
        """The layer of reference with these weights, in their dtype unless told otherwise.  RuntimeError: they are no stack."""
        W_ih, W_hh = self.weights["weight_ih_l0"], self.weights["weight_hh_l0"]
        H = len(W_ih) // len(CLASSES[self.cell].room.GATES)
        own: dict[str, Any] = {"proj_size": W_hh.shape[1]} if "weight_hr_l0" in self.weights else {}
        if self.cell == "gru":
            own["reset_after"] = self.reset_after
        if self.cell == "rnn":
            own["nonlinearity"] = self.nonlinearity
        built = CLASSES[self.cell](W_ih.shape[1], H, num_layers=self.num_layers, bias="bias_ih_l0" in self.weights,
                                   bidirectional=self.bidirectional, dtype=dtype or W_ih.dtype, **own)  # fmt: skip
        built.load_state_dict(self.weights)
        return built


def checked(name: str, given: Any) -> Stack:
    """TypeError: no Stack, or no arrays in it.  ValueError: its weights are not those of one."""
    if not isinstance(given, Stack):
        raise TypeError(f"{name} must be a Stack, as ours() gives, got {type(given).__name__}")
    checks.choice(f"{name}.cell", given.cell, CLASSES), checks.flag(f"{name}.reset_after", given.reset_after)
    checks.choice(f"{name}.nonlinearity", given.nonlinearity, ("tanh", "relu"))
    weights, G = checks.floats(f"{name}.weights", given.weights), len(CLASSES[given.cell].room.GATES)
    first, hidden = (weights.get(f"weight_{side}_l0", np.empty(0)) for side in ("ih", "hh"))
    fits = first.ndim == hidden.ndim == 2 and len(first) % G == 0
    if fits:
        P = hidden.shape[1] if "weight_hr_l0" in weights else 0
        sizes = G, first.shape[1], len(first) // G, given.num_layers, "bias_ih_l0" in weights, given.bidirectional, P
        fits = {k: v.shape for k, v in weights.items()} == stack_shapes(*sizes)
    if not fits:
        shapes = {k: v.shape for k, v in weights.items()}
        raise ValueError(f"{name}.weights must be those of one {given.cell}, got {checks.shown(shapes)}")
    return given


def ours(
    arrays: Mapping[str, Array],
    library: str | None = None,
    places: Sequence[str] = (),
    *,
    bidirectional: bool | None = None,
    reset_after: bool | None = None,
    nonlinearity: str | None = None,
) -> Stack:
    """A library's arrays as a stack of ours.

    Parameters
    ----------
    arrays : mapping
        By the names that the library has for them, flattened: ``rnn.weight_ih_l0``, ``params/cell/hi/kernel``, ``lstm/linear/w``.
    library : str; optional
        One of the table, or the full name of one of its layers; else told by names and shapes.
    places : strings; optional
        One for each layer and direction, direction by direction: ``encoder/*``, with * for the array's own name; or the
        beginning of some names.  All layers that are found, if none are given.
    bidirectional : bool; optional
        Whether each two are one layer; needed only where neither names nor sizes say.
    reset_after, nonlinearity : optional
        What the arrays do not say; the library's default if not given.

    Raises
    ------
    ValueError
        No layer is there, the layers make no stack, or the library has no such option.
    TypeError
        An argument of another kind.
    """
    held = {k: checks.tensor(f"arrays[{k!r}]", v) for k, v in checks.mapping("arrays", arrays).items()}
    for name, value in (("bidirectional", bidirectional), ("reset_after", reset_after)):
        if value is not None:
            checks.flag(name, value)
    if nonlinearity is not None:
        checks.nonlinearity(nonlinearity)
    return stack(chosen(held, library, places, reset_after), bidirectional, reset_after, nonlinearity)


def chosen(arrays: Mapping[str, Array], library: str | None, places: Sequence[str], reset_after: bool | None = None) -> list[Found]:
    """The layers at these places, or all.  ValueError: none is there."""
    found, picked = finding.find(arrays, library, reset_after), []
    if not strings("places", places):
        picked = found
    for place in places:
        if "*" in place:
            if library is None:
                raise ValueError(f"whose layer is at {place!r}? name the library")
            picked.append(finding.at(arrays, library, place))
        else:
            some = [f for f in found if str(f.place).startswith(place)]
            if not some:
                raise ValueError(f"no recurrent layer's names begin with {place!r}")
            picked += some
    if not picked:
        raise ValueError("no recurrent layer" + (f" of {library}" if library else "") + " was found by its names and shapes")
    return picked


def strings(name: str, value: Any) -> Sequence[str]:
    """TypeError: no list of strings."""
    for part in checks.several(name, value):
        if not isinstance(part, str):
            raise TypeError(f"{name} must hold strings, got {checks.shown(part)}")
    return list(value)


def stack(
    found: Sequence[Found], bidirectional: bool | None = None, reset_after: bool | None = None, nonlinearity: str | None = None
) -> Stack:
    """Layers that were found, as one stack.  ValueError: they are none, or cannot be what they are told to be."""
    c = found[0].convention
    if len({(f.convention.layer, f.sizes[1], f.params.b_ih is None) for f in found}) > 1:
        raise ValueError(f"{places_of(found)} are layers of different kinds or sizes: choose those of one")
    D = 1 + directions(found, bidirectional)
    if not fitting(found, D):
        raise ValueError(f"{places_of(found)} do not make one stack, by their sizes: choose those of one")
    reset_after = option(c, "reset_after", reset_after, c.resets)
    nonlinearity = option(c, "nonlinearity", nonlinearity, c.nonlinearities if c.cell == "rnn" else ())
    weights: dict[str, Array] = {}
    for k, f in enumerate(found):
        held = {field: v for field, v in f.params._asdict().items() if v is not None}
        weights |= {TORCH_NAME[field] + suffix(*divmod(k, D)): np.ascontiguousarray(v) for field, v in held.items()}
    return Stack(c.cell, weights, True if reset_after is None else reset_after, nonlinearity or "tanh")


def option(c: Convention, name: str, value: V | None, can: tuple[V, ...]) -> V | None:
    """The value, or the row's default.  ValueError: the layer cannot do that."""
    if value is not None and value not in can:
        raise ValueError(f"{c.layer} has no {name}={value!r}")
    return can[0] if value is None and can else value


def directions(found: Sequence[Found], told: bool | None) -> bool:
    """Whether each two of these layers are the two directions of one.  ValueError: neither names nor sizes say so, or both."""
    reverse = [f.reverse for f in found]
    if any(reverse) or found[0].convention.library in finding.TOLD:
        if any(reverse) and reverse != [False, True] * (len(found) // 2):
            raise ValueError(f"{places_of(found)}: a reverse direction stands without its forward one before it")
        return any(reverse)
    if told is not None:
        return told
    fits = [both for both in (False, True) if fitting(found, 1 + both)]
    if len(fits) == 2:
        raise ValueError(f"{places_of(found)} can be two layers or two directions of one: say which, bidirectional or not")
    return bool(fits and fits[0])


def fitting(found: Sequence[Found], D: int) -> bool:
    """Whether the widths are those of a stack with D directions."""
    I, rest = found[0].sizes[0], [f.sizes[0] for f in found[D:]]
    P = found[0].params.W_hh.shape[1]  # H, or less with a projection
    return len(found) % D == 0 and all(f.sizes[0] == I for f in found[:D]) and all(width == D * P for width in rest)


def places_of(found: Iterable[Found]) -> str:
    return ", ".join(str(f.place) for f in found)


def theirs(given: Stack, library: str, places: Sequence[str] = ()) -> dict[str, Array]:
    """The inverse of ``ours``: arrays by the names of a library, or of one of its layers by its full name.

    Raises
    ------
    ValueError
        The library has no such cell or option, no place for a parameter that is not zero, or places are too few or too many;
        the weights of the stack are not those of one.
    TypeError
        An argument of another kind.
    """
    checked("given", given), strings("places", places)
    c, D, params = row(given, library), 1 + given.bidirectional, given.params
    spots = [where(place) for place in places] or default_places(c, len(params), D)
    if len(spots) != len(params):
        raise ValueError(f"{len(params)} places are needed, one for each layer and direction, got {len(spots)}")
    arrays: dict[str, Array] = {}
    for p, place in zip(params, spots, strict=True):
        arrays |= named(c, p, place)
    return finding.together(arrays) if c.library == "ONNX" else arrays


def where(place: str) -> Place:
    before, _, after = place.partition("*")
    return Place(before, after)


def row(given: Stack, library: str) -> Convention:
    """The layer of a library that computes this.  ValueError: it has none."""
    of_cell = [c for c in rows(library) if c.cell == given.cell]
    if not of_cell:
        raise ValueError(f"{library} has no {given.cell}")
    if given.cell == "gru":
        of_cell, all_of = [c for c in of_cell if given.reset_after in c.resets], of_cell
        if not of_cell:
            here, there = ("after", "before") if given.reset_after else ("before", "after")
            raise ValueError(
                f"{all_of[0].layer} resets {there} the recurrent product, this GRU {here} it: no weights make them compute the same"
            )
    if given.cell == "rnn" and given.nonlinearity not in of_cell[0].nonlinearities:
        raise ValueError(f"{of_cell[0].layer} is {of_cell[0].nonlinearities[0]}, this RNN {given.nonlinearity}")
    return of_cell[0]


def default_places(c: Convention, count: int, D: int) -> list[Place]:
    """By torch's names, by number (JAX, haiku), or l0/*, l0_reverse/*, ...; of one layer alone the names as they are."""
    endings = [suffix(*divmod(k, D)) for k in range(count)]
    if c.library in ("reference", "torch", "Paddle"):
        return [Place("", ending) for ending in endings]
    if c.library == "JAX":
        return [Place("", f"/{k}") for k in range(count)]
    if c.library == "ONNX":
        return [Place("" if count == D else f"l{k // D}/", f"[{k % D}]") for k in range(count)]
    if c.library == "haiku":
        return [Place(f"{HAIKU[c.cell]}_{k}/" if k else f"{HAIKU[c.cell]}/") for k in range(count)]
    return [Place() if count == 1 else Place(f"{ending[1:]}/") for ending in endings]
