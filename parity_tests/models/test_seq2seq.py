"""Encoder and decoder: every way of feeding agrees with torch, the two forward paths with each other; decoding; errors."""

from itertools import product

import numpy as np
import pytest
import torch

import reference
from reference.common import batches, teacher_forcing
from reference.parts.losses import log_softmax

from ..helpers import assert_all, assert_close, assert_equal
from .cases import CELLS, gradients, pair, sequences

S, V, E, H = 9, 8, 4, 6
SOURCES, TARGETS = sequences(0, 3, S), sequences(1, 3, V, (3, 5, 0, 2, 3))
BATCH = batches.translated(SOURCES, TARGETS, 1, 2)
KINDS = ("additive", "dot", "general", "scaled", None)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_fast_engine_and_torch_from_one_seed(cell, kind):
    """Weights, masks, coins and drawn tokens come from one generator; loss and gradients agree."""
    for ratio, feedback in ((1.0, "argmax"), (0.5, "sample"), (0.0, "expected")):
        options = {"num_layers": 2, "dropout": 0.3, "cell": cell, "attention": kind, "feedback": feedback}
        models = [*pair("seq2seq", S, V, E, H, **options), pair("seq2seq", S, V, E, H, engine="fast", **options)[0]]
        for m in models:
            m.teacher_forcing = ratio
        ours, theirs, fast = (gradients(m, BATCH) for m in models)
        assert_all(assert_close, fast, ours)
        assert_all(assert_close, theirs, ours)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_step_by_step_is_all_at_once_where_every_coin_is_heads(cell, kind):
    model, _ = pair("seq2seq", S, V, E, H, cell=cell, attention=kind, num_layers=2)
    heads = np.ones((6, 5), bool)
    memory, s, _ = model._encode(BATCH.source)
    z, _, _, pull = model._step(BATCH.tokens, model._input(BATCH.tokens.data), s, memory)
    stepwise, _, pull_stepwise = model._stepwise(BATCH.tokens, s, memory, heads)
    assert_close(stepwise, z)
    dz = np.random.default_rng(0).standard_normal(z.shape)
    (grads, *rest, _), (grads_stepwise, *rest_stepwise, _) = pull(dz), pull_stepwise(dz)
    assert grads_stepwise.keys() == grads.keys()
    for child, named in grads.items():
        assert_all(assert_close, grads_stepwise[child], named)
    for those, these in zip(rest_stepwise, rest, strict=True):
        for v, w in zip(those, these, strict=True):
            assert_close(v, w)


def test_a_fed_back_token_cuts_the_gradient_and_an_expected_embedding_does_not():
    """Only the first step's logits reach the loss of the second step, and only through what is fed."""

    def through(feedback):
        model, _ = pair("seq2seq", S, V, E, H, cell="gru", attention=None, feedback=feedback)
        z = torch.tensor(np.random.default_rng(0).standard_normal((1, V)))
        u, pull = model._input(np.array([3]), np.array([False]), z.numpy())
        _, dz = pull(np.ones_like(u))
        return np.abs(dz).max()

    assert through("argmax") == through("sample") == 0
    assert through("expected") > 1e-3


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_sides_decode_the_same(cell, kind):
    ours, theirs = pair("seq2seq", S, V, E, H, cell=cell, attention=kind, seed=2)
    for options in ({}, {"beam": 3}, {"beam": 2, "length_power": 0.7}):
        a, b = (m.decode(BATCH.source, 9, **options) for m in (ours, theirs))
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        assert all(len(x) <= 9 and ours.eos not in x for x in a)


def score(model, source, said, max_length):
    """log p of what was said, with its end if it ended."""
    batch = batches.translated([source], [said], model.bos, model.eos)
    log_p = np.take_along_axis(log_softmax(model.logits(batch, np.ones((len(said) + 1, 1), bool))), batch.target[:, None], -1)
    return log_p[: min(len(said) + 1, max_length)].sum()


def test_a_wide_beam_finds_the_best_of_all_sequences():
    """By trying all: with 5 tokens to choose from and at most 3 of them."""
    model, _ = pair("seq2seq", S, 5, E, H, seed=3, attention="dot")
    words = [w for n in range(3) for w in product((0, 1, 3, 4), repeat=n)]
    for source in SOURCES[:3]:
        best = max((score(model, source, np.array(w, int), 3), w) for w in words)
        (said,) = model.decode(batches.pack("source", [source]), 3, beam=200)
        assert tuple(said) == best[1]


def test_greedy_is_a_beam_of_one_and_a_sequence_alone_is_a_sequence_in_a_batch():
    model, _ = pair("seq2seq", S, V, E, H, seed=2, attention="additive")
    together = model.decode(BATCH.source, 9)
    for source, said in zip(SOURCES, together, strict=True):
        assert_equal(model.decode(batches.pack("source", [source]), 9)[0], said)
        scores = [score(model, source, model.decode(batches.pack("source", [source]), 9, beam=k)[0], 9) for k in (1, 60)]
        assert scores[1] >= scores[0] - 1e-12


def test_weights_are_over_the_true_letters():
    model, theirs = pair("seq2seq", S, V, E, H, attention="general")
    w = model.weights(BATCH)
    assert_close(theirs.weights(BATCH), w)
    assert w.shape == (6, 5, 6)
    assert_close(w.sum(-1), np.ones((6, 5)))
    for b, source in enumerate(SOURCES):
        assert (w[:, b, len(source) :] == 0).all() and (w[:, b, : len(source)] > 0).all()


def test_coins_and_schedules():
    coins = teacher_forcing.coins(np.random.default_rng(0), 0.3, 400, 50)
    assert coins[0].all() and abs(coins[1:].mean() - 0.3) < 5 * (0.3 * 0.7 / coins[1:].size) ** 0.5
    rng = np.random.default_rng(0)
    assert teacher_forcing.coins(rng, 1.0, 4, 3).all() and not teacher_forcing.coins(rng, 0.0, 4, 3)[1:].any()
    assert rng.random() == np.random.default_rng(0).random()  # nothing was drawn
    assert [teacher_forcing.linear(n, 4, 0.2) for n in (0, 1, 2, 4, 9)] == pytest.approx([1, 0.8, 0.6, 0.2, 0.2])
    assert [teacher_forcing.exponential(n, 0.5) for n in (0, 1, 3)] == [1, 0.5, 0.125]
    falling = [teacher_forcing.inverse_sigmoid(n, 10) for n in range(200)]
    assert falling[0] == 10 / 11 and falling == sorted(falling, reverse=True) and falling[-1] < 1e-6
    assert teacher_forcing.inverse_sigmoid(10**9, 2) < 1e-9


def with_ratio(model, ratio):
    model.teacher_forcing = ratio
    return model


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: with_ratio(m, 1.5).loss(BATCH), ValueError, "teacher_forcing must be a number from 0 to 1, got 1.5"),
        (lambda m: with_ratio(m, -0.1).loss(BATCH), ValueError, "teacher_forcing must be a number from 0 to 1, got -0.1"),
        (lambda m: m.decode(BATCH.source, beam=-1), ValueError, "beam must be greater than zero, got -1"),
        (lambda m: m.decode(BATCH.source, beam=0), ValueError, "beam must be greater than zero, got 0"),
        (lambda m: m.decode(BATCH.source, 0), ValueError, "max_length must be greater than zero, got 0"),
        (lambda m: m.loss(batches.translated([np.array([S])], TARGETS[:1], 1, 2)), IndexError, f"from 0 to below {S}, got {S}"),
        (lambda m: m.loss(batches.translated(SOURCES[:1], [np.array([V])], 1, 2)), IndexError, f"from 0 to below {V}, got {V}"),
        (lambda m: m.loss(BATCH._replace(target=BATCH.target[1:])), RuntimeError, "targets must have shape"),
        (
            lambda m: m.loss(BATCH._replace(source=batches.pack("source", SOURCES[:2]))),
            RuntimeError,
            "batch must have one target for each of the 2 sources, got 5",
        ),
        (lambda m: m.vjp(BATCH, np.ones((2, 5), bool)), RuntimeError, r"coins must have shape \(6, 5\), got \(2, 5\)"),
        (lambda m: reference.Seq2seq(S, V, attention=None).weights(BATCH), ValueError, "attention must not be None"),
        (lambda m: reference.Seq2seq(S, V, hidden_size=5), ValueError, "hidden_size must be a multiple of 2, got 5"),
        (lambda m: reference.Seq2seq(S, V, attention="cosine"), ValueError, "must be one of additive, dot, general, scaled, got"),
        (lambda m: reference.Seq2seq(S, V, feedback="soft"), ValueError, "must be one of argmax, sample, expected, got 'soft'"),
        (lambda m: teacher_forcing.exponential(3, 1.5), ValueError, "k must be a number from 0 to 1, got 1.5"),
        (lambda m: teacher_forcing.inverse_sigmoid(3, 0), ValueError, "k must be a number, at least 1, got 0"),
    ],
)
def test_bad_input_is_one_clear_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call(reference.Seq2seq(S, V, E, H))
