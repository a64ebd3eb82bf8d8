"""RNN, LSTM and GRU as torch.nn has them: constructors, shapes, options, names; backward by hand."""

import warnings
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import fast
from ..common import checks, parameters
from ..common.arrays import Array
from ..common.module import Grads, Module, Pullback, quiet
from . import gru, lstm, rnn, stack
from .inputs import Form, Sequences, State, X, open_gradient, open_input
from .stack import Room

FAST: dict[Room, Room] = {rnn: fast.rnn, lstm: fast.lstm, gru: fast.gru}


def written_for(engine: str, room: Room) -> Room:
    """The room of an engine.  That of ``compiled`` loads Numba, which takes a second: only when it is asked for."""
    if engine == "definition":
        return room
    if engine == "fast":
        return FAST[room]
    from .. import compiled

    compiled.THREADS.look()
    rooms: dict[Room, Any] = {rnn: compiled.rnn, lstm: compiled.lstm, gru: compiled.gru}
    return rooms[room]


def without_cache(room: Room) -> Any:
    """A room whose forward keeps nothing."""
    if hasattr(room, "run_inference"):
        return SimpleNamespace(run_forward=lambda _, *inputs: room.run_inference(room, *inputs))
    return SimpleNamespace(forward=lambda *inputs, **options: (*room.forward(*inputs, **options)[:2], None))


def joined(states: Sequence[Array]) -> Array:
    """Arrays (B, ·) of each layer and direction  ->  (L·D, B, ·), a copy; np.stack takes longer for one"""
    return np.stack(states) if len(states) > 1 else states[0][None].copy()


class Layer(Module):
    """A stack of one of the rooms.  Not for use by itself: see RNN, LSTM, GRU."""

    room: Room
    options: dict[str, stack.Option] = {}

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, *,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "definition"):
        self.input_size = checks.positive_int("input_size", input_size)
        self.hidden_size = checks.positive_int("hidden_size", hidden_size)
        self.num_layers = checks.positive_int("num_layers", num_layers)
        self.bias, self.batch_first = checks.flag("bias", bias), checks.flag("batch_first", batch_first)
        self.bidirectional = checks.flag("bidirectional", bidirectional)
        self.dropout = checks.probability("dropout", dropout)
        self.proj_size = checks.projection(proj_size, self.hidden_size)
        if self.dropout and self.num_layers == 1:
            warnings.warn(f"dropout acts between layers, so dropout={dropout} does nothing with num_layers=1",
                          UserWarning, stacklevel=2 if type(self).__init__ is Layer.__init__ else 3)
        shapes = parameters.stack_shapes(len(self.room.GATES), self.input_size, self.hidden_size, self.num_layers,
                                     self.bias, self.bidirectional, self.proj_size)
        super().__init__(dtype=dtype, rng=rng)
        self.params = self.uniform(shapes, self.hidden_size)
        self.room = written_for(checks.engine(engine, self.dtype), self.room)

    def __call__(self, x: X, state: State | None = None, masks: Sequence[Array] | None = None) -> tuple[X, State]:
        """Run the layer.

        Parameters
        ----------
        x : (T, B, I) ndarray, (B, T, I) if ``batch_first``, (T, I), or PackedSequence
            The input, in the dtype of the layer.
        state : (L·D, B, P) ndarray, or for LSTM a pair of them, the second (L·D, B, H); optional
            The initial state, in the caller's order of sequences; zeros if not given.  Without the B axis for
            unbatched x.  Layer-major, then direction.  Never batch first, whatever ``batch_first`` says: where
            B == L·D the two layouts have one shape, and as in torch the first axis is then taken as L·D.
        masks : (L-1) boolean ndarrays (N, D·P); optional
            What dropout keeps of each layer's output but the last, instead of drawing it from ``rng``: a row for each
            step of each sequence, time-major, in packed order.  Only in training mode with ``dropout`` above 0.

        Returns
        -------
        y : like x, with D·P features
            The hidden state of the last layer at every step, forward | reverse.
        state_n : like state
            The state after each sequence's own last step (for the reverse direction: its first).

        Raises
        ------
        ValueError
            Wrong rank, or a dtype other than the layer's; masks of the wrong number or where dropout is not active.
        RuntimeError
            Wrong feature size, no time step, a state or mask of the wrong shape or dtype, or packed data not 2-D.
        TypeError
            A state of the wrong kind, or a malformed PackedSequence.
        """
        y, state_n, pullback = self.vjp(x, state, masks)
        self._pullback = pullback
        return y, state_n

    def backward(self, dy: Sequences | None = None, dstate_n: State | None = None) -> tuple[Sequences, State]:
        """Backpropagate through the last forward; fills ``grads``, keyed like ``state_dict``.

        Parameters
        ----------
        dy : like y; optional
            Gradient of the loss in the output; zeros if not given.
        dstate_n : like state_n; optional
            Gradient of the loss with respect to the final state; zeros if not given.

        Returns
        -------
        dx : like x
        dstate : like state
            The gradient with respect to the initial state, also when none was given (it was zeros then).

        Raises
        ------
        RuntimeError
            No forward before it, or a gradient of the wrong shape or dtype.  ``grads`` is unchanged then, and
            the forward is still there to be used.
        """
        dx, dstate = self._pull(dy, dstate_n)
        return dx, dstate

    @quiet
    def vjp(self, x: X, state: State | None = None, masks: Sequence[Array] | None = None) -> tuple[X, State, Pullback]:
        """The functional form: like calling the layer, but with its pullback returned, not remembered.

        Returns
        -------
        y, state_n
            As from calling the layer.
        pullback : callable
            ``pullback(dy=None, dstate_n=None) -> grads, dx, dstate``; pure, so it may be called any number of
            times, in any order with those of other forwards.
        """
        name, D = type(self).__name__, 1 + self.bidirectional
        form, data, states, expected = self._open(x, state)
        keep = self._keep(name, form, masks)
        y, states_n, cache = stack.forward(self.room, self._stacked(), data, self._nest(form, states),
                                           form.batch_sizes, keep, self.dropout, **self.options)

        @quiet
        def pullback(dy: Sequences | None = None, dstate_n: State | None = None) -> tuple[Grads, Sequences, State]:
            rows = open_gradient(f"{name}: dy", dy, form, D * self._widths()[0], self.dtype)
            ds = checks.state(f"{name}: dstate_n", dstate_n, *expected)
            dparams, dx, dstates = stack.backward(self.room, rows, self._nest(form, ds), cache)
            return self._named(dparams), form.like(dx), self._flat(form, dstates)

        return form.like(y.copy()), self._flat(form, states_n), pullback

    @quiet
    def infer(self, x: X, state: State | None = None) -> tuple[X, State]:
        """``y, state_n`` as from calling the layer in evaluation mode, but nothing is kept: for use without a backward.

        What the layer remembers of an earlier forward stays.  With the engines for speed it is quicker than a call.
        """
        form, data, states, _ = self._open(x, state, copy=False)
        y, states_n, _ = stack.forward(without_cache(self.room), self._stacked(), data, self._nest(form, states),
                                       form.batch_sizes, (), 0.0, **self.options)
        return form.like(y), self._flat(form, states_n)

    def _open(self, x: Sequences, state: State | None,
              copy: bool = True) -> tuple[Form, Array, tuple[Array, ...], tuple[tuple, np.dtype, str]]:
        """Check what comes in  ->  Form, packed rows, states, and what every state of this form must be"""
        name, D = type(self).__name__, 1 + self.bidirectional
        form, data = open_input(name, x, self.batch_first, self.input_size, self.dtype, copy)
        hint = ", (layers x directions, batch, features) whatever batch_first says," if self.batch_first else ""
        shapes = tuple(form.state_shape(self.num_layers * D, width) for width in self._widths())
        return form, data, checks.state(f"{name}: state", state, shapes, self.dtype, hint), (shapes, self.dtype, hint)

    def _widths(self) -> tuple[int, ...]:
        """Features of each array of the state."""
        return (self.proj_size or self.hidden_size, self.hidden_size)[: len(self.room.State._fields)]

    def _keep(self, name: str, form: Form, masks: Sequence[Array] | None) -> list[Array]:
        """The dropout masks of one forward, each (N, D·P)."""
        features, count = (1 + self.bidirectional) * self._widths()[0], self.num_layers - 1
        active = self.training and self.dropout > 0 and count > 0
        N = int(form.batch_sizes.sum())
        if masks is None:
            return [self.rng.random((N, features)) >= self.dropout for _ in range(count)] if active else []
        if not active:
            raise ValueError(f"{name}: masks need training mode, dropout above 0 and more than one layer")
        if len(checks.several(f"{name}: masks", masks)) != count:
            raise ValueError(f"{name}: masks must be {count}, one for each layer but the last, got {len(masks)}")
        return [checks.mask(f"{name}: masks[{k}]", m, (N, features)) for k, m in enumerate(masks)]

    def _stacked(self) -> stack.Nested:
        """``params`` as Params[layer][direction]; no bias is a bias of zero."""
        size = len(self.room.GATES) * self.hidden_size
        none = {} if self.bias else dict.fromkeys(("b_ih", "b_hh"), np.zeros(size, self.dtype))
        return [[self.room.Params(**none, **parameters.fields(self.params, parameters.suffix(k, d)))
                 for d in range(1 + self.bidirectional)] for k in range(self.num_layers)]

    def _named(self, dparams: stack.Nested) -> Grads:
        """The inverse of _stacked, keyed and ordered like ``params``."""
        named = {parameters.TORCH_NAME[field] + parameters.suffix(k, d): v
                 for k, layer in enumerate(dparams) for d, p in enumerate(layer) for field, v in p._asdict().items()}
        return {k: named[k] for k in self.params}

    def _nest(self, form: Form, arrays: Iterable[Array]) -> stack.Nested:
        """Arrays (L·D, B, ·)  ->  State[layer][direction]"""
        D = 1 + self.bidirectional
        split = [self.room.State(*vs) for vs in zip(*map(form.states_in, arrays), strict=True)]
        return [split[k : k + D] for k in range(0, len(split), D)]

    def _flat(self, form: Form, states: stack.Nested) -> State:
        """The inverse of _nest, as the caller holds a state"""
        arrays = [form.states_out(joined(vs)) for vs in zip(*(s for layer in states for s in layer), strict=True)]
        return arrays[0] if len(arrays) == 1 else (arrays[0], arrays[1])


class RNN(Layer):
    """Elman RNN; room ``reference/cells/rnn.py``, namesake torch.nn.RNN.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
        I, H and L, at least 1.
    nonlinearity : "tanh" or "relu"
    bias : bool
        False leaves out b_ih and b_hh.
    batch_first : bool
        x and y are (B, T, ·); states are not affected.
    dropout : float from 0 to 1
        Probability of zeroing an element between layers, in training mode.
    bidirectional : bool
    dtype : a floating or complex NumPy dtype
    rng : numpy.random.Generator; optional
        Source of the initial parameters, uniform in ±1/√H as in torch, and of dropout masks.
    engine : "definition", "fast" or "compiled"
        The room as it is to be read, or one written for speed (float32 and float64): in NumPy, or as loops under Numba,
        whose first call compiles for seconds; results agree to rounding.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range, as in torch.
    """

    room = rnn

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, *,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "definition"):
        self.nonlinearity = checks.nonlinearity(nonlinearity)
        self.options = {"nonlinearity": self.nonlinearity}
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype,
                         rng=rng, engine=engine)


class LSTM(Layer):
    """Long short-term memory; room ``reference/cells/lstm.py``, namesake torch.nn.LSTM.

    Parameters
    ----------
    proj_size : int
        P, width of the hidden state after a projection, below hidden_size; 0 for none.

    The others, and what is raised, as for RNN.  The state is a pair: h (L·D, B, P or H) and c (L·D, B, H).
    """

    room = lstm


class GRU(Layer):
    """Gated recurrent unit; room ``reference/cells/gru.py``, namesake torch.nn.GRU.

    Parameters
    ----------
    reset_after : bool
        True resets after the recurrent product, as torch and cuDNN; False before it, as the original paper,
        Keras' ``reset_after=False`` and ONNX's default.  Parameters and layout are the same.

    The others, and what is raised, as for RNN.
    """

    room = gru

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, *, reset_after: bool = True,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "definition"):
        self.reset_after = checks.flag("reset_after", reset_after)
        self.options = {"reset_after": self.reset_after}
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype,
                         rng=rng, engine=engine)
