"""A layer of ``reference`` as the suite and the benchmarks call any layer."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .cases import Spec

State = tuple[np.ndarray, ...]  # (h,) or (h, c)
CLASSES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


class NumpyLayer:
    """A layer of ``reference``, or of a copy of it, behind the common interface."""

    def __init__(self, package: ModuleType, spec: Spec, weights: dict[str, np.ndarray], engine: str = "definition"):
        self.package, self.spec = package, spec
        options: dict[str, Any] = {
            "num_layers": spec.num_layers,
            "bias": spec.bias,
            "batch_first": spec.batch_first,
            "dropout": spec.dropout,
            "bidirectional": spec.bidirectional,
            "dtype": np.result_type(*weights.values()),
            "engine": engine,
        }
        variants: dict[str, dict[str, Any]] = {
            "rnn": {"nonlinearity": spec.nonlinearity},
            "lstm": {"proj_size": spec.proj_size},
            "gru": {"reset_after": spec.reset_after},
        }
        options |= variants[spec.cell]
        self.layer = getattr(package, CLASSES[spec.cell])(spec.input_size, spec.hidden_size, **options)
        self.layer.load_state_dict(weights)

    def forward(
        self, x: np.ndarray, state: State | None, lengths: np.ndarray | None = None, masks: list[np.ndarray] | None = None
    ) -> tuple[np.ndarray, State]:
        return self._through(lambda *inputs: self.layer(*inputs, masks), x, state, lengths)

    def infer(
        self, x: np.ndarray, state: State | None, lengths: np.ndarray | None = None, masks: list[np.ndarray] | None = None
    ) -> tuple[np.ndarray, State]:
        if masks is not None:
            return self.forward(x, state, lengths, masks)
        return self._through(self.layer.infer, x, state, lengths)

    def _through(
        self, call: Callable[..., tuple], x: np.ndarray, state: State | None, lengths: np.ndarray | None
    ) -> tuple[np.ndarray, State]:
        self.lengths, self.T = lengths, x.shape[self.spec.batch_first]
        if lengths is not None:
            x = self.package.pack_padded_sequence(x, lengths, self.spec.batch_first, enforce_sorted=False)
        y, state_n = call(x, state if state is None or self.spec.cell == "lstm" else state[0])
        if lengths is not None:
            self.packed = y
            y, _ = self.package.pad_packed_sequence(y, self.spec.batch_first, total_length=self.T)
        return y, state_n if self.spec.cell == "lstm" else (state_n,)

    def backward(self, dy: np.ndarray, dstate: State) -> tuple[np.ndarray, State, dict[str, np.ndarray]]:
        if self.lengths is not None:
            dy = self.package.pad_packed_sequence_backward(dy, self.packed, self.spec.batch_first)
        dx, dstate_0 = self.layer.backward(dy, dstate if self.spec.cell == "lstm" else dstate[0])
        if self.lengths is not None:
            dx = self.package.pack_padded_sequence_backward(dx, self.T, self.spec.batch_first)
        return dx, dstate_0 if self.spec.cell == "lstm" else (dstate_0,), self.layer.grads
