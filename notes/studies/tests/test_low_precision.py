"""The study behind T6."""

import pytest

from ..low_precision import LAYERS, NARROW, judged


@pytest.mark.slow
@pytest.mark.parametrize("dtype", NARROW)
def test_nothing_right_is_refused_and_nearly_every_layer_that_is_too_large_is(dtype):
    found = list(judged(dtype, range(LAYERS)))
    assert max(ratio for _, _, ratio, _, _ in found) <= 1
    assert len({number for number, *_, refused in found if refused}) >= 0.95 * LAYERS


def test_bfloat16_needs_a_limit_on_the_factor():
    """The smallest study that shows it: an LSTM, by all ways of PyTorch."""
    of_y = [(ratio, *refused) for _, tensor, ratio, *refused in judged("bfloat16", [2]) if tensor == "y"]
    assert len(of_y) >= 5
    assert all(ratio <= 1 and not without and refused for ratio, without, refused in of_y)
