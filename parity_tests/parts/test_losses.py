"""What is particular to losses: torch.nn.functional itself, logits of 10,000, means over nothing, errors."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

import reference
from reference.parts import losses
from torch_impl.parts import losses as twins

from ..helpers import assert_close, assert_equal, draw, tensor

V = 4
TARGETS = np.array([0, 3, -100, 1, 2, -100, 3])


def both(ours, theirs, x, dloss, dtype="float64"):
    """(loss, dx) of a pair of reference's functions, and of torch's."""
    forward, backward = ours
    loss, k = forward(x)
    leaf = tensor(x).requires_grad_()
    expected = theirs(leaf)
    expected.backward(tensor(np.asarray(dloss, dtype)))
    return (loss, backward(dloss, k)), (expected, leaf.grad)


def assert_agree(actual, expected):
    for a, b in zip(actual, expected, strict=True):
        assert_close(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize(
    ("reduction", "weighted", "smoothing"), [*itertools.product(losses.REDUCTIONS, (False, True), (0.0, 0.3, 1.0))]
)
def test_cross_entropy_is_torchs(reduction, weighted, smoothing, scale, dtype):
    w = np.array([0.3, 2, 1.1, 0.7], dtype) if weighted else None
    x, dloss = (scale * draw(1, 7, V)).astype(dtype), draw(2, *((7,) if reduction == "none" else ()), dtype=dtype)
    options = {"reduction": reduction, "label_smoothing": smoothing}
    assert_agree(
        *both(
            (lambda z: losses.cross_entropy_forward(z, TARGETS, w, **options), losses.cross_entropy_backward),
            lambda z: functional.cross_entropy(z, tensor(TARGETS), None if w is None else tensor(w), **options),
            x,
            dloss,
            dtype,
        )
    )


@pytest.mark.parametrize("reduction", losses.REDUCTIONS)
def test_losses_of_numbers_are_torchs(reduction):
    shape = (5, 3)
    x, y, dloss = 2 * draw(1, *shape), draw(2, *shape), draw(3, *(shape if reduction == "none" else ()))
    for name, theirs in (("mse", functional.mse_loss), ("l1", functional.l1_loss), ("huber", functional.huber_loss)):
        ours = getattr(losses, f"{name}_forward"), getattr(losses, f"{name}_backward")
        assert_agree(
            *both(
                (lambda z, f=ours[0]: f(z, y, reduction), ours[1]),
                lambda z, f=theirs: f(z, tensor(y), reduction=reduction),
                x,
                dloss,
            )
        )
    assert_agree(
        *both(
            (lambda z: losses.huber_forward(z, y, reduction, 0.3), losses.huber_backward),
            lambda z: functional.huber_loss(z, tensor(y), reduction=reduction, delta=0.3),
            x,
            dloss,
        )
    )


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", losses.REDUCTIONS)
def test_binary_cross_entropy_is_torchs(reduction, weighted, scale):
    w = np.array([0.5, 3, 1.7]) if weighted else None
    x, y = scale * draw(1, 5, 3), np.random.default_rng(2).random((5, 3)).round(1)
    dloss = draw(3, *((5, 3) if reduction == "none" else ()))
    assert_agree(
        *both(
            (lambda z: losses.bce_forward(z, y, w, reduction), losses.bce_backward),
            lambda z: functional.binary_cross_entropy_with_logits(
                z, tensor(y), pos_weight=None if w is None else tensor(w), reduction=reduction
            ),
            x,
            dloss,
        )
    )


X, Y = draw(1, 5, 3), np.random.default_rng(2).random((5, 3))
SEQUENCES = draw(1, 5, 3, V), np.random.default_rng(2).integers(0, V, (5, 3)), reference.padding_mask(np.array([2, 5, 3]))
# What each loss is called with, and the options that it has by itself.
USUAL = {
    "cross_entropy": ((draw(1, 7, V), TARGETS), {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0}),
    "sequence": (SEQUENCES, {"reduction": "token", "label_smoothing": 0.0}),
    "mse": ((X, Y), {"reduction": "mean"}),
    "l1": ((X, Y), {"reduction": "mean"}),
    "huber": ((X, Y), {"reduction": "mean", "delta": 1.0}),
    "bce": ((X, Y), {"reduction": "mean"}),
    "quantile": ((draw(1, 5, 2), Y[:, 0], np.array([0.1, 0.8])), {"reduction": "mean"}),
}


@pytest.mark.parametrize("name", USUAL)
def test_what_is_not_said_is_as_in_torch_the_mean(name):
    given, options = USUAL[name]
    forward, twin = getattr(losses, f"{name}_forward"), getattr(twins, name)
    assert_equal(forward(*given)[0], forward(*given, **options)[0])
    assert_equal(twin(*map(tensor, given)), twin(*map(tensor, given), **options))
    assert_close(forward(*given)[0], twin(*map(tensor, given)))


def test_log_softmax_is_torchs():
    for scale in (1.0, 1e4):
        z = scale * draw(1, 5, 3, V)
        assert_close(losses.log_softmax(z), functional.log_softmax(tensor(z), -1))


@pytest.mark.parametrize("reduction", ["token", "sequence", "sum"])
def test_a_loss_of_sequences_has_the_dtype_of_the_logits(reduction):
    logits, targets, mask = SEQUENCES
    loss, k = losses.sequence_forward(logits.astype(np.float32), targets, mask, reduction)
    assert loss.dtype == losses.sequence_backward(np.float32(1), k).dtype == np.float32


def test_a_target_that_is_ignored_is_in_no_class_also_where_there_is_but_one():
    loss, k = losses.cross_entropy_forward(draw(1, 3, 1), np.array([0, -100, 0]))
    assert loss == 0 and (losses.cross_entropy_backward(1.0, k) == 0).all()


@pytest.mark.parametrize("reduction", ["token", "sequence"])
def test_a_masked_sequence_loss_is_that_of_the_sequences_alone(reduction):
    lengths = np.array([2, 5, 3])
    x, t = draw(1, 5, 3, V), np.random.default_rng(2).integers(0, V, (5, 3))
    alone = [functional.cross_entropy(tensor(x[:n, b]), tensor(t[:n, b]), reduction="sum").item() for b, n in enumerate(lengths)]
    expected = sum(alone) / 10 if reduction == "token" else np.mean(alone / lengths)
    loss, k = losses.sequence_forward(x, t, reference.padding_mask(lengths), reduction)
    assert_close(loss, np.float64(expected))
    dz = losses.sequence_backward(1.0, k)
    assert (dz[2:, 0] == 0).all() and (dz[3:, 2] == 0).all() and (dz[:2, 0] != 0).all()


def test_targets_of_padded_steps_may_be_anything():
    x, t, mask = draw(1, 5, 2, V), np.full((5, 2), 999), reference.padding_mask(np.array([2, 3]), 5)
    t[:3] = 1
    assert np.isfinite(losses.sequence_forward(x, t, mask)[0])
    with pytest.raises(IndexError, match="targets must be from 0 to below 4, got 999"):
        losses.sequence_forward(x, t, np.ones((5, 2), bool))


def test_logits_of_ten_thousand_give_exact_losses():
    """log p of the others is -2e4 exactly; nothing overflows, and warnings are errors here."""
    z = np.array([1e4, -1e4])
    assert losses.cross_entropy_forward(z, np.array(1))[0] == 2e4
    assert losses.cross_entropy_forward(z, np.array(0))[0] == 0
    assert losses.bce_forward(z, np.array([0.0, 1.0]), reduction="sum")[0] == 2e4
    assert losses.bce_forward(z, np.array([1.0, 0.0]), reduction="sum")[0] == 0


def test_small_probabilities_keep_their_digits():
    """The gradient of a confident, right logit is e⁻⁴⁰, not 1 - 1 = 0."""
    _, k = losses.bce_forward(np.array([40.0, -40.0]), np.array([1.0, 0.0]), reduction="sum")
    np.testing.assert_allclose(losses.bce_backward(1.0, k), [-math.exp(-40), math.exp(-40)], rtol=1e-15)


def test_cross_entropy_at_the_start_is_the_logarithm_of_the_classes():
    assert_close(losses.cross_entropy_forward(np.zeros((6, V)), np.arange(6) % V)[0], np.log(np.float64(V)))


def test_a_class_forbidden_by_minus_infinity_takes_no_part():
    z = np.array([[1.0, -np.inf, 2.0]])
    loss, k = losses.cross_entropy_forward(z, np.array([2]))
    expected, k_without = losses.cross_entropy_forward(z[:, [0, 2]], np.array([1]))
    assert_close(loss, expected)
    assert_close(losses.cross_entropy_backward(1.0, k), np.insert(losses.cross_entropy_backward(1.0, k_without), 1, 0, 1))


def test_a_mean_over_nothing_is_an_error_where_torch_gives_nan():
    z, ignored = draw(1, 3, V), np.full(3, -100)
    assert torch.isnan(functional.cross_entropy(tensor(z), tensor(ignored)))
    with pytest.raises(ValueError, match="targets must include one that is not ignored and has a weight above 0"):
        losses.cross_entropy_forward(z, ignored)
    with pytest.raises(ValueError, match="has a weight above 0, got none"):
        losses.cross_entropy_forward(z, np.ones(3, int), np.array([1.0, 0, 1, 1]))
    with pytest.raises(ValueError, match="there is nothing to take the mean of"):
        losses.cross_entropy_forward(z[:0], ignored[:0])
    with pytest.raises(ValueError, match="input must have an element, got none"):
        losses.mse_forward(z[:0], z[:0])
    mask = np.array([[True, False], [True, False]])
    with pytest.raises(ValueError, match="mask must keep a step of each sequence, got none"):
        losses.sequence_forward(draw(1, 2, 2, V), np.ones((2, 2), int), mask, "sequence")
    with pytest.raises(ValueError, match="mask must keep a step of a sequence, got none"):
        losses.sequence_forward(draw(1, 2, 2, V), np.ones((2, 2), int), mask & False)


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_a_sum_over_nothing_is_zero_as_in_torch(reduction):
    z, ignored = draw(1, 3, V), np.full(3, -100)
    loss, k = losses.cross_entropy_forward(z, ignored, reduction=reduction)
    assert_equal(loss, functional.cross_entropy(tensor(z), tensor(ignored), reduction=reduction))
    assert (losses.cross_entropy_backward(loss + 1, k) == 0).all()


@pytest.mark.parametrize("bad", [V, -1])
def test_a_target_out_of_range_is_torchs_error(bad):
    z, targets = draw(1, 3, V), np.array([0, bad, 1])
    with pytest.raises(IndexError):
        functional.cross_entropy(tensor(z), tensor(targets))
    with pytest.raises(IndexError, match=f"targets must be from 0 to below 4, got {bad}"):
        losses.cross_entropy_forward(z, targets)


def test_the_slope_of_a_quantiles_mean_loss_is_the_share_below_it_less_the_quantile():
    """F(x) - q, whatever the loss: counted, not computed.  So its least is the quantile of the sample."""
    y, q = draw(1, 200), np.array([0.1, 0.5, 0.85])
    for x in (np.array([-1.0, 0.2, 0.4]), np.quantile(y, q)):
        _, k = losses.quantile_forward(np.tile(x, (200, 1)), y, q, "sum")
        slope = losses.quantile_backward(1.0, k).sum(0) / 200
        np.testing.assert_allclose(slope, (y[:, None] < x).mean(0) - q, rtol=0, atol=1e-14)
    assert (abs(slope) <= 1 / 200).all()


def test_the_slope_where_a_quantile_is_met_is_zero_on_both_sides():
    x, y = np.array([[1.0, 2.0, 3.0]]), np.array([2.0])
    loss, k = losses.quantile_forward(x, y, [0.25, 0.5, 0.75], "sum")
    np.testing.assert_array_equal(losses.quantile_backward(1.0, k), [[-0.25, 0, 0.25]])
    leaf = tensor(x).requires_grad_()
    twins.quantile(leaf, tensor(y), tensor([0.25, 0.5, 0.75]), "sum").backward()
    assert_equal(leaf.grad, losses.quantile_backward(1.0, k))
    assert loss == 0.5


@pytest.mark.parametrize("bad", [[], [0.5, 0.5], [0.9, 0.1], [0.0, 0.5], [0.5, 1.0], 0.5, [0.1, float("nan")]], ids=str)
def test_quantiles_that_do_not_rise_between_0_and_1_are_refused(bad):
    with pytest.raises(ValueError, match="quantiles must rise from above 0 to below 1, got "):
        losses.quantile_forward(draw(1, 3, np.size(bad)), draw(2, 3), bad)


def test_other_errors_name_the_argument():
    z, t = draw(1, 3, V), np.array([0, 1, 2])
    with pytest.raises(RuntimeError, match=r"targets must have shape \(3,\), that of the logits without classes, got \(2,\)"):
        losses.cross_entropy_forward(z, t[:2])
    with pytest.raises(RuntimeError, match="targets must be whole numbers, got float64"):
        losses.cross_entropy_forward(z, t.astype(float))
    with pytest.raises(RuntimeError, match=r"weight must have shape \(4,\), got \(3,\)"):
        losses.cross_entropy_forward(z, t, np.ones(3))
    with pytest.raises(ValueError, match="reduction must be one of mean, sum, none, got 'average'"):
        losses.cross_entropy_forward(z, t, reduction="average")
    with pytest.raises(ValueError, match="label_smoothing must be a number from 0 to 1, got 2"):
        losses.cross_entropy_forward(z, t, label_smoothing=2)
    with pytest.raises(RuntimeError, match="mask must be boolean, got int64"):
        losses.sequence_forward(z[:, None], t[:, None], t[:, None])
    with pytest.raises(RuntimeError, match=r"targets must have shape \(3, 4\), got \(3, 1\)"):
        losses.mse_forward(z, z[:, :1])
    with pytest.raises(RuntimeError, match="targets must have dtype float64"):
        losses.l1_forward(z, z.astype(np.float32))
    with pytest.raises(ValueError, match="delta must be a number above 0, got 0"):
        losses.huber_forward(z, z, delta=0)
    with pytest.raises(RuntimeError, match=r"input must have 2 features on its last axis, got shape \(3, 4\)"):
        losses.quantile_forward(z, z[:, 0], [0.1, 0.5])
    with pytest.raises(RuntimeError, match=r"targets must have shape \(3,\), got \(3, 4\)"):
        losses.quantile_forward(z, z, [0.1, 0.5, 0.8, 0.9])
    with pytest.raises(ValueError, match="there is nothing to take the mean of"):
        losses.quantile_forward(z[:0], z[:0, 0], [0.1, 0.5, 0.8, 0.9])
    with pytest.raises(ValueError, match=r"targets must be from 0 to 1, got 0\.0 to 2\.0"):
        losses.bce_forward(z, np.full_like(z, 2) * (z == z.max()))
