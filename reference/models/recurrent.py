"""A layer by the name of its cell, and its state in one form for all cells: what the models need to be written once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..cells.inputs import State
from ..cells.layers import GRU, LSTM, RNN, Layer
from ..common import checks
from ..common.arrays import Array

CELLS: dict[str, Callable[..., Layer]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def recurrent(cell: str, *sizes: int | str, **options: Any) -> Layer:
    """RNN, LSTM or GRU of these sizes, with these options.  Raises ValueError for another name, and as the layers."""
    return CELLS[checks.choice("cell", cell, tuple(CELLS))](*sizes, **options)


def fields(state: State) -> tuple[Array, ...]:
    """A state as a layer takes it, an array or a pair  ->  (h,) or (h, c)"""
    return state if isinstance(state, tuple) else (state,)


def as_state(arrays: Sequence[Array]) -> State:
    """The inverse of fields"""
    return (arrays[0], arrays[1]) if len(arrays) > 1 else arrays[0]


def hidden(state: State) -> Array:
    """The hidden state h (L·D, B, H)"""
    return fields(state)[0]


def of_hidden(dh: Array, state: State) -> State:
    """The gradient with respect to a state of which only h was read"""
    return as_state([dh, *map(np.zeros_like, fields(state)[1:])])


def map_state(function: Callable[[Array], Array], state: State) -> State:
    """The state whose arrays are function(array)"""
    return as_state([function(v) for v in fields(state)])


def joined(v: Array, D: int) -> Array:
    """(L·D, B, F)  ->  (L, B, D·F)"""
    LD, B, F = v.shape
    return v.reshape(LD // D, D, B, F).swapaxes(1, 2).reshape(LD // D, B, D * F)


def halved(v: Array, D: int) -> Array:
    """The inverse of joined"""
    L, B, DF = v.shape
    return v.reshape(L, B, D, DF // D).swapaxes(1, 2).reshape(L * D, B, DF // D)
