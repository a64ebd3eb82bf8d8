"""The named cases: what is built, and the random data that goes in.  Nothing here is degenerate.

Sizes are pairwise different, weights, both biases, initial states and upstream gradients are random and nonzero,
gradients arrive on the outputs *and* on the final states, lengths come unsorted and with ties.
"""

import itertools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from reference.cells import gru, lstm, rnn
from reference.common import parameters

from .arithmetic import rounded

GATES = {"rnn": rnn.GATES, "lstm": lstm.GATES, "gru": gru.GATES}


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
    dropout: float = 0.0  # above 0 only where the implementation takes masks
    dtype: str = "float32"  # "float32", "float64", "bfloat16", "float16"
    device: str = "cpu"  # "cpu", "cuda"

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


@dataclass(frozen=True)
class Case:
    """A Spec, the sizes of its data, and the seed that is its name."""

    spec: Spec
    T: int = 5
    B: int = 4
    lengths: tuple[int, ...] | None = None  # any order; None: every sequence is T long
    state: bool = True  # whether an initial state is given
    gain: float = 0.6  # standard deviation of the weights
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "spec", replace(self.spec, packed=self.lengths is not None))

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
            self.label,
        ]
        return "-".join(filter(None, parts))

    def with_dtype(self, dtype: str, device: str = "cpu") -> "Case":
        return replace(self, spec=replace(self.spec, dtype=dtype, device=device))

    def data(self) -> Data:
        """The data, in the spec's dtype; the same for every implementation, run and machine.

        NumPy has no bfloat16: numbers of 16 bits, also those of float16, come in float32 arrays.
        """
        s, rng = self.spec, np.random.default_rng(zlib.crc32(self.name.encode()))
        D = 1 + s.bidirectional
        lead = (self.B, self.T) if s.batch_first else (self.T, self.B)

        def draw(shape: tuple, scale: float = 1.0) -> np.ndarray:
            return rounded(scale * rng.standard_normal(shape), s.dtype)

        weights = {k: draw(shape, self.gain) for k, shape in s.weight_shapes().items()}
        state_shapes = [(s.num_layers * D, self.B, width) for width in s.state_sizes]
        state = tuple(map(draw, state_shapes)) if self.state else None
        N, P = sum(self.lengths or [self.T] * self.B), s.state_sizes[0]
        masks = [rng.random((N, D * P)) >= s.dropout for _ in range(s.num_layers - 1)] if s.dropout else None
        x, dy, dstate = draw((*lead, s.input_size)), draw((*lead, D * P)), tuple(map(draw, state_shapes))
        return Data(weights, x, state, dy, dstate, masks)


LENGTHS = {
    "dense": None,
    "full": (5, 5, 5, 5),
    "sorted": (5, 4, 2, 1),
    "unsorted": (2, 5, 1, 4),
    "ties": (3, 5, 3, 2),
    "short": (2, 4, 1, 3),
}
OPTIONS: dict[str, tuple] = {
    "num_layers": (1, 2, 3),
    "bidirectional": (False, True),
    "bias": (True, False),
    "batch_first": (False, True),
    "state": (True, False),
    "lengths": tuple(LENGTHS),
}
KINDS: dict[str, dict] = {
    "rnn": {"cell": "rnn"},
    "rnn-relu": {"cell": "rnn", "nonlinearity": "relu"},
    "lstm": {"cell": "lstm"},
    "lstm-proj": {"cell": "lstm", "proj_size": 2},
    "gru": {"cell": "gru"},
    "gru-before": {"cell": "gru", "reset_after": False},
}


def usual(kind: str, **options: Any) -> Spec:
    """A layer of this kind in the usual sizes."""
    return Spec(input_size=3, hidden_size=6, **KINDS[kind], **options)


def pairwise(options: dict[str, tuple]) -> list[dict]:
    """Few combinations in which every pair of values of two options occurs (greedy, deterministic)."""

    def pairs(row: Sequence) -> set:
        return set(itertools.combinations(enumerate(row), 2))

    rows = list(itertools.product(*options.values()))
    missing, chosen = set().union(*map(pairs, rows)), []
    while missing:
        best = max(rows, key=lambda row: len(pairs(row) & missing))
        missing -= pairs(best)
        chosen.append(dict(zip(options, best, strict=True)))
    return chosen


def build(kind: str, options: dict) -> Case:
    """The case of one kind of cell and one combination of OPTIONS."""
    layer = {k: v for k, v in options.items() if k not in ("state", "lengths")}
    return Case(usual(kind, **layer), state=options["state"], lengths=LENGTHS[options["lengths"]])


def edges(kind: str) -> Iterator[Case]:
    """The honest edge cases: size 1 everywhere, one step, saturated gates, a long sequence, one of everything."""
    P = {"proj_size": 1} if kind == "lstm-proj" else {}
    one = Spec(input_size=1, hidden_size=1 + bool(P), **KINDS[kind] | P)
    full = usual(kind)
    yield Case(one, T=1, B=1, label="size1")
    yield Case(one, T=4, B=1, label="size1")
    yield Case(full, T=1, label="one_step")
    yield Case(full, B=1, label="one_sequence")
    yield Case(replace(full, bidirectional=True), T=50, B=5, label="long", gain=0.3)
    if kind != "rnn-relu":  # saturated: tanh and sigmoid near their limits
        yield Case(full, gain=4.0, label="saturated")


def dropout(kind: str) -> Iterator[Case]:
    """Dropout between layers, its masks given to both sides."""
    yield Case(usual(kind, num_layers=2, dropout=0.3))
    yield Case(usual(kind, num_layers=3, bidirectional=True, dropout=0.5), lengths=LENGTHS["unsorted"])
    yield Case(usual(kind, num_layers=3, dropout=0.8), lengths=LENGTHS["ties"])


def table(dtypes: Sequence[str] = ("float32", "float64"), device: str = "cpu") -> list[Case]:
    """Every named case in each dtype."""
    chosen = pairwise(OPTIONS)
    return [
        case.with_dtype(dtype, device)
        for kind in KINDS
        for case in itertools.chain((build(kind, o) for o in chosen), edges(kind), dropout(kind))
        for dtype in dtypes
    ]
