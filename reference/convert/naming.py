"""What each library calls the arrays of one layer and direction, and where they stand among those of a model."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..common.arrays import Array
from .conventions import Convention
from .placing import Params, Placed, placed, taken

TORCH = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
KERAS = ("kernel", "recurrent_kernel", "bias")
DENSE = ("dense_i/kernel", "dense_h/kernel", "dense_i/bias")
# Of W_ih, W_hh and each bias.  {} is a gate: each has an array of its own.  Two of one name are one array, the second below
# the first; in Keras beside it, (2, G·H).
NAMES: dict[str, tuple[str, ...]] = {
    "keras.layers.GRU": (*KERAS, "bias"),
    "RNN": ("W", "R", "B", "B"),
    "LSTM": ("W", "R", "B", "B"),
    "GRU": ("W", "R", "B", "B"),
    "jax.experimental.rnn.lstm": ("W_ih", "W_hh", "b_ih", "b_hh"),
    "flax.linen.SimpleCell": ("i/kernel", "h/kernel", "i/bias"),
    "flax.linen.LSTMCell": ("i{}/kernel", "h{}/kernel", "h{}/bias"),
    "flax.linen.GRUCell": ("i{}/kernel", "h{}/kernel", "i{}/bias", "hn/bias"),
    "flax.nnx.SimpleCell": DENSE,
    "flax.nnx.OptimizedLSTMCell": ("dense_i/kernel", "dense_h/kernel", "dense_h/bias"),
    "flax.nnx.LSTMCell": ("i{}/kernel", "h{}/kernel", "h{}/bias"),  # where if is if_
    "flax.nnx.GRUCell": DENSE,
    "equinox.nn.LSTMCell": ("weight_ih", "weight_hh", "bias"),
    "equinox.nn.GRUCell": ("weight_ih", "weight_hh", "bias", "bias_n"),
    "haiku.VanillaRNN": ("linear/w", "linear_1/w", "linear/b", "linear_1/b"),
    "haiku.LSTM": ("linear/w", "linear/w", "linear/b"),
    "haiku.GRU": ("w_i", "w_h", "b"),
    "mlx.nn.RNN": ("Wxh", "Whh", "bias"),
    "mlx.nn.LSTM": ("Wx", "Wh", "bias"),
    "mlx.nn.GRU": ("Wx", "Wh", "b", "bhn"),
}
BY_LIBRARY = {"reference": TORCH, "torch": TORCH, "Paddle": TORCH, "Keras": KERAS}
PROJECTION = "weight_hr"


class Place(NamedTuple):
    """Where the arrays of one layer and direction stand: ``rnn.*_l0_reverse`` has * for what each of them is called."""

    before: str = ""
    after: str = ""
    separator: str = "/"  # for the one within an array's own name

    def name(self, own: str) -> str:
        return self.before + own.replace("/", self.separator) + self.after

    def __str__(self) -> str:
        return f"{self.before}*{self.after}"


HERE = Place()


def names(c: Convention) -> tuple[str, ...]:
    """Of W_ih, W_hh and each bias."""
    return NAMES[c.layer] if c.layer in NAMES else BY_LIBRARY[c.library]


def of_gate(c: Convention, name: str, gate: str) -> str:
    """flax.nnx cannot call an attribute ``if``."""
    return name.replace("{}", "f_" if c.layer == "flax.nnx.LSTMCell" and name[0] + gate == "if" else gate)


def named(c: Convention, p: Params, place: Place = HERE) -> dict[str, Array]:
    """The parameters of reference  ->  arrays as the library has and names them.  ValueError: as ``placed``."""
    w = placed(c, p)
    arrays: dict[str, Array] = {}
    for name, v in zip(names(c), (w.W_ih, w.W_hh, *w.biases), strict=False):
        if "{}" in name:
            blocks = zip(c.gates, np.split(v, len(c.gates), -1), strict=True)
            arrays |= {of_gate(c, name, gate): block for gate, block in blocks}
        elif name in arrays:
            arrays[name] = (np.stack if c.library == "Keras" else np.concatenate)([arrays[name], v])
        else:
            arrays[name] = v
    if p.W_hr is not None:
        arrays[PROJECTION] = p.W_hr
    return {place.name(name): np.ascontiguousarray(v) for name, v in arrays.items()}


def used(c: Convention, arrays: Mapping[str, Array], place: Place) -> dict[str, Array]:
    """What of the arrays belongs to the layer at that place, by their own names.  KeyError: a weight or a bias is not there."""
    own = [of_gate(c, name, gate) for name in names(c) for gate in (c.gates if "{}" in name else " ")]
    biases = [name for name in own if name.rpartition("/")[2][0] in "bB"]
    there = any(place.name(name) in arrays for name in biases) or not c.may_lack_biases
    found = {name: arrays[place.name(name)] for name in own if there or name not in biases}
    if c.projects and place.name(PROJECTION) in arrays:
        found[PROJECTION] = arrays[place.name(PROJECTION)]
    return found


def unnamed(c: Convention, arrays: Mapping[str, Array], place: Place = HERE) -> Params:
    """The inverse of ``named``: a library's arrays  ->  the parameters of reference

    Raises
    ------
    KeyError
        An array is not there.
    ValueError
        The shapes are not those of such a layer.
    """
    found, G = used(c, arrays, place), len(c.gates)
    projection = found.pop(PROJECTION, None)
    try:
        W_ih, W_hh, *biases = [whole(c, found, name) for name in names(c) if name in found or "{}" in name]
    except ValueError as e:  # the gates' arrays do not go beside each other
        raise misfit(c, place) from e
    if names(c)[0] == names(c)[1] and W_ih.ndim == 2:  # one below the other; W_hh is the square blocks
        split = len(W_ih) - W_ih.shape[1] // G
        W_ih, W_hh = W_ih[:split], W_hh[split:]
    if len(biases) == 2 and names(c)[2] == names(c)[3]:
        if biases[0].ndim != (2 if c.library == "Keras" else 1) or (c.library == "Keras" and len(biases[0]) != 2):
            raise misfit(c, place)
        biases = list(biases[0] if c.library == "Keras" else np.array_split(biases[0], 2))
    check(c, place, W_ih, W_hh, biases, projection)
    return taken(c, Placed(W_ih, W_hh, tuple(biases)))._replace(W_hr=projection)


def whole(c: Convention, found: Mapping[str, Array], name: str) -> Array:
    """One array, or those of all gates side by side."""
    return np.concatenate([found[of_gate(c, name, gate)] for gate in c.gates], -1) if "{}" in name else found[name]


def misfit(c: Convention, place: Place) -> ValueError:
    return ValueError(f"the arrays {place} have not the shapes of {c.layer}")


def check(c: Convention, place: Place, W_ih: Array, W_hh: Array, biases: list[Array], projection: Array | None) -> None:
    """ValueError: not the shapes of such a layer, or no floating-point numbers."""
    rows, G = W_ih.shape[-1 if c.transposed else 0] if W_ih.ndim == 2 else 0, len(c.gates)
    H = rows // G
    P = H if projection is None else len(projection)
    wanted = [(rows, P), *([(rows,)] * len(biases))]
    if c.biases == "n apart" and len(biases) == 2:
        wanted[-1] = (H,)
    got = [W_hh.T.shape if c.transposed else W_hh.shape, *(b.shape for b in biases)]
    fits = bool(rows) and rows == G * H and W_ih.size > 0 and got == wanted
    if not fits or len(biases) not in (0, len(names(c)) - 2) or (projection is not None and projection.shape != (P, H)):
        raise misfit(c, place)
    if any(v.dtype.kind != "f" for v in (W_ih, W_hh, *biases)):
        raise ValueError(f"the arrays {place} must be floating-point numbers, got {W_ih.dtype}")
