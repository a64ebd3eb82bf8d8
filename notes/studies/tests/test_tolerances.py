"""The study behind the tolerance rule."""

import pytest

from parity_tests.judge.cases import KINDS

from ..tolerances import GAINS, ratios


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "gain"), [(k, g) for k in KINDS for g in GAINS if k != "rnn-relu" or g < 2]
)  # relu explodes at large gains
def test_the_rule_refuses_nothing_that_is_right(kind, gain):
    """The study of notes/tolerances.md: with four baselines no right implementation is refused."""
    assert max(ratio for _, ratio, _ in ratios(kind, gain, seeds=40)) < 1


def test_one_baseline_would_refuse_what_is_right():
    """Why there are four: the smallest study that shows it."""
    worst = list(ratios("rnn", 4.0, seeds=10))
    assert max(one for one, _, _ in worst) > 1 > max(four for _, four, _ in worst)
