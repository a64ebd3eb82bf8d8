"""One function that a student writes: what it is called with, what it returns, and how the right values are found.

Right values come from the reference, from torch (a definition, and autograd through it), or from the complex step
through the student's own forward.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from reference.common.arrays import Array

from .complex_step import gradients, several

Inputs = dict[str, Any]
Arrays = tuple[Array, ...]
SIZES = (2, 3, 4, 5, 6)  # no two letters get the same one


class Task(NamedTuple):
    """One function of an answer."""

    function: str
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    draw: Callable[[np.random.Generator], Inputs]
    expected: Callable[[Mapping[str, Callable], Inputs], tuple]  # the functions of the answer, inputs -> outputs
    products: int | None = None  # how many matrix products are enough, where that is the point


def task(function: str, arguments: str, outputs: str, expected: Callable, products: int | None = None, **drawn: Callable) -> Task:
    """``arguments`` reads "x (T,B,I), W (3H,I)": random normal arrays of these shapes, in float64, with sizes that are drawn too.

    What is in ``drawn`` is drawn by that function of rng and sizes instead.
    """

    def draw(rng: np.random.Generator) -> Inputs:
        sizes = dict(zip("TBIHV", rng.permutation(SIZES).tolist(), strict=True))
        return {
            name: drawn[name](rng, sizes) if name in drawn else 0.7 * rng.standard_normal(shape(dims, sizes))
            for name, dims in parsed(arguments)
        }

    return Task(function, names(arguments), names(outputs), draw, expected, products)


def value(function: str, arguments: str, outputs: str, expected: Callable, **more: Any) -> tuple[Task]:
    """A function whose values ``expected(*inputs)`` knows."""
    return (task(function, arguments, outputs, lambda answer, inputs: listed(expected(*inputs.values())), **more),)


def adjoint(function: str, arguments: str, outputs: str, twin: Callable, **drawn: Callable) -> tuple[Task]:
    """A backward: d(outputs) and inputs -> d(inputs), as autograd through ``twin`` says.  ``outputs`` with shapes."""
    return (backward(function, arguments, outputs, lambda answer, up, x: autograd(twin, up, x), **drawn),)


def derivation(arguments: str, outputs: str, twin: Callable) -> tuple[Task, Task]:
    """A forward as ``twin`` defines it, and a backward judged by the complex step through the student's own forward."""
    first = task("forward", arguments, outputs, lambda answer, inputs: listed(twin(*map(torch.as_tensor, inputs.values()))))
    return first, backward("backward", arguments, outputs, lambda answer, up, x: gradients(answer["forward"], up, x))


def backward(function: str, arguments: str, outputs: str, find: Callable, **drawn: Callable) -> Task:
    up = ", ".join(f"d{name} ({dims})" for name, dims in parsed(outputs))

    def expected(answer: Mapping[str, Callable], inputs: Inputs) -> Arrays:
        values, n = list(inputs.values()), len(parsed(outputs))
        return find(answer, values[:n], values[n:])

    return task(function, f"{up}, {arguments}", ", ".join(f"d{name}" for name in names(arguments)), expected, None, **drawn)


def autograd(twin: Callable, up: list[Array], inputs: list[Array]) -> Arrays:
    """d(inputs) of Σ up · twin(inputs), by torch"""
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    out = twin(*leaves)
    return listed(torch.autograd.grad(several(out), leaves, [torch.as_tensor(d) for d in up]))


def listed(out: object) -> Arrays:
    """One output or several, of either library, as a tuple of arrays."""
    return tuple(np.asarray(v.detach() if isinstance(v, torch.Tensor) else v) for v in several(out))


def parsed(text: str) -> list[tuple[str, str]]:
    """ "x (T,B,I), W (3H,I)"  ->  [("x", "T,B,I"), ("W", "3H,I")]"""
    return re.findall(r"(\w+) \(([^)]*)\)", text)


def names(text: str) -> tuple[str, ...]:
    """Without the shapes, where there are some"""
    return tuple(re.sub(r" \([^)]*\)", "", text).split(", "))


def shape(dims: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """ "T+1,3H"  ->  (5, 12), for T = 4 and H = 4"""
    lengths = []
    for dim in filter(None, dims.split(",")):
        m = re.fullmatch(r"(\d*)([A-Z]?)(?:\+(\d))?", dim.strip())
        assert m, dim
        lengths.append(int(m[1] or 1) * (sizes[m[2]] if m[2] else 1) + int(m[3] or 0))
    return tuple(lengths)
