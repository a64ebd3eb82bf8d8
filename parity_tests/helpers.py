"""What the test files share: how near is equal, twins with one set of weights, everything that a module computes."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, DTypeLike
from torch import nn

import reference

ROUNDINGS = 64
LAYERS = (reference.RNN, reference.LSTM, reference.GRU)
ENGINES = ("definition", "fast", "compiled")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
engine_of_layers = ENGINES[0]  # with which ``built`` makes them; the fixture ``engine`` of conftest.py goes through both

Tensors = dict[str, np.ndarray]
Values = ArrayLike | torch.Tensor


def assert_close(actual: Values, expected: Values, name: str = "") -> None:
    """The same shape, dtype, NaN and inf, and every number within 64 roundings of the largest that is expected.

    What is compared here is small: a few steps, layers and sequences, sums of a few dozen terms.  Two right answers
    then differ by the order of summation alone, some ten roundings; a wrong term differs by 1e10 of them in float64.
    """
    assert_same_kind(actual, expected, name)
    actual, expected = array(actual), array(expected)
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=1)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=ROUNDINGS * np.finfo(expected.dtype).eps * largest, err_msg=name)


def assert_equal(actual: Values, expected: Values, name: str = "") -> None:
    """The same shape, dtype and values: for what only moves numbers, or computes them twice."""
    assert_same_kind(actual, expected, name)
    np.testing.assert_array_equal(array(actual), array(expected), err_msg=name)


def assert_same_kind(actual: Values, expected: Values, name: str = "") -> None:
    actual, expected = array(actual), array(expected)
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype), name


def assert_all(check: Callable[..., None], actual: Mapping[str, Values], expected: Mapping[str, Values]) -> None:
    """``check`` on every tensor of two results, which have the same names."""
    assert list(actual) == list(expected)
    for name, value in expected.items():
        check(actual[name], value, name)


def array(value: Values) -> np.ndarray:
    """A tensor or an array as an array."""
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def tensor(value: ArrayLike) -> torch.Tensor:
    """A copy of an array as a tensor."""
    return torch.from_numpy(np.array(value))


def draw(seed: int, *shape: int, dtype: str = "float64") -> np.ndarray:
    """Standard normal numbers, the same for the same arguments."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def draw_state(seed: int, cell: str, *shape: int, proj_size: int = 0, dtype: str = "float64"):
    """A random state as a layer or cell of this name takes it: a pair of arrays for LSTM, where h may be narrower."""
    h = draw(seed, *shape[:-1], proj_size or shape[-1], dtype=dtype)
    return (h, draw(seed + 1, *shape, dtype=dtype)) if cell.startswith("LSTM") else h


def built(name: str, *args, dtype: DTypeLike = "float32", **kwargs):
    """The layer or cell ``name`` of reference; a layer with the engine whose turn it is, if that computes in this dtype"""
    if name in ("RNN", "LSTM", "GRU") and np.dtype(dtype) in (np.float32, np.float64):
        kwargs = {"engine": engine_of_layers} | kwargs
    return getattr(reference, name)(*args, dtype=dtype, **kwargs)


def twins(name: str, *args, seed: int = 0, dtype: str = "float64", **kwargs):
    """The class ``name`` of reference and of torch.nn, with the same random weights, both biases different."""
    rng = np.random.default_rng(seed)
    ours = built(name, *args, dtype=dtype, rng=rng, **kwargs)
    theirs = getattr(nn, name)(*args, dtype=getattr(torch, dtype), **kwargs)
    weights = {k: (0.6 * rng.standard_normal(v.shape)).astype(dtype) for k, v in ours.state_dict().items()}
    ours.load_state_dict(weights)
    theirs.load_state_dict({k: tensor(v) for k, v in weights.items()})
    return ours, theirs


def leaves(value: Any) -> list:
    """The arrays of a nest of tuples; of a PackedSequence, its data."""
    if hasattr(value, "batch_sizes"):
        return [value.data]
    return [leaf for v in value for leaf in leaves(v)] if isinstance(value, (tuple, list)) else [value]


def refill(value: Any, new: list) -> Any:
    """A nest like ``value`` with the arrays of ``new``, which is used up, in it; for a PackedSequence, an array."""
    if isinstance(value, (tuple, list)) and not hasattr(value, "batch_sizes"):
        return tuple(refill(v, new) for v in value)
    return new.pop(0)


def results(module: Any, x: Any, state: Any = None, seed: int = 0) -> Tensors:
    """Every output and gradient of a layer or cell of either library, by name; random gradients come from upstream.

    x and state are arrays, x may also be a PackedSequence of arrays.  Without a state there is no gradient with respect to it.
    """
    compute = _torch_results if isinstance(module, nn.Module) else _reference_results
    outputs, gradients, weights = compute(module, x, state, np.random.default_rng(seed))
    named = {f"output {k}": v for k, v in enumerate(outputs)} | {f"d(input {k})": v for k, v in enumerate(gradients)}
    return {k: array(v) for k, v in (named | {f"d{k}": v for k, v in weights.items()}).items()}


def _upstream(outputs, rng):
    return [rng.standard_normal(tuple(v.shape)).astype(array(v).dtype) for v in outputs]


def _reference_results(module, x, state, rng):
    out = module(x, state)
    upstream = refill(out, _upstream(leaves(out), rng))
    dx, dstate = module.backward(*upstream) if isinstance(module, LAYERS) else module.backward(upstream)
    return leaves(out), [*leaves(dx), *(leaves(dstate) if state is not None else [])], module.grads


def _torch_results(module, x, state, rng):
    inputs = [tensor(v).requires_grad_() for v in leaves(x) + (leaves(state) if state is not None else [])]
    first: Any = inputs[0]
    if hasattr(x, "batch_sizes"):
        first = nn.utils.rnn.PackedSequence(first, *(None if v is None else torch.as_tensor(v) for v in x[1:]))
    out = leaves(module(first, None if state is None else refill(state, inputs[1:])))
    weights = dict(module.named_parameters())
    grads = torch.autograd.grad(out, [*inputs, *weights.values()], [torch.from_numpy(d) for d in _upstream(out, rng)])
    return out, grads[: len(inputs)], dict(zip(weights, grads[len(inputs) :], strict=True))
