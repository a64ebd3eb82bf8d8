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
    y, state_n = _parts("forward must return y, states", layer.forward(put(data.x), state, lengths(case), **more), 2)
    tensors = {"y": get(y)} | _states("forward", "{}_n", state_n, case, get)
    if hasattr(layer, "backward"):
        made = layer.backward(put(data.dy), tuple(map(put, data.dstate)))
        dx, dstate, dweights = _parts("backward must return dx, dstates, {name: gradient}", made, 3)
        tensors |= {"dx": get(dx)} | ({} if dstate is None else _states("backward", "d{}_0", dstate, case, get))
        tensors |= {f"d{name}": get(v) for name, v in dweights.items()}
    return tensors


class ContractError(Exception):
    """A layer that does not return what the interface says."""


def _parts(rule: str, made, count: int):
    if not isinstance(made, (tuple, list)) or len(made) != count:
        given = f"{len(made)} values" if isinstance(made, (tuple, list)) else type(made).__name__
        raise ContractError(f"{rule}; it returned {given}")
    return made


def _states(verb: str, pattern: str, arrays, case: Case, get) -> Tensors:
    letters = "hc"[: len(case.spec.state_sizes)]
    if not isinstance(arrays, (tuple, list)) or len(arrays) != len(letters):
        raise ContractError(f"{verb} must return the states as a tuple of {len(letters)}, ({', '.join(letters)}"
                            f"{',' if len(letters) == 1 else ''}); it returned {type(arrays).__name__}")
    return {pattern.format(letter): get(v) for letter, v in zip(letters, arrays, strict=True)}


def lengths(case: Case) -> np.ndarray | None:
    return None if case.lengths is None else np.array(case.lengths)


def _same(v):
    return v


@lru_cache(maxsize=512)
def truth(case: Case) -> tuple[Tensors, list[Tensors]]:
    """(oracle, baselines) of a case: the definition in longdouble, and in the case's dtype (T2)."""
    data, rng = case.data(), np.random.default_rng(0)
    exact = transform(data, lambda v: v.astype(np.longdouble))
    return define(case, exact), [define(case, d) for d in (data, *(jitter(data, rng) for _ in range(JITTERED)))]


def define(case: Case, data: Data) -> Tensors:
    """Every output and gradient by the definition, in the dtype of the data."""
    return compute(BUILTIN["numpy"].load(case.spec, data.weights), case, data)
