"""How other libraries hold the same cells: one table, for the note notes/cells/conventions.md, converters and diagnosis.

A row says in which order the gates are stacked, which way a weight lies, which biases there are, what is stored with the
other sign or added in every forward, where a GRU resets, and what a new layer starts from.  A test runs the real layer on it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

GATES = {"rnn": "h", "lstm": "ifgo", "gru": "rzn"}  # the order of reference


class Convention(NamedTuple):
    """One layer of one library."""

    library: str
    layer: str
    cell: str  # "rnn", "lstm" or "gru"
    gates: str  # in the library's order, in the letters of reference
    own: str  # the library's own letters, in its order
    transposed: bool  # a weight is (in, G·H) instead of (G·H, in)
    biases: str  # "two", "sum", "n apart" (the sum, and b_hn) or "no b_hn"
    may_lack_biases: bool = True  # a layer can be built without
    negated: str = ""  # gates whose weights and biases have the other sign
    added: float = 0.0  # LSTM: what every forward adds to the bias of f
    nonlinearities: tuple[str, ...] = ("tanh", "relu")  # RNN: the default first
    reset: str = ""  # GRU: "after", "before", or "before by default" and the like
    resets: tuple[bool, ...] = ()  # GRU: each reset_after that it can do; the default first
    projects: bool = False  # LSTM: has a place for weight_hr
    input_from: str = ""  # what a new W_ih is drawn from, in the words of the note; "" where the library draws nothing
    hidden_from: str = ""
    bias_from: str = ""  # "uniform" or "zeros"
    forget: str = ""  # LSTM: what the bias of f starts from
    x: str = "T, B, I"  # the axes of x by default
    source: str = ""  # where a row that no test runs is from


CUDNN = "cudnnGetRNNWeightParams, cudnnRNNMode_t, cudnnRNNBiasMode_t"
UNIFORM = {"input_from": "uniform", "hidden_from": "uniform", "bias_from": "uniform"}
AFTER: dict[str, Any] = {"reset": "after", "resets": (True,)}
BEFORE: dict[str, Any] = {"reset": "before", "resets": (False,)}
FLAX = {"transposed": True, "may_lack_biases": False, "input_from": "lecun", "bias_from": "zeros", "x": "B, T, I"}
# What all rows of a library have in common.
LIBRARIES: dict[str, dict[str, Any]] = {
    "torch": {"transposed": False, "biases": "two", **UNIFORM},
    "Keras": {"transposed": True, "input_from": "glorot", "hidden_from": "orthogonal", "bias_from": "zeros", "x": "B, T, I"},
    "ONNX": {"transposed": False, "biases": "two"},
    "JAX": {"transposed": False, "biases": "two", "may_lack_biases": False, "x": "B, T, I", **UNIFORM},
    "flax.linen": FLAX,
    "flax.nnx": FLAX,
    "equinox": {"transposed": False, "x": "I", **UNIFORM},
    "haiku": {"transposed": True, "biases": "sum", "may_lack_biases": False, "input_from": "lecun", "hidden_from": "lecun",
              "bias_from": "zeros"},
    "MLX": {"transposed": False, "x": "B, T, I", **UNIFORM},
    "Paddle": {"transposed": False, "biases": "two", "x": "B, T, I", **UNIFORM},
    "cuDNN": {"transposed": False, "biases": "two", "source": f"cuDNN documentation: {CUDNN}"},
    "TensorFlow": {"transposed": True, "biases": "sum", "source": "TensorFlow documentation: tf.raw_ops.BlockLSTM, BlockLSTMV2"},
}  # fmt: skip


def row(library: str, layer: str, cell: str, gates: str = "", own: str = "", **more: Any) -> Convention:
    """Gates in the order and letters of reference, if none are given."""
    gates = gates or GATES[cell]
    return Convention(library, layer, cell, gates, own or gates, **(LIBRARIES[library] | more))


TABLE: Sequence[Convention] = (
    row("torch", "torch.nn.RNN", "rnn"),
    row("torch", "torch.nn.LSTM", "lstm", forget="uniform ±k, twice", projects=True),
    row("torch", "torch.nn.GRU", "gru", **AFTER),
    row("Keras", "keras.layers.SimpleRNN", "rnn", biases="sum"),
    row("Keras", "keras.layers.LSTM", "lstm", "ifgo", "ifco", biases="sum", forget="1"),
    row("Keras", "keras.layers.GRU", "gru", "zrn", "zrh", biases="two", reset="after by default", resets=(True,)),
    row("Keras", "keras.layers.GRU(reset_after=False)", "gru", "zrn", "zrh", biases="sum", **BEFORE),
    row("ONNX", "RNN", "rnn"),
    row("ONNX", "LSTM", "lstm", "iofg", "iofc"),
    row("ONNX", "GRU", "gru", "zrn", "zrh", reset="before by default, after with `linear_before_reset=1`", resets=(False, True)),
    row("JAX", "jax.experimental.rnn.lstm", "lstm", forget="uniform ±k, twice"),
    row("flax.linen", "flax.linen.SimpleCell", "rnn", biases="sum", hidden_from="orthogonal"),
    row("flax.linen", "flax.linen.LSTMCell", "lstm", biases="sum", hidden_from="orthogonal each", forget="0"),
    row("flax.linen", "flax.linen.GRUCell", "gru", biases="n apart", hidden_from="orthogonal each", **AFTER),
    row("flax.nnx", "flax.nnx.SimpleCell", "rnn", biases="sum", hidden_from="orthogonal"),
    row("flax.nnx", "flax.nnx.OptimizedLSTMCell", "lstm", biases="sum", hidden_from="orthogonal", forget="0"),
    row("flax.nnx", "flax.nnx.LSTMCell", "lstm", biases="sum", hidden_from="orthogonal each", forget="0"),
    row("flax.nnx", "flax.nnx.GRUCell", "gru", biases="no b_hn", hidden_from="orthogonal", **AFTER),
    row("equinox", "equinox.nn.LSTMCell", "lstm", biases="sum", forget="uniform ±k"),
    row("equinox", "equinox.nn.GRUCell", "gru", biases="n apart", **AFTER),
    row("haiku", "haiku.VanillaRNN", "rnn", biases="two", nonlinearities=("relu",), input_from="cut", hidden_from="cut"),
    row("haiku", "haiku.LSTM", "lstm", "igfo", "igfo", added=1.0, input_from="cut both", hidden_from="cut both",
        forget="0, and adds 1 in every forward"),
    row("haiku", "haiku.GRU", "gru", "zrn", "zra", negated="z", **BEFORE),
    row("MLX", "mlx.nn.RNN", "rnn", biases="sum"),
    row("MLX", "mlx.nn.LSTM", "lstm", biases="sum", forget="uniform ±k"),
    row("MLX", "mlx.nn.GRU", "gru", biases="n apart", **AFTER),
    row("Paddle", "paddle.nn.SimpleRNN", "rnn"),
    row("Paddle", "paddle.nn.LSTM", "lstm", forget="uniform ±k, twice"),
    row("Paddle", "paddle.nn.GRU", "gru", "rzn", "rzc", **AFTER),
    row("cuDNN", "CUDNN_LSTM", "lstm", "ifgo", "ifco"),
    row("cuDNN", "CUDNN_GRU", "gru", "rzn", "rih", **AFTER),
    row("TensorFlow", "tf.raw_ops.BlockLSTM", "lstm", "igfo", "icfo", added=1.0, forget="adds 1 in every forward"),
    row("TensorFlow", "tf.raw_ops.BlockLSTMV2", "lstm", "ifgo", "ifco"),
)  # fmt: skip
# What torch.nn's layer has, and both places of the reset.
OURS = tuple(
    c._replace(library="reference", layer=f"reference.{c.layer.rpartition('.')[2]}", resets=c.resets and (True, False))
    for c in TABLE
    if c.library == "torch"
)


def order(c: Convention) -> list[int]:
    """Which block of reference stands at each place of the library."""
    return [GATES[c.cell].index(gate) for gate in c.gates]
