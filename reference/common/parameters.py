"""Where torch.nn keeps each parameter: names, shapes and order.  Data only, shared with ``torch_impl``."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from . import checks

FLOAT32 = np.dtype(np.float32)
V = TypeVar("V")  # an array of either backend
TORCH_NAME = {"W_ih": "weight_ih", "W_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh", "W_hr": "weight_hr"}


def suffix(layer: int, direction: int) -> str:
    """``_l0`` for layer 0 forwards, ``_l0_reverse`` for its reverse direction."""
    return f"_l{layer}" + ("_reverse" if direction else "")


def cell_shapes(gates: int, input_size: int, hidden_size: int, bias: bool, proj_size: int = 0) -> dict[str, tuple]:
    """Shapes of one layer and direction, keyed by the fields of a room's ``Params``, in torch's order.

    ValueError: no memory holds them.
    """
    fits(gates, input_size, hidden_size, proj_size=proj_size)
    G, H = gates * hidden_size, hidden_size
    shapes: dict[str, tuple] = {"W_ih": (G, input_size), "W_hh": (G, proj_size or H)}
    if bias:
        shapes |= {"b_ih": (G,), "b_hh": (G,)}
    if proj_size:
        shapes["W_hr"] = (proj_size, H)
    return shapes


def stack_shapes(
    gates: int, input_size: int, hidden_size: int, num_layers: int, bias: bool, bidirectional: bool, proj_size: int
) -> dict[str, tuple]:
    """Shapes of a whole stack, keyed and ordered like the ``state_dict`` of torch.nn's layer.  ValueError: as ``cell_shapes``."""
    fits(gates, input_size, hidden_size, num_layers, 1 + bidirectional, proj_size)
    shapes = {}
    for layer in range(num_layers):
        width = input_size if layer == 0 else (1 + bidirectional) * (proj_size or hidden_size)
        for direction in range(1 + bidirectional):
            for field, shape in cell_shapes(gates, width, hidden_size, bias, proj_size).items():
                shapes[TORCH_NAME[field] + suffix(layer, direction)] = shape
    return shapes


def fits(gates: int, input_size: int, hidden_size: int, num_layers: int = 1, directions: int = 1, proj_size: int = 0) -> None:
    """ValueError: more numbers, in float32, than there is memory; without a list of the layers, which would take hours."""
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    columns = input_size + num_layers * (proj_size or hidden_size)  # of W_ih in the first layer, of W_hh in all
    checks.fits(sizes, directions * gates * hidden_size * columns, FLOAT32, 2 * directions * num_layers)


def fields(weights: Mapping[str, V], ending: str) -> dict[str, V]:
    """The arrays of one layer and direction, keyed by field; what the stack lacks (no bias, no projection) is absent."""
    return {field: weights[name + ending] for field, name in TORCH_NAME.items() if name + ending in weights}
