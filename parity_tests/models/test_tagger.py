"""The tagger: fast is definition, both sides from one seed, what a direction can know, errors."""

import numpy as np
import pytest

import reference
from reference.common import batches

from ..helpers import INTEGERS, assert_all, assert_close, assert_equal
from .cases import gradients, pair, sequences

V, K, E, H = 9, 7, 4, 5
WORDS, TAGS = sequences(0, 0, V), sequences(1, 0, K)
BATCH = batches.tagged(WORDS, TAGS)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("both", [True, False])
def test_fast_engine_and_torch_from_one_seed(cell, both):
    options = {"num_layers": 2, "dropout": 0.4, "bidirectional": both, "cell": cell}
    ours, theirs = pair("tagger", V, K, E, H, **options)
    fast, _ = pair("tagger", V, K, E, H, engine="fast", **options)
    expected = gradients(ours, BATCH)
    assert_all(assert_close, gradients(fast, BATCH), expected)
    assert_all(assert_close, gradients(theirs, BATCH), expected)
    ours.eval(), theirs.eval()
    assert_equal(theirs.predict(BATCH), ours.predict(BATCH))


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("way", ["library", "hoisted"])
def test_batch_sizes_of_any_integer_type(dtype, way):
    given = BATCH._replace(tokens=BATCH.tokens._replace(batch_sizes=BATCH.tokens.batch_sizes.astype(dtype)))
    ours, theirs = pair("tagger", V, K, E, H)
    theirs.way = way
    for model in (ours, theirs):
        assert_all(assert_equal, gradients(model, given), gradients(model, BATCH))


def test_one_direction_does_not_see_what_follows_and_two_do():
    word = np.array([3, 1, 4, 1, 5])
    changed = np.array([3, 1, 4, 1, 6])
    for both, same in ((False, True), (True, False)):
        model, _ = pair("tagger", V, K, E, H, bidirectional=both)
        a, b = (model.logits(batches.tagged([w], [w])) for w in (word, changed))
        assert np.array_equal(a[:4], b[:4]) == same


def test_a_sequence_is_tagged_as_if_it_were_alone():
    model, _ = pair("tagger", V, K, E, H, cell="gru", num_layers=2)
    together = reference.unpad_sequence(*reference.pad_packed_sequence(BATCH.tokens._replace(data=model.logits(BATCH))))
    for word, tags, z in zip(WORDS, TAGS, together, strict=True):
        assert_close(z, model.logits(batches.tagged([word], [tags])))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.loss(batches.tagged([np.array([V])], [np.array([0])])), IndexError, f"from 0 to below {V}, got {V}"),
        (lambda m: m.loss(batches.tagged([np.array([1])], [np.array([K])])), IndexError, f"from 0 to below {K}, got {K}"),
        (lambda m: m.loss(BATCH._replace(target=BATCH.target[1:])), RuntimeError, "targets must have shape"),
        (lambda m: reference.Tagger(V, -1), ValueError, "tags must be greater than zero, got -1"),
    ],
)
def test_bad_input_is_one_clear_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call(reference.Tagger(V, K, E, H))
