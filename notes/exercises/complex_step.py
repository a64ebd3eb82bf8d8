"""The gradient of a student's own forward, by the complex step."""

import warnings
from collections.abc import Callable

import numpy as np

from parity_tests.judge.oracle import Tensors, complex_step
from reference.common.arrays import Array

COMPLEX = "forward must also run on complex numbers, because its gradient is taken by the complex step: name no dtype in it"


class UnjudgedError(Exception):
    """Why an answer could not be judged, in one sentence."""


def gradients(f: Callable, up: list[Array], inputs: list[Array]) -> tuple[Array, ...]:
    """d(inputs) of Σ up · f(inputs)"""

    def rise(moved: Tensors) -> float:
        out = outputs(f, [v.copy() for v in moved.values()])
        return sum(np.sum(u * v).imag for u, v in zip(up, out, strict=True))

    named = {str(k): np.asarray(x) for k, x in enumerate(inputs)}
    return tuple(complex_step(rise, named, list(named)).values())


def several(out: object) -> tuple:
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
