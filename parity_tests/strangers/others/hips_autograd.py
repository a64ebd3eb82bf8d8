"""HIPS autograd: the forward in plain NumPy, a loop over the steps; autograd is the backward.

Run with autograd 1.9.1.
"""

from importlib.metadata import version

import autograd.numpy as np
from autograd import make_vjp
from autograd.builtins import tuple as traced_tuple
from numpy import errstate

from ..equations import GATES as GATES
from ..equations import opened, stack, steps


def sigmoid(a):
    """1 / (1 + e⁻ᵃ), written so that nothing overflows"""
    return (1 + np.tanh(a / 2)) / 2


STEP = steps(np, sigmoid)


def scan(step, s, inputs, reverse):
    """The last state, and what each step gives, in the order of time"""
    a_x, valid = inputs
    T = len(a_x)
    y = [None] * T
    for t in reversed(range(T)) if reverse else range(T):
        s, y[t] = step(s, (a_x[t], None if valid is None else valid[t]))
    return s, np.stack(y)


class Layer:
    """A stack of layers; ``backward`` is the pullback of the last ``forward``."""

    def __init__(self, spec, weights):
        self.spec, self.weights = spec, weights

    def forward(self, x, state, lengths=None):
        x, state = np.array(x), None if state is None else [np.array(s) for s in state]  # the caller may write into his
        state, valid = opened(self.spec, x, state, lengths)

        def run(weights, x, state):
            y, state_n = stack(np, STEP, scan, self.spec, weights, x, state, valid)
            return traced_tuple((y, *state_n))

        self.pullback, (y, *state_n) = make_vjp(run, (0, 1, 2))(self.weights, x, state)
        return y, tuple(state_n)

    def backward(self, dy, dstate):
        with errstate(over="ignore"):  # autograd's slope of tanh is 1 / cosh², rightly 0 where cosh² overflows
            dweights, dx, dstate_0 = self.pullback((dy, *dstate))
        return dx, dstate_0, dweights


load = Layer


def declines(spec):
    """A reason, or None."""
    return "autograd computes on the CPU" if spec.device != "cpu" else None


def about():
    """Version."""
    return f"autograd {version('autograd')}, NumPy {np.__version__}"
