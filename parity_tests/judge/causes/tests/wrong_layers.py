"""Wrong implementations for the tests of the diagnosis: a right one spoiled at its border, and a loop with another step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...cases import Case, Spec, usual
from ...implementations import BUILTIN, Implementation


def same(value: Any, *_: Any) -> Any:
    return value


@dataclass(frozen=True)
class Planted:
    """A mistake: what of a right layer's arguments and results is changed, each by ``change(value, spec, lengths)``."""

    spec: Callable = same
    weights: Callable = same  # of (name, value)
    state: Callable = same
    x: Callable = same
    lengths: Callable = same
    returned: Callable = same  # (y, states)
    upstream: Callable = same  # (dy, dstates)
    gradients: Callable = same  # (dx, dstates, {name: gradient})

    def implementation(self) -> Implementation:
        return Implementation("stranger", lambda spec, weights: Spoiled(self, spec, weights))


class Spoiled:
    """The definition with a mistake; the gradients are those of what it computes only where nobody asks for more."""

    def __init__(self, planted: Planted, spec: Spec, weights: dict[str, np.ndarray]):
        self.planted, self.spec = planted, spec
        changed = {k: np.ascontiguousarray(planted.weights((k, w), spec)[1]) for k, w in weights.items()}
        self.layer = BUILTIN["numpy"].load(planted.spec(spec), changed)

    def forward(self, x, state, lengths=None):
        self.lengths, p = lengths, self.planted
        state = None if state is None else tuple(map(np.ascontiguousarray, p.state(state, self.spec, lengths)))
        x = np.ascontiguousarray(p.x(x, self.spec, lengths))
        return p.returned(self.layer.forward(x, state, p.lengths(lengths)), self.spec, lengths)

    def backward(self, dy, dstate):
        dy, dstate = self.planted.upstream((dy, dstate), self.spec, self.lengths)
        return self.planted.gradients(self.layer.backward(dy, dstate), self.spec, self.lengths)


def loop(step: Callable) -> Implementation:
    """One layer and direction as a loop over ``step(t, given, a_x, state, weights, tensor) -> state``; autograd is the backward.

    ``given``: whether an initial state was given.
    """
    return Implementation("stranger", lambda spec, weights: Loop(step, spec, weights))


class Loop:
    def __init__(self, step: Callable, spec: Spec, weights: dict[str, np.ndarray]):
        self.step, self.spec = step, spec
        self.w = {k.removesuffix("_l0"): torch.tensor(v, requires_grad=True) for k, v in weights.items()}

    def forward(self, x, state, lengths=None):
        given, w, widths = state is not None, self.w, self.spec.state_sizes
        self.x = torch.tensor(x, requires_grad=True)
        zeros = [np.zeros((1, x.shape[1], n), x.dtype) for n in widths]
        self.start = [torch.tensor(v, requires_grad=True) for v in (state or zeros)]
        s, ys = [v[0] for v in self.start], []
        for t, x_t in enumerate(self.x):
            s = self.step(t, given, x_t @ w["weight_ih"].T + w["bias_ih"], s, w)
            ys.append(s[0])
        self.y, self.end = torch.stack(ys), [v[None] for v in s]
        return self.y.detach().numpy(), tuple(v.detach().numpy() for v in self.end)

    def backward(self, dy, dstate):
        inputs = [self.x, *self.start, *self.w.values()]
        upstream = [torch.tensor(v) for v in (dy, *dstate)]
        dx, *rest = (g.numpy() for g in torch.autograd.grad([self.y, *self.end], inputs, upstream))
        n = len(self.start)
        return dx, tuple(rest[:n]), {f"{k}_l0": g for k, g in zip(self.w, rest[n:], strict=True)}


def cases(kind: str, dense: bool = False) -> list[Case]:
    """Few small cases in which a mistake can show: layers, directions, lengths, batch first, with a state and without."""

    def layer(**options: Any) -> Spec:
        return usual(kind, **{"dtype": "float64"} | options)

    plain = [Case(layer()), Case(layer(), state=False), Case(layer(dtype="float32"))]
    if dense:
        return plain
    return [
        *plain,
        Case(layer(bidirectional=True), lengths=(2, 5, 1, 4)),
        Case(layer(num_layers=2), lengths=(3, 5, 3, 2)),
        Case(layer(batch_first=True), state=False),
        Case(layer(num_layers=3, bidirectional=True, batch_first=True), lengths=(2, 5, 1, 4)),
        Case(layer(num_layers=2, bidirectional=True)),
    ]
