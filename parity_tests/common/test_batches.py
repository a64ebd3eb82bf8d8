"""Batches: what is in them, that a pass sees everything once, and what is said of sequences that do not fit."""

import numpy as np
import pytest

from reference.common import batches
from reference.common.packing import pad_packed_sequence, unpad_sequence

from ..helpers import INTEGERS


def words(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(3, 9, n) for n in lengths]


def unpacked(packed):
    return unpad_sequence(*pad_packed_sequence(packed))


def test_a_shifted_sequence_predicts_its_own_next_token():
    names = words(2, 4, 3)
    batch = batches.conditioned([[0, 4], [1, 5], [0, 6]], names, bos=1, eos=2)
    assert batch.condition.tolist() == [[0, 4], [1, 5], [0, 6]]
    targets = unpacked(batch.tokens._replace(data=batch.target))
    for name, tokens, target in zip(names, unpacked(batch.tokens), targets, strict=True):
        assert tokens.tolist() == [1, *name]
        assert target.tolist() == [*name, 2]


def test_source_and_target_are_packed_each_by_its_own_lengths():
    sources, targets = words(5, 2, 3), words(1, 4, 0, seed=1)
    batch = batches.translated(sources, targets, 1, 2)
    for given, actual in zip(sources, unpacked(batch.source), strict=True):
        np.testing.assert_array_equal(given, actual)
    for given, actual in zip(targets, unpacked(batch.tokens), strict=True):
        np.testing.assert_array_equal([1, *given], actual)


def test_tags_lie_as_their_tokens():
    sequences = words(3, 5, 1)
    batch = batches.tagged(sequences, [10 * s for s in sequences])
    np.testing.assert_array_equal(batch.target, 10 * batch.tokens.data)


def test_a_pass_sees_every_sequence_once_in_batches_of_similar_lengths():
    lengths = np.random.default_rng(0).integers(1, 30, 107)
    chunks = list(batches.shuffled(lengths, 8, np.random.default_rng(1), pool=4))
    assert sorted(np.concatenate(chunks)) == list(range(107))
    assert all(len(b) <= 8 for b in chunks) and len(chunks) == 14
    assert np.mean([np.ptp(lengths[b]) for b in chunks]) < np.ptp(lengths) / 2
    again = list(batches.shuffled(lengths, 8, np.random.default_rng(1), pool=4))
    assert all(np.array_equal(a, b) for a, b in zip(chunks, again, strict=True))
    assert not np.array_equal(chunks[0], next(batches.shuffled(lengths, 8, np.random.default_rng(2), pool=4)))
    assert np.concatenate(list(batches.in_order(11, 4))).tolist() == list(range(11))


def test_lengths_of_any_integer_type_are_drawn_alike():
    """Of unsigned ones too, where the negative of 0 is still the least."""
    lengths = np.arange(30) % 7
    expected = list(batches.shuffled(lengths, 4, np.random.default_rng(1)))
    for dtype in INTEGERS:
        drawn = batches.shuffled(lengths.astype(dtype), 4, np.random.default_rng(1))
        assert all(np.array_equal(a, b) for a, b in zip(drawn, expected, strict=True))
    with pytest.raises(RuntimeError, match="lengths must be whole numbers, got float64"):
        next(batches.shuffled(lengths / 2, 4, np.random.default_rng(1)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: batches.labelled([], []), "sequences must hold at least one sequence, got none"),
        (lambda: batches.labelled(words(3, 0, 2), [0, 1, 0]), "sequences must hold no empty sequence, but sequence 1 is"),
        (lambda: batches.labelled(words(3, 2), [0]), "classes must be one for each of the 2 sequences, got 1"),
        (lambda: batches.conditioned([[0]], words(3, 2), 1, 2), "conditions must be one for each of the 2 sequences, got 1"),
        (
            lambda: batches.tagged(words(3, 2), words(3, 1)),
            "tags must be as long as the sequences, got 1 for the 2 steps of sequence 1",
        ),
        (lambda: batches.translated(words(3, 0), words(3, 2), 1, 2), "sources must hold no empty sequence, but sequence 1 is"),
        (lambda: batches.translated(words(3, 2), words(3), 1, 2), "targets must be one for each of the 2 sequences, got 1"),
        (lambda: batches.labelled(words(3), [0.5]), "classes must be whole numbers, got float64"),
        (lambda: batches.conditioned([[0.5]], words(3), 1, 2), "conditions must be whole numbers, got float64"),
        (lambda: batches.translated(words(3), [[3.5]], 1, 2), "targets must be whole numbers, got float64"),
        (lambda: batches.labelled([[[3, 4]]], [0]), r"sequences must each be \(T,\), got shape \(1, 2\) for sequence 0"),
        (lambda: next(batches.in_order(3, 0)), "size must be greater than zero, got 0"),
    ],
)
def test_sequences_that_do_not_fit_are_one_clear_sentence(call, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        call()
