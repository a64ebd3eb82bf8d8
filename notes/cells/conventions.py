"""How other libraries hold the same cells: the rows of notes/cells/conventions.md, and weights moved into each.

A row says in which order the gates are stacked, which way a weight lies, which biases there are, where a GRU resets, and
what a new layer starts from.  ``placed`` turns the parameters of a room into what a row says; notes/cells/test_conventions.py
runs the real layer on them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from reference.cells import gru, lstm, rnn
from reference.common.arrays import Array

from ..generated import markdown

GATES = {"rnn": "h", "lstm": "ifgo", "gru": "rzn"}  # the order of reference and torch
ROOMS = {"rnn": rnn, "lstm": lstm, "gru": gru}

# The biases that a layer holds: how the page says it.
BIASES = {
    "two": "two: `b_ih`, `b_hh`",
    "sum": "one: the sum",
    "n apart": "the sum, and `b_hn` apart",
    "no b_hn": "one: the sum, and no `b_hn`",
}
# What a new layer draws its weights from.  k is 1/√H.
DRAWN = {
    "uniform": "uniform ±k",
    "glorot": "Glorot uniform over the stacked matrix",
    "lecun": "LeCun normal",
    "orthogonal": "orthonormal rows over all gates",
    "orthogonal each": "orthogonal, each gate for itself",
}
KEPT = {"rnn": "", "lstm": "f = 1", "gru": "z = 1"}  # which gate, at which value, keeps the old state


class Convention(NamedTuple):
    """One layer of one library."""

    library: str
    layer: str
    cell: str  # "rnn", "lstm" or "gru"
    gates: str  # in the library's order, in the letters of reference
    own: str  # the library's own letters, in its order
    transposed: bool  # a weight is (in, G·H) instead of (G·H, in)
    biases: str  # a key of BIASES
    reset: str = ""  # GRU: "after", "before", or "before by default" and the like
    resets: tuple[bool, ...] = ()  # GRU: each reset_after that it can do; the default first
    input_from: str = ""  # a key of DRAWN, or "" where the library draws nothing
    hidden_from: str = ""
    bias_from: str = ""  # "uniform" or "zeros"
    forget: str = ""  # LSTM: what the bias of f starts from
    x: str = "T, B, I"  # the axes of x by default
    source: str = ""  # where a row that no test runs is from


CUDNN = "cudnnGetRNNWeightParams, cudnnRNNMode_t, cudnnRNNBiasMode_t"
UNIFORM = {"input_from": "uniform", "hidden_from": "uniform", "bias_from": "uniform"}
AFTER: dict[str, Any] = {"reset": "after", "resets": (True,)}
# What all rows of a library have in common.
LIBRARIES: dict[str, dict[str, Any]] = {
    "torch": {"transposed": False, "biases": "two", **UNIFORM},
    "Keras": {"transposed": True, "input_from": "glorot", "hidden_from": "orthogonal", "bias_from": "zeros", "x": "B, T, I"},
    "ONNX": {"transposed": False, "biases": "two"},
    "JAX": {"transposed": False, "biases": "two", "x": "B, T, I", **UNIFORM},
    "flax": {"transposed": True, "input_from": "lecun", "bias_from": "zeros", "x": "B, T, I"},
    "equinox": {"transposed": False, "x": "I", **UNIFORM},
    "cuDNN": {"transposed": False, "biases": "two", "source": f"cuDNN documentation: {CUDNN}"},
    "TensorFlow": {"transposed": True, "biases": "sum", "source": "TensorFlow documentation: tf.raw_ops.BlockLSTM, BlockLSTMV2"},
}


def row(library: str, layer: str, cell: str, gates: str = "", own: str = "", **more: Any) -> Convention:
    """Gates in the order and letters of reference, if none are given."""
    gates = gates or GATES[cell]
    return Convention(library, layer, cell, gates, own or gates, **(LIBRARIES[library] | more))


TABLE: Sequence[Convention] = (
    row("torch", "torch.nn.RNN", "rnn"),
    row("torch", "torch.nn.LSTM", "lstm", forget="uniform ±k, twice"),
    row("torch", "torch.nn.GRU", "gru", **AFTER),
    row("Keras", "keras.layers.SimpleRNN", "rnn", biases="sum"),
    row("Keras", "keras.layers.LSTM", "lstm", "ifgo", "ifco", biases="sum", forget="1"),
    row("Keras", "keras.layers.GRU", "gru", "zrn", "zrh", biases="two", reset="after by default", resets=(True,)),
    row("Keras", "keras.layers.GRU(reset_after=False)", "gru", "zrn", "zrh", biases="sum", reset="before", resets=(False,)),
    row("ONNX", "RNN", "rnn"),
    row("ONNX", "LSTM", "lstm", "iofg", "iofc"),
    row("ONNX", "GRU", "gru", "zrn", "zrh", reset="before by default, after with `linear_before_reset=1`", resets=(False, True)),
    row("JAX", "jax.experimental.rnn.lstm", "lstm", forget="uniform ±k, twice"),
    row("flax", "flax.linen.SimpleCell", "rnn", biases="sum", hidden_from="orthogonal"),
    row("flax", "flax.linen.LSTMCell", "lstm", biases="sum", hidden_from="orthogonal each", forget="0"),
    row("flax", "flax.linen.GRUCell", "gru", biases="n apart", hidden_from="orthogonal each", **AFTER),
    row("flax", "flax.nnx.SimpleCell", "rnn", biases="sum", hidden_from="orthogonal"),
    row("flax", "flax.nnx.OptimizedLSTMCell", "lstm", biases="sum", hidden_from="orthogonal", forget="0"),
    row("flax", "flax.nnx.GRUCell", "gru", biases="no b_hn", hidden_from="orthogonal", **AFTER),
    row("equinox", "equinox.nn.LSTMCell", "lstm", biases="sum", forget="uniform ±k"),
    row("equinox", "equinox.nn.GRUCell", "gru", biases="n apart", **AFTER),
    row("cuDNN", "CUDNN_LSTM", "lstm", "ifgo", "ifco"),
    row("cuDNN", "CUDNN_GRU", "gru", "rzn", "rih", **AFTER),
    row("TensorFlow", "tf.raw_ops.BlockLSTM", "lstm", "igfo", "icfo", forget="adds 1 in every forward"),
    row("TensorFlow", "tf.raw_ops.BlockLSTMV2", "lstm", "ifgo", "ifco"),
)


class Placed(NamedTuple):
    """Parameters as a library holds them."""

    W_ih: Array  # (G·H, I), or (I, G·H) if transposed
    W_hh: Array
    biases: tuple[Array, ...]


def order(c: Convention) -> list[int]:
    """Which block of reference stands at each place of the library."""
    return [GATES[c.cell].index(gate) for gate in c.gates]


def placed(c: Convention, p: Any) -> Placed:
    """A room's Params  ->  the same layer as the row holds it"""

    def stacked(v: Array) -> Array:
        blocks = np.split(v, len(c.gates))
        return np.concatenate([blocks[k] for k in order(c)])

    def laid(v: Array) -> Array:
        return stacked(v).T if c.transposed else stacked(v)

    return Placed(laid(p.W_ih), laid(p.W_hh), tuple(stacked(b) if len(b) == len(p.b_ih) else b for b in held(c, p)))


def held(c: Convention, p: Any) -> tuple[Array, ...]:
    """The biases that a library has places for, still in the order of reference.

    Raises
    ------
    ValueError
        The layer has no place for b_hn, and it is not zero.
    """
    if c.biases == "two":
        return p.b_ih, p.b_hh
    if c.biases == "sum":
        return (p.b_ih + p.b_hh,)
    *_, b_hn = np.split(p.b_hh, 3)
    if c.biases == "no b_hn" and b_hn.any():
        raise ValueError(f"{c.layer} has no place for b_hn: it must be zero")
    rest = p.b_ih + np.concatenate([p.b_hh[: -len(b_hn)], np.zeros_like(b_hn)])
    return (rest,) if c.biases == "no b_hn" else (rest, b_hn)


def table() -> str:
    """The generated part of the page: every row."""
    head = tuple(cells(TABLE[0]))
    return "\n".join(markdown(head, (tuple(cells(c).values()) for c in TABLE), range(len(head))))


def cells(c: Convention) -> dict[str, str]:
    """One row of the page, by column; a star after the library where no test runs it."""
    return {
        "library": c.library + ("*" if c.source else ""),
        "layer": f"`{c.layer}`",
        "gates": " ".join(c.gates),
        "its letters": " ".join(c.own),
        "a weight is": "`(in, G·H)`" if c.transposed else "`(G·H, in)`",
        "biases": BIASES[c.biases],
        "keeps the old state": KEPT[c.cell],
        "reset": c.reset,
        "`W_ih` starts": DRAWN.get(c.input_from, ""),
        "`W_hh` starts": DRAWN.get(c.hidden_from, ""),
        "biases start": "uniform ±k" if c.bias_from == "uniform" else c.bias_from,
        "the bias of f starts": c.forget,
        "x by default": "" if c.source else f"`({c.x})`",
    }


def unchecked() -> str:
    """The generated list of rows that no test runs."""
    return "\n".join(f"- {c.library}, `{c.layer}`: {c.source}." for c in TABLE if c.source)
