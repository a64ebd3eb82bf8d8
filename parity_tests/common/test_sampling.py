"""What is particular to sampling: frequencies, the ends of each option, both sides alike, beams against all sequences."""

import itertools

import numpy as np
import pytest
import torch

from reference.common import sampling
from reference.parts.losses import log_softmax
from torch_impl.common import sampling as torch_sampling

from ..helpers import assert_close, assert_equal, draw, tensor

V = 6


@pytest.mark.parametrize("options", [{}, {"temperature": 0.5}, {"temperature": 3}, {"top_k": 2}, {"top_p": 0.7}], ids=str)
def test_tokens_come_as_often_as_they_are_likely(options):
    z, n = 1.5 * draw(1, V), 40_000
    p = np.exp(sampling.log_probabilities(z, **options))
    tokens = sampling.sample(np.broadcast_to(z, (n, V)), np.random.default_rng(0), **options)
    frequency = np.bincount(tokens, minlength=V) / n
    assert (np.abs(frequency - p) <= 4.5 * np.sqrt(p * (1 - p) / n)).all()
    assert (frequency[p == 0] == 0).all()


def test_temperature_0_is_argmax_and_draws_nothing():
    z, rng = draw(1, 50, V), np.random.default_rng(0)
    assert_equal(sampling.sample(z, rng, 0), z.argmax(-1))
    assert_equal(sampling.sample(z, rng, 0.0, top_k=3, top_p=0.5), sampling.greedy(z))
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("temperature", [0, 1e-300, 1e-4])
def test_of_equal_logits_the_lower_token_wins(temperature):
    z = np.array([[1.0, 3, 2, 3 - 1e-9 * (temperature > 0)], [5, 4, 4, 4]])
    if temperature:
        z[0, 3] = 2.5
    assert sampling.sample(z, np.random.default_rng(0), temperature).tolist() == [1, 0]


def test_large_logits_and_small_temperatures_do_not_overflow():
    z = np.array([1e4, -1e4, 9_999.0])
    assert_close(np.exp(sampling.log_probabilities(z)), np.array([1, 0, np.exp(-1)]) / (1 + np.exp(-1)))
    for temperature in (1e-4, 1e-306, 5e-324):
        assert_close(np.exp(sampling.log_probabilities(z, temperature)), np.array([1.0, 0, 0]))


def test_top_k_of_all_and_top_p_of_1_change_nothing():
    z = draw(1, 20, V)
    assert_equal(sampling.log_probabilities(z, top_k=V), sampling.log_probabilities(z, top_k=99))
    for options in ({"top_k": V}, {"top_p": 1.0}):
        assert_close(sampling.log_probabilities(z, **options), sampling.log_probabilities(z))


def test_top_k_of_equal_logits_keeps_k():
    assert_close(np.exp(sampling.log_probabilities(np.zeros(V), top_k=2)), np.array([0.5, 0.5, 0, 0, 0, 0]))


def test_the_nucleus_is_the_smallest_set_that_holds_top_p():
    p = np.array([0.05, 0.5, 0.15, 0.3])
    kept = {
        q: np.flatnonzero(np.isfinite(sampling.log_probabilities(np.log(p), top_p=q))).tolist()
        for q in (1e-9, 0.4, 0.6, 0.79, 0.9, 1.0)
    }
    assert kept == {1e-9: [1], 0.4: [1], 0.6: [1, 3], 0.79: [1, 3], 0.9: [1, 2, 3], 1.0: [0, 1, 2, 3]}


def test_probabilities_that_do_not_sum_to_1_are_taken_as_they_are():
    """The last token is reached, never passed: the largest u there is draws a token that has a probability."""
    p, u = np.array([0.1] * 10 + [0.0], np.float32), np.float32(1) - np.finfo(np.float32).epsneg
    assert sampling.choose(p, np.asarray(u)) == 9
    assert sampling.choose(p[::-1].copy(), np.asarray(np.float32(0))) == 1


def test_a_forbidden_token_is_never_drawn():
    z = draw(1, 2000, V)
    z[:, 2] = -np.inf
    assert 2 not in sampling.sample(z, np.random.default_rng(0), 5.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_both_sides_draw_alike(dtype):
    z = tensor(draw(1, 300, V)).to(dtype)
    options = {"temperature": 0.8, "top_k": 4, "top_p": 0.95}
    theirs = torch_sampling.sample(z, np.random.default_rng(0), **options)
    assert_equal(theirs, sampling.sample(z.float().numpy(), np.random.default_rng(0), **options))
    assert_equal(torch_sampling.greedy(z), sampling.greedy(z.float().numpy()))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"temperature": -0.5}, r"temperature must be a number, at least 0, got -0\.5"),
        ({"temperature": float("nan")}, "temperature must be a number, at least 0, got nan"),
        ({"top_k": 0}, "top_k must be greater than zero, got 0"),
        ({"top_k": -1, "temperature": 0}, "top_k must be greater than zero, got -1"),
        ({"top_p": 0}, "top_p must be a number above 0, at most 1, got 0"),
        ({"top_p": 1.5}, r"top_p must be a number above 0, at most 1, got 1\.5"),
    ],
)
def test_options_out_of_range(options, says):
    with pytest.raises(ValueError, match=says):
        sampling.sample(draw(1, V), np.random.default_rng(0), **options)


@pytest.mark.parametrize(
    ("z", "says"),
    [
        ([1.0, np.nan], "finite largest value in each row, got nan"),
        ([-np.inf, -np.inf], "largest value in each row, got -inf"),
        ([1.0, np.inf], "got inf"),
        ([], r"must have a token on the last axis, got shape \(0,\)"),
    ],
)
def test_logits_that_leave_nothing_to_choose(z, says):
    with pytest.raises(ValueError, match=says):
        sampling.sample(np.array(z), np.random.default_rng(0))


class Chain:
    """A model whose next token depends on all that were said: the state is a hash of them, the logits a function of it."""

    end = 0

    def __init__(self, vocabulary=4, seed=0):
        self.table = 1.5 * draw(seed, 97, vocabulary)

    def step(self, tokens, state):
        state = (state * 31 + tokens + 1) % 97
        return self.table[state], state

    def select(self, state, rows):
        return state[rows]

    def search(self, width, max_length, power=0.0):
        return sampling.beam_search(self.step, self.select, np.array([5]), 1, self.end, width, max_length, power)

    def log_p(self, tokens):
        total, state, last = 0.0, np.array([5]), 1
        for token in tokens:
            logits, state = self.step(np.array([last]), state)
            total, last = total + log_softmax(logits)[0, token], token
        return total

    def ended(self, max_length):
        """Every sequence that ends in time."""
        words = range(1, self.table.shape[1])
        return [(*w, self.end) for n in range(max_length) for w in itertools.product(words, repeat=n)]


@pytest.mark.parametrize("power", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_wide_enough_beam_finds_the_best_of_all_sequences(seed, power):
    chain, length = Chain(seed=seed), 4
    everything = sorted(((chain.log_p(s) / len(s) ** power, s) for s in chain.ended(length)), reverse=True)
    hypotheses = chain.search(100, length, power)
    assert [h.tokens for h in hypotheses if h.ended] == [s for _, s in everything]
    for h, (score, s) in zip(hypotheses, everything, strict=False):
        assert_close(np.float64(h.score), np.float64(score))
        assert_close(np.float64(h.log_p), np.float64(chain.log_p(s)))


@pytest.mark.parametrize("power", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_stopping_early_loses_nothing(seed, power):
    """The search stops when no living hypothesis can get into the list; a longer limit must find as good a list."""
    chain = Chain(seed=seed)
    short, long = chain.search(3, 30, power), chain.search(3, 31, power)
    assert [h.score for h in short] == sorted((h.score for h in short), reverse=True)
    if all(h.ended for h in short):
        assert all(b.score >= a.score for a, b in zip(short, long, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_is_greedy(seed):
    chain, state, tokens = Chain(seed=seed), np.array([5]), [1]
    while len(tokens) <= 12 and (len(tokens) == 1 or tokens[-1] != chain.end):
        logits, state = chain.step(np.array(tokens[-1:]), state)
        tokens.append(int(sampling.greedy(logits)[0]))
    (best,) = chain.search(1, 12)
    assert best.tokens == tuple(tokens[1:])
    assert best.ended == (tokens[-1] == chain.end)


def test_a_sequence_cut_off_comes_after_those_that_ended():
    chain = Chain(seed=1)
    chain.table[:, chain.end] = -20.0
    hypotheses = chain.search(3, 4)
    assert [h.ended for h in hypotheses] == [False] * 3
    assert all(len(h.tokens) == 4 for h in hypotheses)
    chain.table[:, chain.end] = -3.0
    ended = [h.ended for h in chain.search(20, 2)]
    assert ended == sorted(ended, reverse=True) and True in ended and False in ended


def test_a_model_that_can_only_end():
    chain = Chain()
    chain.table[:, 1:] = -np.inf
    assert chain.search(4, 9) == [sampling.Hypothesis((0,), 0.0, 0.0, True)]


def test_length_normalisation_prefers_longer_sequences():
    mean = [np.mean([len(Chain(seed=s).search(5, 20, power)[0].tokens) for s in range(30)]) for power in (0.0, 1.0)]
    assert mean[1] > mean[0]


def test_beams_are_the_same_on_both_sides():
    chain, table = Chain(seed=3), tensor(Chain(seed=3).table)

    def step(tokens, state):
        state = (state * 31 + tokens + 1) % 97
        return table[state], state

    theirs = torch_sampling.beam_search(step, lambda s, rows: s[rows], torch.tensor([5]), 1, 0, 4, 8, 0.7)
    assert theirs == chain.search(4, 8, 0.7)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"width": 0}, "width must be greater than zero, got 0"),
        ({"width": -1}, "width must be greater than zero, got -1"),
        ({"max_length": 0}, "max_length must be greater than zero, got 0"),
        ({"power": -1}, "length_power must be a number, at least 0, got -1"),
    ],
)
def test_a_beam_out_of_range(change, says):
    with pytest.raises(ValueError, match=says):
        Chain().search(**{"width": 2, "max_length": 3} | change)
