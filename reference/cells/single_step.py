"""RNNCell, LSTMCell and GRUCell as torch.nn has them: one step, backward by hand."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import DTypeLike

from ..common import checks, parameters
from ..common.arrays import Array
from ..common.module import Grads, Module, Pullback, quiet
from . import gru, lstm, rnn, stack
from .inputs import State


class Cell(Module):
    """One step of one of the rooms.  Not for use by itself: see RNNCell, LSTMCell, GRUCell."""

    room: stack.Room
    options: dict[str, stack.Option] = {}

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None):
        self.input_size = checks.positive_int("input_size", input_size)
        self.hidden_size = checks.positive_int("hidden_size", hidden_size)
        self.bias = checks.flag("bias", bias)
        shapes = parameters.cell_shapes(len(self.room.GATES), self.input_size, self.hidden_size, self.bias)
        super().__init__(dtype=dtype, rng=rng)
        self.params = self.uniform({parameters.TORCH_NAME[k]: shape for k, shape in shapes.items()}, self.hidden_size)

    def __call__(self, x: Array, state: State | None = None) -> State:
        """One step.

        Parameters
        ----------
        x : (B, I) or (I,) ndarray
        state : (B, H) or (H,) ndarray, or for LSTMCell a pair of them; optional
            The state before the step; zeros if not given.

        Returns
        -------
        state : like state
            The state after the step.

        Raises
        ------
        ValueError
            Wrong rank, of x or of a state.
        RuntimeError
            Wrong feature size or dtype, or a state of the wrong shape or dtype.
        TypeError
            A state of the wrong kind.
        """
        state, pullback = self.vjp(x, state)
        self._pullback = pullback
        return state

    def backward(self, dstate: State | None = None) -> tuple[Array, State]:
        """Backpropagate through the last forward; fills ``grads``, keyed like ``state_dict``.

        Parameters
        ----------
        dstate : like the state that forward returned; optional
            Gradient of the loss in it; zeros if not given.

        Returns
        -------
        dx : like x
        dstate : like state
            The gradient with respect to the state before the step.

        Raises
        ------
        RuntimeError
            No forward before it, or a gradient of the wrong shape or dtype.  ``grads`` is unchanged then.
        """
        dx, dstate = self._pull(dstate)
        return dx, dstate

    @quiet
    def vjp(self, x: Array, state: State | None = None) -> tuple[State, Pullback]:
        """The functional form: ``state, pullback``, with ``pullback(dstate=None) -> grads, dx, dstate``, pure."""
        name = type(self).__name__
        x = checks.rank(f"{name}: input", x, 1)
        if x.shape[-1] != self.input_size:
            raise RuntimeError(f"{name}: input must have input_size {self.input_size} as its last axis, "
                               f"got {x.shape[-1]}")
        checks.array(f"{name}: input", x, x.shape, self.dtype)
        shapes = ((*x.shape[:-1], self.hidden_size),) * len(self.room.State._fields)
        s = checks.state(f"{name}: state", state, shapes, self.dtype, unbatched=1)
        zero = np.zeros(len(self.room.GATES) * self.hidden_size, self.dtype)
        p = self.room.Params(**{"b_ih": zero, "b_hh": zero} | parameters.fields(self.params, ""))
        step = np.array(x).reshape(1, -1, self.input_size)  # T = 1
        y, s_n, cache = self.room.forward(p, step, self._rows(s), **self.options)

        @quiet
        def pullback(dstate: State | None = None) -> tuple[Grads, Array, State]:
            ds = checks.state(f"{name}: dstate", dstate, shapes, self.dtype)
            dp, dx, ds_0 = self.room.backward(np.zeros_like(y), self._rows(ds), cache)
            named = {parameters.TORCH_NAME[field]: v for field, v in dp._asdict().items()}
            return {k: named[k] for k in self.params}, dx.reshape(x.shape), self._shaped(ds_0, shapes)

        return self._shaped(s_n, shapes), pullback

    def _rows(self, arrays: Iterable[Array]) -> stack.State:
        return self.room.State(*(a.reshape(-1, self.hidden_size) for a in arrays))

    @staticmethod
    def _shaped(s: stack.State, shapes: Iterable[tuple]) -> State:
        arrays = [a.reshape(shape).copy() for a, shape in zip(s, shapes, strict=True)]
        return arrays[0] if len(arrays) == 1 else (arrays[0], arrays[1])


class RNNCell(Cell):
    """One step of an RNN; arguments as for RNN, namesake torch.nn.RNNCell."""

    room = rnn

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", *,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None):
        self.nonlinearity = checks.nonlinearity(nonlinearity)
        self.options = {"nonlinearity": self.nonlinearity}
        super().__init__(input_size, hidden_size, bias, dtype=dtype, rng=rng)


class LSTMCell(Cell):
    """One step of an LSTM; arguments as for LSTM, namesake torch.nn.LSTMCell.  The state is a pair (h, c)."""

    room = lstm


class GRUCell(Cell):
    """One step of a GRU; arguments as for GRU, namesake torch.nn.GRUCell."""

    room = gru

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, reset_after: bool = True,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None):
        self.reset_after = checks.flag("reset_after", reset_after)
        self.options = {"reset_after": self.reset_after}
        super().__init__(input_size, hidden_size, bias, dtype=dtype, rng=rng)
