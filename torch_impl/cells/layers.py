"""RNN, LSTM and GRU: torch.nn's modules with their forward written out, in a way of your choice.

    lstm = torch_impl.LSTM(3, 5, num_layers=2, way="hoisted")

Constructor, parameters, ``state_dict``, input forms and errors are those of torch.nn's class, which each one is; besides,
a ``bidirectional`` or ``reset_after`` that is no bool is a TypeError, and ``batch_sizes`` may be integers of any type.
"""

from collections.abc import Sequence
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from reference.common import checks, parameters

from . import gru, lstm, rnn, stack

WAYS = ("loop", "hoisted", "cell", "bptt")
Room = ModuleType | SimpleNamespace  # torch_impl.cells.rnn, lstm or gru, or one of them with its step compiled
State = Tensor | tuple[Tensor, ...]  # h, or (h, c), as torch.nn takes it
Answer = tuple[Any, Any]  # y, a Tensor or PackedSequence as the input was; state


class Written(nn.RNNBase):
    """What the three modules share: from torch.nn's input forms to ``stack.forward`` and back."""

    room: Room

    def __init__(self, *args: Any, way: str = "hoisted", **kwargs: Any):
        fits(*args, **kwargs)
        checks.flag("bidirectional", kwargs.get("bidirectional", False))  # torch.nn looks at the other options
        super().__init__(*args, **kwargs)
        checks.flag("bidirectional", self.bidirectional)  # given by its place
        self.way = checks.choice("way", way, WAYS)

    def options(self) -> dict[str, stack.Option]:
        """Keyword arguments of the room's ways."""
        return {}

    def forward(self, input: Tensor | PackedSequence, hx: State | None = None,
                keep: Sequence[Tensor] | None = None) -> Answer:
        """As the torch.nn namesake, y in the form of ``input``, the state as ``hx`` is given.

        ``keep`` gives the dropout masks, boolean (N, D·P), one for each layer but the last.

        Raises
        ------
        ValueError, RuntimeError
            As torch.nn, and ValueError for what this way cannot do (projection or reset before, by cell).
        """
        if isinstance(input, PackedSequence):
            rows, sizes, batched = input.data, input.batch_sizes, True
        else:
            if input.dim() not in (2, 3):
                raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.dim()}D instead")
            batched = input.dim() == 3
            x = input if batched else input[:, None]
            x = x.transpose(0, 1) if self.batch_first and batched else x
            T, B, _ = x.shape
            if T == 0:
                raise RuntimeError("Expected sequence length to be larger than 0")
            rows, sizes = x.reshape(T * B, x.shape[-1]), torch.full((T,), B)
        self.check_input(rows, sizes)
        shapes = [(L, B, w) if batched else (L, w) for L, B, w in self.state_shapes(int(sizes[0]))]
        hs = [rows.new_zeros(shape) for shape in shapes] if hx is None else fields(hx)
        for h, shape in zip(hs, shapes, strict=True):
            if h.shape != shape:
                raise RuntimeError(f"Expected hidden size {shape}, got {list(h.shape)}")
        hs = [h if batched else h[:, None] for h in hs]
        if isinstance(input, PackedSequence) and input.sorted_indices is not None:
            hs = [h[:, input.sorted_indices] for h in hs]
        states = self.by_layer([self.room.State(*vs) for vs in zip(*hs, strict=True)])
        y, states_n = stack.forward(partial(getattr(self.room, self.way), **self.options()), self.params(), rows,
                                    states, sizes, self._keep(rows, keep), self.dropout)
        return self._leave(input, y, states_n, batched)

    def library(self, input: Tensor | PackedSequence, hx: State | None = None) -> Answer:
        """The forward of torch.nn's own class, which knows nothing of masks."""
        return super().forward(input, hx)

    def state_shapes(self, B: int) -> list[tuple[int, int, int]]:
        """(L·D, B, ·) of each array of the state"""
        widths = self.proj_size or self.hidden_size, self.hidden_size
        return [(self.num_layers * (1 + self.bidirectional), B, w) for w in widths[: len(self.room.State._fields)]]

    def by_layer(self, flat: list) -> list[list]:
        """Of L·D things those of each layer"""
        D = 1 + self.bidirectional
        return [flat[k : k + D] for k in range(0, len(flat), D)]

    def params(self) -> list[list]:
        """The room's Params by layer and direction; biases that there are none of are zero."""
        named = dict(self.named_parameters())
        zero = torch.zeros_like(named["weight_hh_l0"][:, 0])
        return self.by_layer([
            self.room.Params(**{"b_ih": zero, "b_hh": zero} | parameters.fields(named, parameters.suffix(k, d)))
            for k in range(self.num_layers) for d in range(1 + self.bidirectional)])

    def _keep(self, rows: Tensor, keep: Sequence[Tensor] | None) -> Sequence[Tensor]:
        if keep is not None or not (self.training and self.dropout):
            return keep or ()
        shape = len(rows), (1 + self.bidirectional) * (self.proj_size or self.hidden_size)
        return [torch.rand(shape, device=rows.device) >= self.dropout for _ in range(self.num_layers - 1)]

    def _leave(self, input: Tensor | PackedSequence, y: Tensor, states_n: list[list], batched: bool) -> Answer:
        hs = [torch.stack(vs) for vs in zip(*(s for layer in states_n for s in layer), strict=True)]
        if isinstance(input, PackedSequence):
            hs = hs if input.unsorted_indices is None else [h[:, input.unsorted_indices] for h in hs]
            return input._replace(data=y), as_state(hs)
        if batched:
            T, B = input.shape[:2] if not self.batch_first else input.shape[1::-1]
            y = y.reshape(T, B, y.shape[-1])
            y = y.transpose(0, 1) if self.batch_first else y
        else:
            hs = [h[:, 0] for h in hs]
        return y, as_state(hs)


def fits(input_size: Any, hidden_size: Any, num_layers: Any = 1, *_: Any, **__: Any) -> None:
    """ValueError: sizes that no memory holds; torch.nn would go on and on.  What is no size is left to torch.nn."""
    if all(type(size) is int and size > 0 for size in (input_size, hidden_size, num_layers)):
        parameters.fits(1, input_size, hidden_size, num_layers, proj_size=1)


def fields(state: State) -> tuple[Tensor, ...]:
    """A state as torch.nn takes it, h or (h, c)  ->  (h,) or (h, c)"""
    return tuple(state) if isinstance(state, (tuple, list)) else (state,)


def as_state(tensors: Sequence[Tensor]) -> State:
    """The inverse of fields"""
    return tuple(tensors) if len(tensors) == 2 else tensors[0]


class RNN(Written, nn.RNN):
    """torch.nn.RNN by ``way``: "loop", "hoisted", "cell" or "bptt"."""

    room: Room = rnn

    def options(self) -> dict[str, stack.Option]:
        return {"nonlinearity": self.nonlinearity}


class LSTM(Written, nn.LSTM):
    """torch.nn.LSTM by ``way``: "loop", "hoisted", "cell" (no projection) or "bptt"."""

    room: Room = lstm


class GRU(Written, nn.GRU):
    """torch.nn.GRU by ``way``: "loop", "hoisted", "cell" (reset after only) or "bptt"; reset_after as reference.GRU."""

    room: Room = gru

    def __init__(self, *args: Any, reset_after: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.reset_after = checks.flag("reset_after", reset_after)

    def options(self) -> dict[str, stack.Option]:
        return {"reset_after": self.reset_after}
