"""What is right, and how well it can be had: whatever computes named tensors from arrays, run in longdouble and in its dtype.

A layer on a named case is one such thing (``truth``), the rooms of this project are others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from typing import Any, TypeVar

import numpy as np
import torch

from .arithmetic import PRECISIONS, in_force, jittered, libm, rounded
from .cases import Case, Data
from .implementations import BUILTIN
from .tolerance import LIBM_ULP

Tensors = dict[str, np.ndarray]
Nest = TypeVar("Nest")  # arrays in dicts, tuples and lists
JITTERED = 3
NARROW = 8  # baselines in narrow precisions
LIBMS = (None, *range(7))  # seeds of elementary functions' errors; None: all to one side.  Each is taken with both signs


@dataclass(frozen=True)
class Truth:
    """What a candidate is judged by.  It unpacks as oracle, baselines."""

    oracle: Tensors  # computed in longdouble
    baselines: list[Tensors]  # computed in the candidate's dtype, the first from the data as it is
    moved: Callable[[], list[Tensors]] = list  # so, by elementary functions as wrong as a library's may be: when asked for

    def __iter__(self) -> Iterator[Any]:
        return iter((self.oracle, self.baselines))


def truth_of(compute: Callable[[Nest], Tensors], data: Nest, jittered: int = JITTERED, given: Nest | None = None) -> Truth:
    """A computation in longdouble; in the data's own dtype; and in that on the data moved by a rounding, several times (T2),
    and, when asked for, with tanh and sigmoid moved, if they are those of ``reference`` (T5).

    ``given`` is what the first is computed on, if the data are that in another precision.
    """
    rng = np.random.default_rng(0)
    moved = [jitter(data, rng) for _ in range(jittered)]
    oracle = compute(transform(data if given is None else given, lambda v: v.astype(np.longdouble)))
    return Truth(oracle, [compute(d) for d in (data, *moved)], cache(lambda: by_libms(compute, data)))


def by_libms(compute: Callable[[Nest], Tensors], data: Nest) -> list[Tensors]:
    """The computation with functions that are as wrong as they may be, one way and the other."""
    return [by_libm(compute, data, ulp, seed) for ulp in (-LIBM_ULP, LIBM_ULP) for seed in LIBMS]


def by_libm(compute: Callable[[Nest], Tensors], data: Nest, ulp: float, seed: int | None) -> Tensors:
    """The computation where the definition's elementary functions are wrong by so much."""
    with libm(ulp, seed):
        return compute(data)


def transform(data: Nest, change: Callable[[np.ndarray], object]) -> Nest:
    """A nest like ``data`` with every real array changed; masks, whole numbers and None stay as they are."""
    return _each(data, lambda v: change(v) if is_real(v) else v)


def _each(data: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(data, dict):
        return {k: _each(v, change) for k, v in data.items()}
    if isinstance(data, (tuple, list)):
        values = (_each(v, change) for v in data)
        return type(data)(*values) if hasattr(data, "_fields") else type(data)(values)
    return change(data)


def is_real(v: object) -> bool:
    return np.asarray(v).dtype.kind == "f"


def jitter(data: Nest, rng: np.random.Generator) -> Nest:
    """The data with every real number moved up or down by one rounding."""
    return transform(data, lambda v: (v * (1 + np.finfo(v.dtype).eps * rng.choice([-1, 1], v.shape))).astype(v.dtype))


def complex_step(rise: Callable[[Tensors], float], inputs: Tensors, wanted: list[str], h: float = 1e-30) -> Tensors:
    """The gradient with respect to each wanted input, element by element: ``rise`` over h, Im ℓ(v + ih) / h.

    L(v + ih) = L(v) + ih L'(v) + O(h²), so there is no cancellation and no step size to tune.
    Source: Squire & Trapp, "Using complex variables to estimate derivatives of real functions", 1998.
    """
    inputs = inputs | {k: inputs[k].astype(complex) for k in wanted}
    gradients = {k: np.empty(inputs[k].shape) for k in wanted}
    for name, gradient in gradients.items():
        for at in np.ndindex(gradient.shape):
            inputs[name][at] += 1j * h
            gradient[at] = rise(inputs) / h
            inputs[name][at] -= 1j * h
    return gradients


def truth(case: Case, precision: str = "") -> Truth:
    """Of a named case: the definition in longdouble, and in the case's dtype or another precision."""
    return truth_in(case, precision or case.spec.dtype)


@lru_cache(maxsize=2048)
def truth_in(case: Case, precision: str) -> Truth:
    return truth_on(case, case.data(), precision)


def truth_on(case: Case, given: Data, precision: str = "") -> Truth:
    """Likewise on other data than a case's own.

    Where the precision is one that NumPy does not compute in, the baselines are PyTorch's loop with the input product hoisted.
    """
    precision, rng = precision or case.spec.dtype, np.random.default_rng(0)
    data = transform(given, lambda v: rounded(v, precision))
    if not PRECISIONS[precision].narrow:
        return truth_of(partial(define, case), data, given=given)
    moved = (transform(data, lambda v: jittered(v, precision, rng)) for _ in range(NARROW - 1))
    oracle = define(case, transform(given, lambda v: v.astype(np.longdouble)))
    return Truth(oracle, [by_torch(case, d, precision) for d in (data, *moved)])


def by_torch(case: Case, data: Data, precision: str) -> Tensors:
    """PyTorch's hoisted loop in a precision, that of TF32 on the GPU, as there is no other.  LookupError: there is none.

    Where no state is given it gets one of zeros, so that there is a gradient of it as well, for candidates that return one.
    """
    data = data if data.state is not None else data._replace(state=tuple(map(np.zeros_like, data.dstate)))
    device = "cuda" if precision == "tf32" else case.spec.device
    if precision == "tf32" and not torch.cuda.is_available():
        raise LookupError("what computes in TF32 can be judged only where torch sees a CUDA device")
    spec = replace(case.spec, dtype=PRECISIONS[precision].dtype, device=device)
    with in_force(precision), torch.enable_grad():
        return compute(BUILTIN["torch.hoisted"].load(spec, data.weights), case, data)


def define(case: Case, data: Data) -> Tensors:
    """Every output and gradient by the definition, in the dtype of the data."""
    return compute(BUILTIN["numpy"].load(case.spec, data.weights), case, data)


def compute(layer: Any, case: Case, data: Data) -> Tensors:
    """Run a layer forward and, if it can, backward: every output and gradient by name.

    ContractError: it does not return what the interface says.
    """
    return forward(layer, case, data) | (backward(layer, case, data) if hasattr(layer, "backward") else {})


def forward(layer: Any, case: Case, data: Data, verb: str = "forward") -> Tensors:
    """y and the final states; ``verb`` may be "infer".  ContractError: it returns something else."""
    put, get = border(layer)
    masks = {} if data.masks is None or not case.spec.masks else {"masks": [put(m) for m in data.masks]}
    state = None if data.state is None else tuple(map(put, data.state))
    returned = getattr(layer, verb)(put(data.x), state, data.lengths, **masks)
    y, state_n = _values(f"{verb} must return y, states", returned, 2)
    return _read(verb, {"y": y} | _states(verb, "{}_n", state_n, case), get)


def backward(layer: Any, case: Case, data: Data) -> Tensors:
    """Every gradient, of the last forward.  ContractError: it returns something else."""
    put, get = border(layer)
    returned = layer.backward(put(data.dy), tuple(map(put, data.dstate)))
    dx, dstate, dweights = _values("backward must return dx, dstates, {name: gradient}", returned, 3)
    states = {} if dstate is None else _states("backward", "d{}_0", dstate, case)
    return _read("backward", {"dx": dx} | states | {f"d{name}": v for name, v in dweights.items()}, get)


def border(layer: Any) -> tuple[Callable[[Any], Any], Callable[[Any], np.ndarray]]:
    """How arrays become a layer's own, and back."""
    return getattr(layer, "put", lambda v: v), getattr(layer, "get", np.asarray)


class ContractError(Exception):
    """A layer that does not return what the interface says."""


def _values(rule: str, returned: object, count: int) -> tuple:
    if not isinstance(returned, (tuple, list)) or len(returned) != count:
        what = f"{len(returned)} values" if isinstance(returned, (tuple, list)) else type(returned).__name__
        raise ContractError(f"{rule}; it returned {what}")
    return tuple(returned)


def _states(verb: str, pattern: str, arrays: object, case: Case) -> dict[str, Any]:
    letters = "hc"[: len(case.spec.state_sizes)]
    wanted = "a tuple of 1, (h,)" if letters == "h" else "a tuple of 2, (h, c)"
    if not isinstance(arrays, (tuple, list)):
        raise ContractError(f"{verb} must return the states as {wanted}; it returned {type(arrays).__name__}")
    if len(arrays) != len(letters):
        raise ContractError(f"{verb} must return the states as {wanted}; it returned a {type(arrays).__name__} of {len(arrays)}")
    return {pattern.format(letter): v for letter, v in zip(letters, arrays, strict=True)}


def _read(verb: str, returned: dict[str, Any], get: Callable[[Any], np.ndarray]) -> Tensors:
    arrays = {name: get(v) for name, v in returned.items()}
    for name, v in arrays.items():
        if np.asarray(v).dtype.kind == "O":
            raise ContractError(f"{verb} must return arrays of numbers; its {name} is of type {type(returned[name]).__name__}")
    return arrays
