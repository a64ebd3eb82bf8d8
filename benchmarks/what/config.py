"""One configuration to be timed: its sizes and options, its data, its arithmetic and its traffic."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from parity_tests.judge.cases import GATES, Case, Spec

from .precision import PRECISIONS, array_dtype

PHASES = ("forward", "train")


@dataclass(frozen=True)
class Config:
    """A layer's options and the sizes of its input; the "case" of a result file, field by field."""

    cell: str
    T: int
    B: int
    input_size: int
    hidden_size: int
    nonlinearity: str = "tanh"
    num_layers: int = 1
    bidirectional: bool = False
    proj_size: int = 0
    reset_after: bool = True
    fill: float | None = None  # sequences of different lengths, on average fill · T; None: no lengths are given
    dtype: str = "float32"     # one of PRECISIONS
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Readable and unique; options at their default are left out."""
        parts = [self.spec().kind, f"T{self.T}", f"B{self.B}", f"H{self.hidden_size}",
                 "" if self.input_size == self.hidden_size else f"I{self.input_size}",
                 f"P{self.proj_size}" if self.proj_size else "", f"{self.num_layers}layers" if self.num_layers > 1 else "",
                 "bidirectional" if self.bidirectional else "", "" if self.fill is None else f"fill{self.fill:g}",
                 self.dtype, self.device]
        return " ".join(filter(None, parts))

    def as_dict(self) -> dict[str, Any]:
        """The "case" of a row."""
        return asdict(self)

    def spec(self) -> Spec:
        """What an implementation is told to build."""
        return Spec(self.cell, self.input_size, self.hidden_size, nonlinearity=self.nonlinearity, num_layers=self.num_layers,
                    bidirectional=self.bidirectional, proj_size=self.proj_size, reset_after=self.reset_after,
                    dtype=PRECISIONS[self.dtype].dtype, device=self.device)

    def case(self, T: int | None = None) -> Case:
        """The named case of the parity suite with these sizes (or with fewer steps), in the dtype of the arrays.

        Weights have the standard deviation of torch.nn's own initial ones, so that no state saturates or explodes at
        any size.
        """
        T = self.T if T is None else T
        lengths = None if self.fill is None else tuple(int(n) for n in np.minimum(self.lengths(), T))
        spec = replace(self.spec(), dtype=array_dtype(self.dtype))
        return Case(spec, T=T, B=self.B, lengths=lengths, gain=float((3 * self.hidden_size) ** -0.5))

    def small(self) -> "Config":
        """The same options at sizes at which the parity suite judges."""
        P = 2 if self.proj_size else 0
        return replace(self, T=5, B=4, input_size=3, hidden_size=6, proj_size=P, fill=None if self.fill is None else 0.6)

    def lengths(self) -> np.ndarray:
        """(B,) lengths of the sequences, from 1 to T, unsorted, always the same; T for each if no fill is given."""
        if self.fill is None:
            return np.full(self.B, self.T)
        quantiles = (np.arange(self.B) + 0.5) / self.B  # u^k has the mean 1 / (k + 1)
        lengths = np.clip(np.rint(self.T * quantiles ** (1 / self.fill - 1)), 1, self.T).astype(int)
        lengths[-1] = self.T
        return np.random.default_rng(0).permutation(lengths)

    def rows(self) -> int:
        """Steps of all sequences together."""
        return int(self.lengths().sum())

    def flops(self, phase: str) -> int:
        """Additions and multiplications of the matrix products, the input product among them; elementwise work is not
        counted.  A training step has three products for each of the forward's: result, gradient of the one factor, of the
        other."""
        G, H, P, D = len(GATES[self.cell]), self.hidden_size, self.proj_size or self.hidden_size, 1 + self.bidirectional
        widths = [self.input_size] + [D * P] * (self.num_layers - 1)
        a_row = sum(D * (2 * G * H * (width + P) + (2 * H * P if self.proj_size else 0)) for width in widths)
        return (3 if phase == "train" else 1) * self.rows() * a_row

    def bytes(self, phase: str) -> int:
        """The least traffic with memory: weights, input, states and output once each, in training their gradients too."""
        spec, D = self.spec(), 1 + self.bidirectional
        weights = sum(int(np.prod(shape)) for shape in spec.weight_shapes().values())
        states = 2 * self.num_layers * D * self.B * sum(spec.state_sizes)
        numbers = weights + states + self.rows() * (self.input_size + D * spec.state_sizes[0])
        return (2 if phase == "train" else 1) * numbers * PRECISIONS[self.dtype].itemsize

    def effort(self, phase: str) -> float:
        """A rough guess at the seconds of one call, to weigh one configuration against another."""
        steps = self.T * self.num_layers * (1 + self.bidirectional) * (3 if phase == "train" else 1)
        return self.flops(phase) / 1e11 + steps * 2e-5
