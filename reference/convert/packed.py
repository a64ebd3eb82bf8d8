"""The one vector in which jax.experimental.rnn, like cuDNN, holds all weights of an LSTM.

First W_ih and W_hh of every layer and direction, then b_ih and b_hh of every one, each row by row, gates in the order i f g o.
Source: jax.experimental.rnn.init_lstm_weight and unpack_lstm_weights, which has no inverse there.
"""

import math
from collections.abc import Iterator

import numpy as np

from ..common import checks
from ..common.arrays import Array
from ..common.parameters import fits
from .stacks import Stack, checked, ours, theirs

GATES = 4


def pack(given: Stack) -> Array:
    """An LSTM  ->  (n,) as jax.experimental.rnn.lstm takes it, with zeros where it has no biases.

    ValueError: it is another cell, or has a projection.
    """
    if checked("given", given).cell != "lstm":
        raise ValueError(f"jax.experimental.rnn has an LSTM only, not a {given.cell}")
    arrays = theirs(given, "JAX")
    return np.concatenate([arrays[name].ravel() for name in order(given.num_layers, given.bidirectional)])


def unpack(packed: Array, input_size: int, hidden_size: int, num_layers: int = 1, bidirectional: bool = False) -> Stack:
    """The inverse of ``pack``.

    ValueError: the sizes are not those of so many numbers, or a size is below 1.  TypeError: not numbers, or sizes that are not
    whole.
    """
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    input_size, hidden_size, num_layers = (checks.positive_int(name, size) for name, size in sizes.items())
    checks.flag("bidirectional", bidirectional)
    fits(GATES, input_size, hidden_size, num_layers)
    flat, arrays, at = checks.numbers("packed", packed, "f"), {}, 0
    shapes = {name: shape(name, input_size, hidden_size, 1 + bidirectional) for name in order(num_layers, bidirectional)}
    wanted = sum(map(math.prod, shapes.values()))
    if flat.shape != (wanted,):
        raise ValueError(f"an LSTM of these sizes has {wanted} numbers in one vector, got an array of shape {flat.shape}")
    for name, of in shapes.items():
        arrays[name] = flat[at : at + math.prod(of)].reshape(of)
        at += math.prod(of)
    return ours(arrays, "JAX", bidirectional=bidirectional)


def order(num_layers: int, bidirectional: bool) -> Iterator[str]:
    """The arrays as they stand in the vector, by the names of JAX's dictionaries."""
    for names in (("W_ih", "W_hh"), ("b_ih", "b_hh")):
        for k in range(num_layers * (1 + bidirectional)):
            yield from (f"{name}/{k}" for name in names)


def shape(name: str, input_size: int, hidden_size: int, directions: int) -> tuple[int, ...]:
    """Of one of these arrays."""
    kind, k = name.split("/")
    rows, inputs = GATES * hidden_size, input_size if int(k) < directions else directions * hidden_size
    return {"W_ih": (rows, inputs), "W_hh": (rows, hidden_size)}.get(kind, (rows,))
