"""Counts the matrix products of a call.  A 3-D ``@`` counts as one for each step, because NumPy makes that many GEMMs."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

OTHERS = {np.dot, np.einsum, np.tensordot, np.inner, np.vecdot}


def products(f: Callable, inputs: list[Any]) -> int:
    """How many products f makes of what is computed from its inputs."""
    counted = [0]

    class Counted(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *given, **options):
            result = getattr(ufunc, method)(*plain(given), **plain(options))
            if ufunc is np.matmul:
                counted[0] += math.prod(result.shape[:-2])
            return wrapped(result)

        def __array_function__(self, func, types, given, options):
            counted[0] += func in OTHERS
            return wrapped(func(*plain(given), **plain(options)))

        def dot(self, other, out=None):
            return np.dot(self, other, out)

    def plain(v):
        if isinstance(v, dict):
            return {k: plain(one) for k, one in v.items()}
        if isinstance(v, (tuple, list)):
            return type(v)(map(plain, v))
        return v.view(np.ndarray) if isinstance(v, Counted) else v

    def wrapped(v):
        return v.view(Counted) if isinstance(v, np.ndarray) else v

    f(*[wrapped(v.copy() if isinstance(v, np.ndarray) else v) for v in inputs])
    return counted[0]
