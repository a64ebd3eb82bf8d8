"""The definition read otherwise: with other inputs, other outputs, or other lines, and the gradients that belong to it.

What goes in or comes out otherwise is a gather with signs: each number is one of those that were there, or minus one, or
nothing.  So a change is a function of arrays that only moves, negates (-v) or drops (0 * v) them; run on the numbers' places it
says which went where, and so gives its own adjoint, a scatter.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import numpy as np

import reference

from ..cases import Case, Data
from ..numpy_layer import NumpyLayer
from ..oracle import Tensors, transform
from .address import changed
from .patching import copied

Nest = TypeVar("Nest")  # arrays in dicts and tuples
States = tuple[np.ndarray, ...]
Edit = tuple[str, str, str]  # function, old code, new code


class Inputs(NamedTuple):
    """What a layer is given, or the gradients with respect to it."""

    weights: Tensors
    x: np.ndarray
    state: States


class Outputs(NamedTuple):
    """What a layer returns, or the gradients with respect to it."""

    y: np.ndarray
    state: States


def same(nest: Nest) -> Nest:
    return nest


@dataclass(frozen=True)
class Reading:
    """One way to take the definition; the default is to take it as it stands."""

    inputs: Callable[[Inputs], Inputs] = same
    outputs: Callable[[Outputs], Outputs] = same
    upstream: Callable[[Outputs], Outputs] = same  # what backward makes of the gradients that it is given
    case: Case | None = None  # with other options or lengths
    room: str = ""  # whose code is another, as "cells/lstm"
    edits: tuple[Edit, ...] = ()


def run(reading: Reading, case: Case, data: Data, backward: bool = True) -> Tensors:
    """Every output, and if asked for every gradient, by name; ``data`` has a state."""
    given, inner = Inputs(data.weights, data.x, data.state or ()), reading.case or case
    weights, x, state = gather(reading.inputs, given)
    layer = NumpyLayer(definition(reading.room, reading.edits), inner.spec, weights)
    lengths = None if inner.lengths is None else np.array(inner.lengths)
    with np.errstate(all="ignore"):
        returned = Outputs(*(layer.forward if backward else layer.infer)(x, state, lengths, data.masks))
        y, state_n = gather(reading.outputs, returned)
        tensors = {"y": y} | named("{}_n", state_n)
        if not backward:
            return tensors
        dx, dstate, dweights = layer.backward(*scatter(reading.outputs, returned, reading.upstream(Outputs(data.dy, data.dstate))))
    d = scatter(reading.inputs, given, Inputs({k: dweights[k] for k in weights}, dx, dstate))
    return tensors | {"dx": d.x} | named("d{}_0", d.state) | {f"d{k}": v for k, v in d.weights.items()}


def added(readings: Sequence[Reading], case: Case, data: Data, backward: bool = True) -> Tensors:
    """The sum of several readings, of which each gives a part of the outputs and drops the others."""
    parts = [run(reading, case, data, backward) for reading in readings]
    return {name: np.sum([part[name] for part in parts], axis=0) for name in parts[0]}


def posed(case: Case, data: Data) -> Data:
    """The data of a case in float64 or wider, with a state where there is none."""
    s, dtype = case.spec, np.promote_types(data.x.dtype, np.float64)
    rows = s.num_layers * (1 + s.bidirectional)
    state = data.state or tuple(np.zeros((rows, case.B, width)) for width in s.state_sizes)
    return transform(data._replace(state=state), lambda v: v.astype(dtype))


def named(pattern: str, states: States) -> Tensors:
    return {pattern.format(letter): v for letter, v in zip("hc", states, strict=False)}


@cache
def definition(room: str, edits: tuple[Edit, ...]) -> ModuleType:
    """``reference``, or a copy of it in which some code of one room is another."""
    if not edits:
        return reference

    def change(text: str) -> str:
        for edit in edits:
            text = changed(text, *edit)
        return text

    return copied(f"reference_read_otherwise_{zlib.crc32(repr((room, edits)).encode())}", room, change)


def is_there(reading: Reading) -> bool:
    """Whether the code that it changes is there.  It is not where somebody broke that very line of the definition."""
    try:
        definition(reading.room, reading.edits)
    except LookupError:
        return False
    return True


def gather(change: Callable[[Nest], Nest], nest: Nest) -> Nest:
    """What a change makes of the arrays."""
    if change is same:
        return nest
    flat = np.concatenate([[0], *leaves(nest)])
    return transform(change(places(nest)), lambda p: np.sign(p) * flat[np.abs(p).astype(int)])


def scatter(change: Callable[[Nest], Nest], nest: Nest, d: Nest) -> Nest:
    """The adjoint of ``gather``: d(what came out)  ->  d(what went in), which is shaped as ``nest``."""
    if change is same:
        return d
    origin = places(nest)
    total = np.zeros(1 + sum(map(len, leaves(nest))))
    for place, gradient in zip(leaves(change(origin)), leaves(d), strict=True):
        np.add.at(total, np.abs(place).astype(int), np.sign(place) * gradient)
    return transform(origin, lambda p: total[p.astype(int)])


def places(nest: Nest) -> Nest:
    """A nest like this one whose numbers are 1, 2, 3, ...: so -2 is minus the second, and 0 is nothing."""
    counted = 1

    def numbered(v: np.ndarray) -> np.ndarray:
        nonlocal counted
        counted += v.size
        return np.arange(counted - v.size, counted, dtype=float).reshape(v.shape)

    return transform(nest, numbered)


def leaves(nest: Any) -> list[np.ndarray]:
    """All arrays of a nest, flattened."""
    found: list[np.ndarray] = []
    transform(nest, lambda v: found.append(v.ravel()))
    return found


def with_spec(case: Case, **options: Any) -> Case:
    return replace(case, spec=replace(case.spec, **options))
