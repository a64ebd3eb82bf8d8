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
KEPT = {"lstm": "f = 1", "gru": "z = 1"}


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

    @property
    def keeps(self) -> str:
        """Which gate, at which value, keeps the old state."""
        return KEPT.get(self.cell, "")


def torch(layer: str, cell: str, own: str, **more: Any) -> Convention:
    return Convention(
        "torch",
        f"torch.nn.{layer}",
        cell,
        GATES[cell],
        own,
        False,
        "two",
        input_from="uniform",
        hidden_from="uniform",
        bias_from="uniform",
        **more,
    )


def keras(layer: str, cell: str, gates: str, own: str, biases: str, **more: Any) -> Convention:
    return Convention(
        "Keras",
        f"keras.layers.{layer}",
        cell,
        gates,
        own,
        True,
        biases,
        input_from="glorot",
        hidden_from="orthogonal",
        bias_from="zeros",
        x="B, T, I",
        **more,
    )


def onnx(layer: str, cell: str, gates: str, own: str, **more: Any) -> Convention:
    return Convention("ONNX", layer, cell, gates, own, False, "two", **more)


def flax(layer: str, cell: str, biases: str, hidden_from: str, **more: Any) -> Convention:
    return Convention(
        "flax",
        f"flax.{layer}",
        cell,
        GATES[cell],
        GATES[cell],
        True,
        biases,
        input_from="lecun",
        hidden_from=hidden_from,
        bias_from="zeros",
        x="B, T, I",
        **more,
    )


def equinox(layer: str, cell: str, biases: str, **more: Any) -> Convention:
    return Convention(
        "equinox",
        f"equinox.nn.{layer}",
        cell,
        GATES[cell],
        GATES[cell],
        False,
        biases,
        input_from="uniform",
        hidden_from="uniform",
        bias_from="uniform",
        x="I",
        **more,
    )


CUDNN = "cuDNN documentation: cudnnGetRNNWeightParams, cudnnRNNMode_t, cudnnRNNBiasMode_t"
BLOCK = "TensorFlow documentation: tf.raw_ops.BlockLSTM, BlockLSTMV2"
AFTER: dict[str, Any] = {"reset": "after", "resets": (True,)}

TABLE: Sequence[Convention] = (
    torch("RNN", "rnn", "h"),
    torch("LSTM", "lstm", "ifgo", forget="uniform ±k, twice"),
    torch("GRU", "gru", "rzn", **AFTER),
    keras("SimpleRNN", "rnn", "h", "h", "sum"),
    keras("LSTM", "lstm", "ifgo", "ifco", "sum", forget="1"),
    keras("GRU", "gru", "zrn", "zrh", "two", reset="after by default", resets=(True,)),
    keras("GRU(reset_after=False)", "gru", "zrn", "zrh", "sum", reset="before", resets=(False,)),
    onnx("RNN", "rnn", "h", "h"),
    onnx("LSTM", "lstm", "iofg", "iofc"),
    onnx("GRU", "gru", "zrn", "zrh", reset="before by default, after with `linear_before_reset=1`", resets=(False, True)),
    Convention(
        "JAX",
        "jax.experimental.rnn.lstm",
        "lstm",
        "ifgo",
        "ifgo",
        False,
        "two",
        input_from="uniform",
        hidden_from="uniform",
        bias_from="uniform",
        forget="uniform ±k, twice",
        x="B, T, I",
    ),
    flax("linen.SimpleCell", "rnn", "sum", "orthogonal"),
    flax("linen.LSTMCell", "lstm", "sum", "orthogonal each", forget="0"),
    flax("linen.GRUCell", "gru", "n apart", "orthogonal each", **AFTER),
    flax("nnx.SimpleCell", "rnn", "sum", "orthogonal"),
    flax("nnx.OptimizedLSTMCell", "lstm", "sum", "orthogonal", forget="0"),
    flax("nnx.GRUCell", "gru", "no b_hn", "orthogonal", **AFTER),
    equinox("LSTMCell", "lstm", "sum", forget="uniform ±k"),
    equinox("GRUCell", "gru", "n apart", **AFTER),
    Convention("cuDNN", "CUDNN_LSTM", "lstm", "ifgo", "ifco", False, "two", source=CUDNN),
    Convention("cuDNN", "CUDNN_GRU", "gru", "rzn", "rih", False, "two", source=CUDNN, **AFTER),
    Convention(
        "TensorFlow", "tf.raw_ops.BlockLSTM", "lstm", "igfo", "icfo", True, "sum", forget="adds 1 in every forward", source=BLOCK
    ),
    Convention("TensorFlow", "tf.raw_ops.BlockLSTMV2", "lstm", "ifgo", "ifco", True, "sum", source=BLOCK),
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
    head = (
        "library",
        "layer",
        "gates",
        "its letters",
        "a weight is",
        "biases",
        "keeps the old state",
        "reset",
        "`W_ih` starts",
        "`W_hh` starts",
        "biases start",
        "the bias of f starts",
        "x by default",
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(cells(c))} |" for c in TABLE)])


def cells(c: Convention) -> tuple[str, ...]:
    """One row of the page; a star after the library where no test runs it."""
    return (
        c.library + ("*" if c.source else ""),
        f"`{c.layer}`",
        " ".join(c.gates),
        " ".join(c.own),
        "`(in, G·H)`" if c.transposed else "`(G·H, in)`",
        BIASES[c.biases],
        c.keeps,
        c.reset,
        DRAWN.get(c.input_from, ""),
        DRAWN.get(c.hidden_from, ""),
        "uniform ±k" if c.bias_from == "uniform" else c.bias_from,
        c.forget,
        "" if c.source else f"`({c.x})`",
    )


def unchecked() -> str:
    """The generated list of rows that no test runs."""
    return "\n".join(f"- {c.library}, `{c.layer}`: {c.source}." for c in TABLE if c.source)
