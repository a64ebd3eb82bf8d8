"""The study behind the tolerance rule."""

import numpy as np
import pytest

from parity_tests.judge.cases import KINDS

from ..tolerances import GAINS, LAYERS, WRONG, by_libm, ratios


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "gain"), [(k, g) for k in KINDS for g in GAINS if k != "rnn-relu" or g < 2]
)  # relu explodes at large gains
def test_the_rule_refuses_nothing_that_is_right(kind, gain):
    """The study of notes/judge/tolerances.md: with four baselines no right implementation is refused."""
    assert max(ratio for _, ratio, _ in ratios(kind, gain, seeds=40)) < 1


def test_one_baseline_would_refuse_what_is_right():
    """Why there are four: the smallest study that shows it."""
    worst = list(ratios("rnn", 4.0, seeds=10))
    assert max(one for one, _, _ in worst) > 1 > max(four for _, four, _ in worst)


@pytest.mark.slow
@pytest.mark.parametrize("gain", GAINS)
def test_no_libm_of_up_to_four_ulp_is_refused_and_what_is_wrong_still_is(gain):
    """The other study: each layer with 18 right libraries, and errors of 32 eps."""
    found: dict[str, list] = {}
    for what, judged in by_libm(gain, range(LAYERS)):
        found.setdefault(what, []).append(judged)
    for what, layers in found.items():
        if what not in WRONG:
            assert np.concatenate(layers)[:, 1].max() <= 1, what
            continue
        without, refused = np.sum([(judged > 1).any(0) for judged in layers], axis=0)
        assert refused >= 0.9 * without, what


def test_without_t5_a_library_of_four_ulp_is_refused():
    """Why there is T5: the smallest study that shows it."""
    right = np.concatenate([judged for what, judged in by_libm(4.0, range(6)) if what not in WRONG])
    assert right[:, 0].max() > 1 >= right[:, 1].max()


def test_a_function_that_is_wrong_by_32_eps_is_refused():
    wrong = {what: judged for what, judged in by_libm(0.3, [2]) if what in WRONG}
    assert all((judged[:, 1] > 1).any() for judged in wrong.values()) and set(wrong) == set(WRONG)
