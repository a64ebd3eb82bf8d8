"""Clipping is torch.nn.utils', for every norm, in place, with the same answers to inf and NaN."""

import numpy as np
import pytest
import torch

import torch_impl.training.clip
from reference.training import clip

from ..helpers import assert_close, assert_equal, draw, tensor

NORMS = [0.5, 1.0, 1.7, 2.0, 3.0, float("inf")]
SHAPES = {"a": (7, 3), "b": (5,), "c": (2, 2)}


def gradients(scale=1.0, dtype="float64"):
    return {name: (scale * 4.0**k * draw(k, *shape)).astype(dtype) for k, (name, shape) in enumerate(SHAPES.items())}


def holders(grads):
    params = {k: torch.nn.Parameter(torch.zeros(v.shape, dtype=tensor(v).dtype)) for k, v in grads.items()}
    for k, p in params.items():
        p.grad = tensor(grads[k])
    return params


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("max_norm", [0.0, 0.3, 5.0, 1e6])
@pytest.mark.parametrize("norm_type", NORMS)
def test_by_norm(norm_type, max_norm, dtype):
    ours = gradients(dtype=dtype)
    theirs = holders(ours)
    total = clip.clip_grad_norm(ours, max_norm, norm_type)
    expected = torch_impl.training.clip.clip_grad_norm(theirs, max_norm, norm_type)
    assert_close(np.array(total, dtype), np.array(expected, dtype))
    for k, g in ours.items():
        assert_close(g, theirs[k].grad, k)
    if max_norm == 1e6:
        assert all((g == gradients(dtype=dtype)[k]).all() for k, g in ours.items())
    elif max_norm > 0:
        assert clip.global_norm(ours, norm_type) == pytest.approx(max_norm, rel=1e-5)


@pytest.mark.parametrize("clip_value", [0.0, 0.7, 1e6])
def test_by_value(clip_value):
    ours = gradients()
    theirs = holders(ours)
    clip.clip_grad_value(ours, clip_value)
    torch_impl.training.clip.clip_grad_value(theirs, clip_value)
    for k, g in ours.items():
        assert_equal(g, theirs[k].grad, k)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("norm_type", [2.0, float("inf")])
def test_what_is_not_finite_spreads_as_in_torch_or_raises(bad, norm_type):
    ours = gradients()
    ours["b"][2] = bad
    before, theirs = {k: g.copy() for k, g in ours.items()}, holders(ours)
    with pytest.raises(RuntimeError, match=r"the norm of the gradients is (inf|nan)"):
        clip.clip_grad_norm(ours, 1.0, norm_type, error_if_nonfinite=True)
    assert_equal(ours["b"], before["b"])
    with pytest.raises(RuntimeError, match="non-finite"):
        torch_impl.training.clip.clip_grad_norm(theirs, 1.0, norm_type, error_if_nonfinite=True)
    total = clip.clip_grad_norm(ours, 1.0, norm_type)
    np.testing.assert_array_equal(total, torch_impl.training.clip.clip_grad_norm(theirs, 1.0, norm_type))
    for k, g in ours.items():
        np.testing.assert_array_equal(g, theirs[k].grad.numpy(), k)


def test_nothing_to_clip_has_norm_zero():
    assert clip.clip_grad_norm({}, 1.0) == 0 == torch_impl.training.clip.clip_grad_norm({}, 1.0)
    assert clip.clip_grad_norm({"a": np.zeros((0, 3))}, 1.0) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: clip.clip_grad_norm(g, -1.0), "max_norm must be 0 or more, got -1.0"),
        (lambda g: clip.clip_grad_norm(g, float("nan")), "max_norm must be 0 or more, got nan"),
        (lambda g: clip.clip_grad_norm(g, 1.0, 0.0), "norm_type must be a number above 0, got 0.0"),
        (lambda g: clip.clip_grad_norm(g, "1"), "max_norm must be 0 or more, got '1'"),
        (lambda g: clip.clip_grad_value(g, -1.0), "clip_value must be 0 or more, got -1.0"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(gradients())
