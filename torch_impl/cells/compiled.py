"""The hoisted loop with its step compiled: a Python loop over a torch.compile'd step, so that T does not count.

Compiling the unrolled loop takes time in proportion to T; compiling one step does not.  It is compiled for the first batch
size that comes, and when another comes, once more for any.
"""

import itertools
from types import FunctionType, SimpleNamespace

import torch

_numbers = itertools.count()


def room(cell):
    """A room (torch_impl.cells.rnn, lstm or gru) whose hoisted loop runs a step compiled for it alone."""
    step = torch.compile(_alone(_outputs(cell.step_forward, len(cell.State._fields))), fullgraph=True)

    def hoisted(p, x, s, *options, **named):
        """(p, x (T, B, I), State, options of the room)  ->  y (T, B, P), State"""
        y = []
        for a in torch.nn.functional.linear(x, p.W_ih, p.b_ih).unbind():
            s = step(p, a, *s, *options, **named)
            y.append(s[0])
        return torch.stack(y), cell.State(*s)

    return SimpleNamespace(State=cell.State, Params=cell.Params, hoisted=hoisted)


def _outputs(step_forward, count):
    """The step without what it saves for a backward by hand, which the compiler then leaves out."""
    def step(*arguments, **named):
        made = step_forward(*arguments, **named)
        return made[:count] if isinstance(made, tuple) else (made,)

    return step


def _alone(function):
    """The function with a code object of its own: the compiler keeps what it made by code object, and gives up after
    eight versions of one, which layers of different sizes would soon share."""
    code = function.__code__.replace(co_name=f"{function.__name__}_{next(_numbers)}")
    return FunctionType(code, function.__globals__, code.co_name, function.__defaults__, function.__closure__)
