"""What a configuration is to those who run and report it; and the one of a layer: sizes, options, arithmetic, traffic."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np

from parity_tests.judge.cases import GATES, Case, Spec
from parity_tests.judge.implementations import Implementation
from parity_tests.judge.oracle import Tensors

from .layer import Layer, LayerProblem, reason_to_decline
from .precision import LOW, PRECISIONS, array_dtype

PHASES = ("forward", "train")
ELEMENTWISE_S = 1e-4  # what the definition needs for the small work of a step


class Candidate(Protocol):
    """One implementation of one configuration in one phase, with its arguments, ready to be judged and timed."""

    name: str
    phase: str
    device: str
    is_numpy: bool
    compiles: bool  # the first call builds something
    trains: bool  # a call changes the parameters, and the first makes the state of an optimiser
    sync: Callable[[], Any]

    def call(self) -> Any:
        """The work that is timed; what it returns is the caller's to drop."""

    def tensors(self, problem: Any, inputs: Any) -> Tensors:
        """Every output, and in training every gradient, by name, on the inputs of a problem."""


class Problem(Protocol):
    """What a candidate is judged on: inputs, and what the definition makes of them.  Hashable."""

    def __hash__(self) -> int: ...

    @property
    def label(self) -> str:
        """Which size it is."""

    @property
    def dtype(self) -> str:
        """One of PRECISIONS: the candidate's."""

    def inputs(self) -> Any:
        """In the candidate's precision."""

    def oracle(self, inputs: Any) -> Tensors:
        """What is right: the definition in a wider precision."""

    def baselines(self, inputs: Any) -> Iterator[Tensors]:
        """The definition in the candidate's own precision: on the inputs, and on inputs moved by one rounding."""


class Configuration(Protocol):
    """What is measured, in one phase or two; hashable."""

    def __hash__(self) -> int: ...

    @property
    def name(self) -> str:
        """Readable and unique."""

    @property
    def cell(self) -> str:
        """ "rnn", "lstm", "gru" or "none"."""

    @property
    def dtype(self) -> str:
        """One of PRECISIONS."""

    @property
    def device(self) -> str:
        """ "cpu" or "cuda"."""

    def as_dict(self) -> dict[str, Any]:
        """The "case" of a row."""

    def flops(self, phase: str) -> int:
        """Additions and multiplications of the matrix products of one call."""

    def bytes(self, phase: str) -> int:
        """The least traffic of one call with memory."""

    def effort(self, phase: str) -> float:
        """A rough guess at the seconds of one call, to weigh one configuration against another."""

    def reason_to_decline(self, implementation: Implementation) -> str | None:
        """Why it is not for an implementation, or None."""

    def candidate(self, implementation: Implementation, phase: str) -> Candidate:
        """What is judged and timed.  DeclinedError: the implementation does not do this."""

    def small(self) -> "Configuration":
        """The same options at sizes that longdouble can do."""

    def suite_case(self) -> Case | None:
        """The case by which the parity suite judges this, if it has one."""

    def problem(self, exact: Any = np.float64) -> Problem:
        """All of it, with the oracle in the dtype ``exact``."""

    def affordable(self, seconds: float, gflops: float) -> Problem | None:
        """The largest part that can be judged in so long, where float64 products run at so many GFLOP/s."""


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
    dtype: str = "float32"  # one of PRECISIONS
    device: str = "cpu"

    @property
    def name(self) -> str:
        """Readable and unique; options at their default are left out."""
        parts = [
            self.spec().kind,
            f"T{self.T}",
            f"B{self.B}",
            f"H{self.hidden_size}",
            "" if self.input_size == self.hidden_size else f"I{self.input_size}",
            f"P{self.proj_size}" if self.proj_size else "",
            f"{self.num_layers}layers" if self.num_layers > 1 else "",
            "bidirectional" if self.bidirectional else "",
            "" if self.fill is None else f"fill{self.fill:g}",
            self.dtype,
            self.device,
        ]
        return " ".join(filter(None, parts))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def spec(self) -> Spec:
        """What an implementation is told to build."""
        return Spec(
            self.cell,
            self.input_size,
            self.hidden_size,
            nonlinearity=self.nonlinearity,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            proj_size=self.proj_size,
            reset_after=self.reset_after,
            dtype=PRECISIONS[self.dtype].dtype,
            device=self.device,
        )

    def case(self, T: int | None = None) -> Case:
        """The named case of the parity suite with these sizes (or with fewer steps), in the dtype of the arrays.

        Weights have the standard deviation of torch.nn's own initial ones, so that no state saturates or explodes at
        any size.
        """
        T = self.T if T is None else T
        lengths = None if self.fill is None else tuple(int(n) for n in np.minimum(self.lengths(), T))
        spec = replace(self.spec(), dtype=array_dtype(self.dtype))
        return Case(spec, T=T, B=self.B, lengths=lengths, gain=float((3 * self.hidden_size) ** -0.5))

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
        """The input product is among them; elementwise work is not counted.  A training step has three products for each of
        the forward's: result, gradient of the one factor, of the other."""
        G, H, P, D = len(GATES[self.cell]), self.hidden_size, self.proj_size or self.hidden_size, 1 + self.bidirectional
        widths = [self.input_size] + [D * P] * (self.num_layers - 1)
        a_row = sum(D * (2 * G * H * (width + P) + (2 * H * P if self.proj_size else 0)) for width in widths)
        return (3 if phase == "train" else 1) * self.rows() * a_row

    def bytes(self, phase: str) -> int:
        """Weights, input, states and output once each, in training their gradients too."""
        spec, D = self.spec(), 1 + self.bidirectional
        weights = sum(int(np.prod(shape)) for shape in spec.weight_shapes().values())
        states = 2 * self.num_layers * D * self.B * sum(spec.state_sizes)
        numbers = weights + states + self.rows() * (self.input_size + D * spec.state_sizes[0])
        return (2 if phase == "train" else 1) * numbers * PRECISIONS[self.dtype].itemsize

    def steps(self) -> int:
        """Steps of all layers and directions, one after the other."""
        return self.T * self.num_layers * (1 + self.bidirectional)

    def effort(self, phase: str) -> float:
        return self.flops(phase) / 1e11 + self.steps() * (3 if phase == "train" else 1) * 2e-5

    def reason_to_decline(self, implementation: Implementation) -> str | None:
        return reason_to_decline(implementation, self.spec(), self.dtype)

    def candidate(self, implementation: Implementation, phase: str) -> Candidate:
        return Layer(implementation, self, phase)

    def small(self) -> "Config":
        P = 2 if self.proj_size else 0
        return replace(self, T=5, B=4, input_size=3, hidden_size=6, proj_size=P, fill=None if self.fill is None else 0.6)

    def suite_case(self) -> Case | None:
        """The suite judges no precision that NumPy does not have."""
        return None if self.dtype in LOW else replace(self.case(), gain=0.6)

    def problem(self, exact: Any = np.float64) -> Problem:
        return LayerProblem(self, self.case(), exact)

    def affordable(self, seconds: float, gflops: float) -> Problem | None:
        """With fewer steps if need be; None if not even two fit.

        Judging takes one run of the definition in float64 and several in the candidate's precision.  The definition is taken
        to reach half of the rate, and to be as fast again in float32.
        """
        once = self.flops("train") / (0.5e9 * gflops) + self.steps() * ELEMENTWISE_S
        fitting = int(self.T * seconds / (once * (1 + 0.5 * LayerProblem.BASELINES)))
        return None if fitting < min(2, self.T) else LayerProblem(self, self.case(min(self.T, fitting)))
