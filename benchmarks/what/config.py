"""The configuration of a layer: sizes, options, arithmetic, traffic, and what it is judged on."""

from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from parity_tests.judge.cases import GATES, Case, Spec
from parity_tests.judge.implementations import Implementation
from parity_tests.judge.oracle import Tensors, define, transform

from .layer import NUMPY, Candidate, Inputs, Layer, baseline, before_kinks, data_of
from .precision import LOW, PRECISIONS, rounded

PHASES = ("forward", "train")
ELEMENTWISE_S = 1e-4  # what the definition needs for the small work of a step
BASELINES = 3  # by which the noise is known: on the inputs, and on inputs moved by one rounding


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

    def spec(self) -> Spec:
        """What an implementation is told to build."""
        own = asdict(self) | {"dtype": PRECISIONS[self.dtype].dtype}
        return Spec(**{option.name: own[option.name] for option in fields(Spec) if option.name in own})

    def case(self, T: int | None = None) -> Case:
        """The named case of the parity suite with these sizes (or with fewer steps), in the dtype of the arrays.

        NumPy has no bfloat16, so 16-bit numbers travel as float32.  Weights have the standard deviation of torch.nn's own
        initial ones, so that no state saturates or explodes at any size.
        """
        T = T or self.T
        lengths = None if self.fill is None else tuple(np.minimum(self.lengths(), T).tolist())
        spec = replace(self.spec(), dtype="float64" if self.dtype == "float64" else "float32")
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
        """Additions and multiplications of the matrix products of one call, the input product among them.

        A training step has three products for each of the forward's: result, gradient of the one factor, of the other.
        """
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

    def steps(self) -> int:
        """Steps of all layers and directions, one after the other."""
        return self.T * self.num_layers * (1 + self.bidirectional)

    def effort(self, phase: str) -> float:
        """A rough guess at the seconds of one call, to weigh one configuration against another."""
        return self.flops(phase) / 1e11 + self.steps() * (3 if phase == "train" else 1) * 2e-5

    def reason_to_decline(self, implementation: Implementation) -> str | None:
        """Why it is not for an implementation, or None."""
        reason = implementation.reason_to_decline(self.spec())
        low = self.dtype in LOW and implementation.name in NUMPY
        return f"NumPy does not compute in {self.dtype}" if low and not reason else reason

    def candidate(self, implementation: Implementation, phase: str) -> Candidate:
        """What is judged and timed.  DeclinedError: the implementation does not do this."""
        return Layer(implementation, self, phase)

    def small(self) -> "Config":
        """The same options at sizes that longdouble can do."""
        P = 2 if self.proj_size else 0
        return replace(self, T=5, B=4, input_size=3, hidden_size=6, proj_size=P, fill=None if self.fill is None else 0.6)

    def suite_case(self) -> Case | None:
        """The case by which the parity suite judges this; it judges no precision that NumPy does not have."""
        return None if self.dtype in LOW else replace(self.case(), gain=0.6)

    def part(self, T: int) -> str:
        """The name of the first T steps."""
        return f"T = {T}"

    def inputs(self, T: int) -> Inputs:
        """What T steps are judged on.  The weights are those that a layer was loaded with: a shortened case has others."""
        case = self.case(T)
        data = rounded(case.data(), self.dtype)._replace(weights=data_of(self).weights)
        return before_kinks(case, data) if self.nonlinearity == "relu" and self.dtype not in LOW else data

    def oracle(self, inputs: Inputs, T: int, dtype: type) -> Tensors:
        """What is right: the definition in a wider dtype."""
        return define(self.case(T), transform(inputs, lambda v: v.astype(dtype)))

    def baseline(self, inputs: Inputs, T: int) -> Tensors:
        """The definition in the candidate's own precision."""
        return baseline(self.case(T), inputs, self.dtype, self.device)

    def affordable(self, seconds: float, gflops: float) -> int:
        """How many steps can be judged in so long, where float64 products run at so many GFLOP/s; 0 if not even two.

        Judging takes one run of the definition in float64 and several in the candidate's precision.  The definition is taken
        to reach half of the rate, and to be as fast again in float32.
        """
        once = self.flops("train") / (0.5e9 * gflops) + self.steps() * ELEMENTWISE_S
        fitting = int(self.T * seconds / (once * (1 + 0.5 * BASELINES)))
        return 0 if fitting < min(2, self.T) else min(self.T, fitting)
