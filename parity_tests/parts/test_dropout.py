"""What is particular to dropout: the draw, the ends of p, the scale of torch.nn.functional, errors."""

import numpy as np
import pytest
import torch

from reference.parts import dropout

from ..helpers import assert_close, assert_equal, draw, tensor


def test_the_draw_keeps_with_probability_1_minus_p_and_is_the_generators():
    keep = dropout.draw(np.random.default_rng(0), (200, 200), 0.3)
    assert keep.dtype == bool
    assert abs(keep.mean() - 0.7) < 4 * np.sqrt(0.21 / keep.size)
    assert_equal(keep, np.random.default_rng(0).random((200, 200)) >= 0.3)


def test_a_draw_of_exactly_p_is_kept():
    """The draw is from [0, 1): of a p of 0 everything must be kept, also where 0 is drawn."""

    class Drawn(np.random.Generator):
        def random(self, shape):
            return np.array([0.0, 0.25, 0.5])

    drawn = Drawn(np.random.PCG64())
    assert_equal(dropout.draw(drawn, (3,), 0.25), np.array([False, True, True]))
    assert dropout.draw(drawn, (3,), 0.0).all()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_p_at_its_ends_keeps_everything_or_nothing(p):
    x, keep = draw(1, 4, 3), dropout.draw(np.random.default_rng(0), (4, 3), p)
    y, k = dropout.forward(x, keep, p)
    assert_equal(y, x * (1 - p))
    assert_equal(dropout.backward(x, k), x * (1 - p))


def test_with_torchs_mask_it_is_torchs_dropout():
    torch.manual_seed(0)
    x, dy = draw(1, 50, 4), draw(2, 50, 4)
    leaf = tensor(x).requires_grad_()
    theirs = torch.nn.functional.dropout(leaf, 0.4)
    theirs.backward(tensor(dy))
    y, k = dropout.forward(x, theirs.detach().numpy() != 0, 0.4)
    assert_close(y, theirs)
    assert_close(dropout.backward(dy, k), leaf.grad)


def test_errors_name_the_argument():
    x = draw(1, 4, 3)
    with pytest.raises(ValueError, match=r"p must be a number from 0 to 1, got 1\.5"):
        dropout.forward(x, x > 0, 1.5)
    with pytest.raises(ValueError, match=r"p must be a number from 0 to 1, got -0\.1"):
        dropout.draw(np.random.default_rng(0), (2,), -0.1)
    with pytest.raises(RuntimeError, match="keep must be boolean, got float64"):
        dropout.forward(x, x, 0.5)
    with pytest.raises(RuntimeError, match=r"keep must have shape \(4, 3\), got \(3,\)"):
        dropout.forward(x, x[0] > 0, 0.5)
