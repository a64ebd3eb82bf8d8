"""The generator: fast is definition, both sides from one seed, the same names drawn, errors."""

import numpy as np
import pytest

import reference
from reference.common import batches
from reference.parts.losses import log_softmax

from ..helpers import assert_all, assert_close, assert_equal
from .cases import gradients, pair, sequences

V, C, E, H = 9, 6, 4, 5
CONDITIONS = [[0, 3], [1, 2], [0, 4], [1, 4], [0, 5]]
BATCH = batches.conditioned(CONDITIONS, sequences(0, 3, V, (3, 1, 5, 3, 0)), 1, 2)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_fast_engine_and_torch_from_one_seed(cell):
    options = {"num_layers": 2, "dropout": 0.4, "cell": cell}
    ours, theirs = pair("generator", V, C, E, H, **options)
    fast, _ = pair("generator", V, C, E, H, engine="fast", **options)
    expected = gradients(ours, BATCH)
    assert_all(assert_close, gradients(fast, BATCH), expected)
    assert_all(assert_close, gradients(theirs, BATCH), expected)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("options", [{}, {"temperature": 0.0}, {"temperature": 0.5, "top_k": 4}, {"top_p": 0.8}], ids=str)
def test_both_sides_draw_the_same_sequences(cell, options):
    ours, theirs = pair("generator", V, C, E, H, cell=cell, num_layers=2)
    a, b = (m.generate(CONDITIONS, 20, rng=np.random.default_rng(3), **options) for m in (ours, theirs))
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert all(ours.eos not in x and len(x) <= 20 for x in a)
    again = ours.generate(CONDITIONS, 20, rng=np.random.default_rng(3), **options)
    assert all(np.array_equal(x, y) for x, y in zip(a, again, strict=True))


def test_what_runs_free_is_what_is_scored_under_teacher_forcing():
    """At temperature 0 each token is the most probable one under the model's own logits for the tokens before."""
    model, _ = pair("generator", V, C, E, H, seed=4)
    said = model.generate(CONDITIONS, 12, temperature=0.0)
    batch = batches.conditioned(CONDITIONS, said, model.bos, model.eos)
    best = model.logits(batch).argmax(-1)
    for s, actual in zip(
        said, reference.unpad_sequence(*reference.pad_packed_sequence(batch.tokens._replace(data=best))), strict=True
    ):
        assert_equal(actual[: len(s)], s)
        assert len(s) == 12 or actual[-1] == model.eos


def test_drawn_tokens_have_the_frequencies_of_the_model():
    model, _ = pair("generator", V, C, E, H, seed=5)
    condition = np.repeat([[0, 3]], 20_000, axis=0)
    first = [s[0] if len(s) else model.eos for s in model.generate(condition, 1, rng=np.random.default_rng(0))]
    p = np.exp(log_softmax(model.logits(batches.conditioned([[0, 3]], [np.array([], int)], 1, 2))[0]))
    counts = np.bincount(first, minlength=V)
    assert (np.abs(counts - 20_000 * p) < 5 * np.sqrt(20_000 * p)).all()


def test_the_condition_decides():
    model, _ = pair("generator", V, C, E, H)
    word = [np.array([3, 4])]
    a, b = (model.logits(batches.conditioned([c], word, 1, 2)) for c in ([0, 3], [1, 3]))
    assert np.abs(a - b).max() > 1e-3
    assert_close(a, model.logits(batches.conditioned([[3, 0]], word, 1, 2)))  # a sum has no order


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.generate(CONDITIONS, temperature=-0.1), ValueError, "temperature must be .*got -0.1"),
        (lambda m: m.generate(CONDITIONS, 0), ValueError, "max_length must be greater than zero, got 0"),
        (lambda m: m.generate(CONDITIONS, top_k=0), ValueError, "top_k must be greater than zero, got 0"),
        (lambda m: m.generate([[C, 0]]), IndexError, f"from 0 to below {C}, got {C}"),
        (lambda m: m.generate([0, 1]), ValueError, r"condition must be 2-D with at least one row, got shape \(2,\)"),
        (lambda m: m.generate(np.empty((0, 2), int)), ValueError, r"at least one row, got shape \(0, 2\)"),
        (
            lambda m: m.loss(BATCH._replace(condition=BATCH.condition[:3])),
            RuntimeError,
            "condition must have one row for each of the 5 sequences, got 3",
        ),
        (lambda m: m.loss(BATCH._replace(target=BATCH.target[1:])), RuntimeError, "targets must have shape"),
        (lambda m: reference.Generator(V, C, eos=V), IndexError, f"eos must be from 0 to below {V}, got {V}"),
        (lambda m: reference.Generator(V, C, bos=-1), ValueError, "bos must not be below zero, got -1"),
    ],
)
def test_bad_input_is_one_clear_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call(reference.Generator(V, C, E, H))
