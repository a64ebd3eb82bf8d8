"""The gradient of any analytic function, by the complex step: f(x + iε) = f(x) + iε f'(x) + O(ε²), with no subtraction."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from reference.common.arrays import Array

STEP = 1e-30
COMPLEX = "forward must also run on complex numbers, because its gradient is taken by the complex step: name no dtype in it"


class UnjudgedError(Exception):
    """Why an answer could not be judged, in one sentence."""


def gradients(f: Callable, up: list[Array], inputs: list[Array]) -> tuple[Array, ...]:
    """d(inputs) of Σ up · f(inputs)"""
    derivatives = []
    for k, x in enumerate(inputs):
        d = np.empty(np.shape(x))
        for at in np.ndindex(d.shape):
            moved = [np.array(v, complex) for v in inputs]
            moved[k][at] += 1j * STEP
            d[at] = sum(np.sum(u * v).imag for u, v in zip(up, outputs(f, moved), strict=True)) / STEP
        derivatives.append(d)
    return tuple(derivatives)


def several(out: Any) -> tuple:
    """What a function returned, as a tuple."""
    return tuple(out) if isinstance(out, (tuple, list)) else (out,)


def outputs(f: Callable, inputs: list[Array]) -> list[Array]:
    """What f returns for complex inputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            arrays = [np.asarray(v) for v in several(f(*inputs))]
        except Exception as error:
            raise UnjudgedError(COMPLEX) from error
    if not all(np.iscomplexobj(v) for v in arrays):
        raise UnjudgedError(COMPLEX)
    return arrays
