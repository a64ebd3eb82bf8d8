"""The hoisted loop with its step compiled: a Python loop over a torch.compile'd step, so that T does not count.

Compiling the unrolled loop takes time in proportion to T; compiling one step does not.  It is compiled for the first batch
size that comes, and when another comes, once more for any.
"""

import itertools
from collections.abc import Callable
from types import FunctionType, SimpleNamespace

import torch
from torch import Tensor

from .layers import Room
from .stack import Option, P, S

_numbers = itertools.count()


def room(cell: Room) -> SimpleNamespace:
    """A room (torch_impl.cells.rnn, lstm or gru) whose hoisted loop runs a step compiled for it alone."""
    step = torch.compile(_step(cell.step_forward, len(cell.State._fields)), fullgraph=True)

    def hoisted(p: P, x: Tensor, s: S, **options: Option) -> tuple[Tensor, S]:
        """(p, x (T, B, I), State, options of the room)  ->  y (T, B, P), State"""
        y = []
        for a in torch.nn.functional.linear(x, p.W_ih, p.b_ih).unbind():
            s = step(p, a, *s, **options)
            y.append(s[0])
        return torch.stack(y), cell.State(*s)

    return SimpleNamespace(State=cell.State, Params=cell.Params, hoisted=hoisted)


def _step(step_forward: Callable[..., Tensor | tuple[Tensor, ...]], count: int) -> FunctionType:
    """The step without what it saves for a backward by hand, which the compiler then leaves out.

    It has a code object of its own: the compiler keeps its versions of a function by code object, and gives up after eight,
    which layers of different sizes would soon share.
    """
    def step(p: P, *tensors: Tensor, **options: Option) -> tuple[Tensor, ...]:
        out = step_forward(p, *tensors, **options)
        return out[:count] if isinstance(out, tuple) else (out,)

    code = step.__code__.replace(co_name=f"step_{next(_numbers)}")
    return FunctionType(code, step.__globals__, code.co_name, step.__defaults__, step.__closure__)
