"""A layer of ``reference`` as the suite and the benchmarks call any layer."""

from collections.abc import Callable
from types import ModuleType

import numpy as np

from reference.common.arrays import Array
from reference.common.packing import PackedSequence

from .cases import Spec

State = tuple[Array, ...]  # (h,) or (h, c)
OWN = {"rnn": "nonlinearity", "lstm": "proj_size", "gru": "reset_after"}  # the option that no other cell has


class NumpyLayer:
    """A layer of ``reference``, or of a copy of it, behind the common interface."""

    def __init__(self, package: ModuleType, spec: Spec, weights: dict[str, Array], engine: str = "definition"):
        self.package, self.spec = package, spec
        names = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional", OWN[spec.cell])
        options = {name: getattr(spec, name) for name in names}
        dtype = np.result_type(*weights.values())
        self.layer = getattr(package, spec.cell.upper())(**options, dtype=dtype, engine=engine)
        self.layer.load_state_dict(weights)

    def forward(
        self, x: Array, state: State | None, lengths: Array | None = None, masks: list[Array] | None = None
    ) -> tuple[Array, State]:
        y, state_n, self.form = self._through(lambda *inputs: self.layer(*inputs, masks), x, state, lengths)
        return y, state_n

    def infer(
        self, x: Array, state: State | None, lengths: Array | None = None, masks: list[Array] | None = None
    ) -> tuple[Array, State]:
        if masks is not None:
            return self.forward(x, state, lengths, masks)
        return self._through(self.layer.infer, x, state, lengths)[:2]

    def _through(
        self, call: Callable[..., tuple], x: Array, state: State | None, lengths: Array | None
    ) -> tuple[Array, State, tuple[int, PackedSequence | None]]:
        """y, state_n, and of what form they are: T, and y packed if it has lengths"""
        T, packed = x.shape[self.spec.batch_first], None
        if lengths is not None:
            x = self.package.pack_padded_sequence(x, lengths, self.spec.batch_first, enforce_sorted=False)
        y, state_n = call(x, state if state is None or self.spec.cell == "lstm" else state[0])
        if lengths is not None:
            packed = y
            y, _ = self.package.pad_packed_sequence(y, self.spec.batch_first, total_length=T)
        return y, state_n if self.spec.cell == "lstm" else (state_n,), (T, packed)

    def backward(self, dy: Array, dstate: State) -> tuple[Array, State, dict[str, Array]]:
        T, packed = self.form
        if packed is not None:
            dy = self.package.pad_packed_sequence_backward(dy, packed, self.spec.batch_first)
        dx, dstate_0 = self.layer.backward(dy, dstate if self.spec.cell == "lstm" else dstate[0])
        if packed is not None:
            dx = self.package.pack_padded_sequence_backward(dx, T, self.spec.batch_first)
        return dx, dstate_0 if self.spec.cell == "lstm" else (dstate_0,), self.layer.grads
