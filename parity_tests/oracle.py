"""What is right, and how well it can be had: the definition in longdouble, and in the candidate's own dtype."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from .cases import Case, Data
from .implementations import BUILTIN

Tensors = dict[str, np.ndarray]
JITTERED = 3


def transform(data: Data, change: Callable[[np.ndarray], np.ndarray]) -> Data:
    """The data with every real array changed; masks stay as they are."""
    def each(v):
        return None if v is None else tuple(map(change, v))

    return Data({k: change(v) for k, v in data.weights.items()}, change(data.x), each(data.state), change(data.dy),
                each(data.dstate), data.masks)


def jitter(data: Data, rng: np.random.Generator) -> Data:
    """The data with every value moved up or down by one rounding."""
    return transform(data, lambda v: (v * (1 + np.finfo(v.dtype).eps * rng.choice([-1, 1], v.shape))).astype(v.dtype))


def compute(layer, case: Case, data: Data) -> Tensors:
    """Run a layer forward and, if it can, backward: every output and gradient by name."""
    put, get = getattr(layer, "put", _same), getattr(layer, "get", np.asarray)
    more = {} if data.masks is None else {"masks": [put(m) for m in data.masks]}
    state = None if data.state is None else tuple(map(put, data.state))
    y, state_n = layer.forward(put(data.x), state, lengths(case), **more)
    tensors = {"y": get(y)} | _named("{}_n", state_n, get)
    if hasattr(layer, "backward"):
        dx, dstate, dweights = layer.backward(put(data.dy), tuple(map(put, data.dstate)))
        tensors |= {"dx": get(dx)} | ({} if dstate is None else _named("d{}_0", dstate, get))
        tensors |= {f"d{name}": get(v) for name, v in dweights.items()}
    return tensors


def lengths(case: Case) -> np.ndarray | None:
    return None if case.lengths is None else np.array(case.lengths)


def _same(v):
    return v


def _named(pattern: str, arrays, get) -> Tensors:
    return {pattern.format(letter): get(v) for letter, v in zip("hc", arrays, strict=False)}


@lru_cache(maxsize=512)
def truth(case: Case) -> tuple[Tensors, list[Tensors]]:
    """(oracle, baselines) of a case: the definition in longdouble, and in the case's dtype (T2)."""
    data, rng = case.data(), np.random.default_rng(0)
    exact = transform(data, lambda v: v.astype(np.longdouble))
    return define(case, exact), [define(case, d) for d in (data, *(jitter(data, rng) for _ in range(JITTERED)))]


def define(case: Case, data: Data) -> Tensors:
    """Every output and gradient by the definition, in the dtype of the data."""
    return compute(BUILTIN["numpy"].load(case.spec, data.weights), case, data)
