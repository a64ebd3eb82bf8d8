"""What is built, what goes in, and how it is called.

Weights, both biases, initial states and upstream gradients are random and nonzero, and gradients arrive on the outputs *and*
on the final states, unless a case says otherwise.
"""

import zlib
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from reference.cells import gru, lstm, rnn
from reference.common import parameters

from ..arithmetic import rounded
from . import memory, values

GATES = {"rnn": rnn.GATES, "lstm": lstm.GATES, "gru": gru.GATES}
TIERS = (1, 2)
SEVERAL_FORMS = ("other_data", "other_lengths")  # contracts in which one layer is called with different T and B


@dataclass(frozen=True)
class Spec:
    """What to build.  Names and meaning as the constructor arguments of torch.nn's RNN, LSTM and GRU."""

    cell: str  # "rnn", "lstm", "gru"
    input_size: int
    hidden_size: int
    nonlinearity: str = "tanh"  # "tanh", "relu": RNN only
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = False
    bidirectional: bool = False
    proj_size: int = 0  # LSTM only
    reset_after: bool = True  # GRU only
    packed: bool = False  # whether lengths will be given
    dropout: float = 0.0
    masks: bool = True  # with dropout, whether its masks will be given; if not, an implementation draws its own
    state: bool = True  # whether an initial state will be given; where T and B are None, not in every call
    T: int | None = None  # steps of the longest sequence, None where calls differ
    B: int | None = None  # sequences, None where calls differ
    dtype: str = "float32"  # "float32", "float64"; when asked for "float16", "bfloat16"
    device: str = "cpu"  # whatever torch or the adapter calls it

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Features of each array of the state."""
        return (self.proj_size or self.hidden_size, self.hidden_size)[: 2 if self.cell == "lstm" else 1]

    @property
    def kind(self) -> str:
        """The cell with the variant that changes its equations."""
        variant = {"relu": "-relu"}.get(self.nonlinearity, "") + ("-proj" if self.proj_size else "")
        return self.cell + variant + ("" if self.reset_after else "-before")

    def weight_shapes(self) -> dict[str, tuple]:
        """Shape of each parameter, keyed by its torch.nn name."""
        sizes = (len(GATES[self.cell]), self.input_size, self.hidden_size, self.num_layers)
        return parameters.stack_shapes(*sizes, self.bias, self.bidirectional, self.proj_size)


class Data(NamedTuple):
    """Everything that goes in.  Sequence arrays are (T, B, ·), or (B, T, ·) if batch_first."""

    weights: dict[str, np.ndarray]
    x: np.ndarray
    state: tuple[np.ndarray, ...] | None
    dy: np.ndarray
    dstate: tuple[np.ndarray, ...]
    masks: list[np.ndarray] | None  # (N, D·P) boolean, packed rows
    lengths: np.ndarray | None = None  # (B,) whole numbers


@dataclass(frozen=True)
class Case:
    """A Spec, the sizes of its data, what is special in it, and the seed that is its name."""

    spec: Spec
    T: int = 5
    B: int = 4
    lengths: tuple[int, ...] | None = None  # any order; None: every sequence is T long
    state: bool = True  # whether an initial state is given
    gain: float = 0.6  # standard deviation of the weights
    label: str = ""
    values: str = ""  # what is not a usual random number: values.CHANGES
    memory: str = ""  # how arrays lie in memory, where not row by row: memory.LAYOUTS
    lengths_dtype: str = "int64"
    contract: str = ""  # what the calls must keep to, where that is more than one answer: contracts.CONTRACTS
    tier: int = 1  # 2: takes long, judged only when asked for

    def __post_init__(self) -> None:
        T, B = (None, None) if self.contract in SEVERAL_FORMS else (self.T, self.B)
        object.__setattr__(self, "spec", replace(self.spec, packed=self.lengths is not None, state=self.state, T=T, B=B))

    @property
    def name(self) -> str:
        """Readable, unique, and all that the data depends on besides the dtype; options at their default are left out."""
        s = self.spec
        sizes = f"T{self.T}B{self.B}I{s.input_size}H{s.hidden_size}" + (f"P{s.proj_size}" if s.proj_size else "")
        parts = [
            s.kind,
            sizes,
            f"{s.num_layers}layers" if s.num_layers > 1 else "",
            "bidirectional" if s.bidirectional else "",
            "" if s.bias else "nobias",
            "batch_first" if s.batch_first else "",
            "" if self.state else "nostate",
            "lengths" + "_".join(map(str, self.lengths)) if self.lengths else "",
            f"dropout{s.dropout:g}" if s.dropout else "",
            self.values,
            self.memory,
            "" if self.lengths_dtype == "int64" else self.lengths_dtype,
            self.contract,
            self.label,
        ]
        return "-".join(filter(None, parts))

    def with_dtype(self, dtype: str, device: str = "cpu") -> "Case":
        return replace(self, spec=replace(self.spec, dtype=dtype, device=device))

    def data(self) -> Data:
        """The data, in the spec's dtype; the same for every implementation, run and machine.

        NumPy has no bfloat16: numbers of 16 bits, also those of float16, come in float32 arrays.
        """
        return memory.laid_out(values.changed(self._drawn(), self), self.memory)

    def _drawn(self) -> Data:
        s, rng = self.spec, np.random.default_rng(zlib.crc32(self.name.encode()))
        D = 1 + s.bidirectional
        lead = (self.B, self.T) if s.batch_first else (self.T, self.B)

        def draw(shape: tuple, scale: float = 1.0) -> np.ndarray:
            return rounded(scale * rng.standard_normal(shape), s.dtype)

        weights = {k: draw(shape, self.gain) for k, shape in s.weight_shapes().items()}
        state_shapes = [(s.num_layers * D, self.B, width) for width in s.state_sizes]
        state = tuple(map(draw, state_shapes)) if self.state else None
        N, P = sum(self.lengths or [self.T] * self.B), s.state_sizes[0]
        masks = [rng.random((N, D * P)) >= s.dropout for _ in range(s.num_layers - 1)] if s.dropout and s.masks else None
        x, dy, dstate = draw((*lead, s.input_size)), draw((*lead, D * P)), tuple(map(draw, state_shapes))
        lengths = np.array(self.lengths, self.lengths_dtype) if self.lengths else None
        return Data(weights, x, state, dy, dstate, masks, lengths)
