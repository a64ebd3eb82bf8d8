"""The classifier: fast is definition, both sides from one seed, padding and order without influence, errors."""

import numpy as np
import pytest
import torch

import reference
from reference.common import batches

from ..helpers import assert_all, assert_close, assert_equal
from .cases import CELLS, gradients, pair, sequences

V, K, E, H = 9, 3, 4, 5
WORDS, CLASSES = sequences(0, 0, V), [0, 2, 1, 2, 0]
BATCH = batches.labelled(WORDS, CLASSES)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_fast_engine_and_torch_from_one_seed(cell, pooling):
    """The same seed gives the same weights and masks; loss and gradients agree, torch.nn's own layer included."""
    for options in ({"num_layers": 1}, {"num_layers": 3, "dropout": 0.4, "bidirectional": False}):
        ours, theirs = pair("classifier", V, K, E, H, cell=cell, pooling=pooling, **options)
        fast, _ = pair("classifier", V, K, E, H, cell=cell, pooling=pooling, engine="fast", **options)
        assert_all(assert_equal, dict(theirs.named_parameters()), ours.params)
        expected = gradients(ours, BATCH)
        assert_all(assert_close, gradients(fast, BATCH), expected)
        assert_all(assert_close, gradients(theirs, BATCH), expected)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_sequence_is_classified_as_if_it_were_alone(pooling):
    model, _ = pair("classifier", V, K, E, H, cell="lstm", pooling=pooling, num_layers=2)
    together = model.logits(BATCH)
    for b, (word, k) in enumerate(zip(WORDS, CLASSES, strict=True)):
        assert_close(together[b], model.logits(batches.labelled([word], [k]))[0])


def test_state_dicts_move_both_ways_and_predictions_agree():
    ours, theirs = pair("classifier", V, K, E, H, seed=1)
    other, _ = pair("classifier", V, K, E, H, seed=2)
    other.load_state_dict(theirs.state_dict())
    assert_all(assert_equal, other.state_dict(), ours.state_dict())
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in other.state_dict().items()})
    assert_equal(theirs.predict(BATCH), other.predict(BATCH))
    assert other.count(BATCH) == theirs.count(BATCH) == 5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.loss(batches.labelled([np.array([V])], [0])), IndexError, f"must be from 0 to below {V}, got {V}"),
        (lambda m: m.loss(batches.labelled([np.array([-1])], [0])), IndexError, f"must be from 0 to below {V}, got -1"),
        (lambda m: m.loss(batches.labelled([np.array([1])], [K])), IndexError, f"targets must be from 0 to below {K}, got {K}"),
        (lambda m: m.loss(BATCH._replace(target=np.array([0, 1]))), RuntimeError, r"targets must have shape \(5,\)"),
        (lambda m: m.loss(BATCH._replace(target=np.full(5, -100))), ValueError, "targets must include one that is not ignored"),
        (lambda m: m.backward(), RuntimeError, "backward needs a forward before it"),
        (lambda m: reference.Classifier(V, K, pooling="sum"), ValueError, "pooling must be one of last, mean, max, got 'sum'"),
        (lambda m: reference.Classifier(V, K, cell="LSTM"), ValueError, "cell must be one of rnn, lstm, gru, got 'LSTM'"),
        (lambda m: reference.Classifier(V, 0), ValueError, "classes must be greater than zero, got 0"),
        (
            lambda m: m.load_state_dict(reference.Tagger(V, K, E, H, cell="gru").state_dict()),
            RuntimeError,
            "state_dict does not fit|must have shape",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call(reference.Classifier(V, K, E, H))
