"""What the models refuse, on both sides: the same exception and the same sentence, and nothing of the model is changed.

Sequences that do not fit each other are refused by ``batches``, options of sampling by ``sampling``, files by
``checkpoint``: test_batches.py, test_sampling.py, test_checkpoint.py, test_training.py.
"""

import importlib

import numpy as np
import pytest
import torch

from reference.common import batches

V, K, C, S = 7, 3, 4, 8  # tokens, classes or tags, conditions, source tokens
PACKAGES = ("reference", "torch_impl")
SIZES = {"Classifier": (V, K), "Generator": (V, C), "Tagger": (V, K), "Seq2seq": (S, V), "LanguageModel": (V,)}
WORDS = [np.arange(n) % 4 + 3 for n in (3, 2, 4)]
BATCHES = {
    "Classifier": batches.labelled(WORDS, [0, 1, 2]),
    "Generator": batches.conditioned([[0, 1], [1, 2], [2, 3]], WORDS, 1, 2),
    "Tagger": batches.tagged(WORDS, [w % 3 for w in WORDS]),
    "Seq2seq": batches.translated(WORDS, [w[:-1] for w in WORDS], 1, 2),
    "LanguageModel": batches.windows(np.arange(40) % V, 3, 4)[0],
}
each_side = pytest.mark.parametrize("package", [*PACKAGES, "reference definition"])  # their layers are fast if not told
each_model = pytest.mark.parametrize("name", SIZES)


def build(package, name, *sizes, **options):
    """A small model of one side, with the engine after its name if there is one."""
    package, _, engine = package.partition(" ")
    options |= {"engine": engine} if engine else {}
    file = {"LanguageModel": "language_model"}.get(name, name.lower())
    cls = getattr(importlib.import_module(f"{package}.models.{file}"), name)
    return cls(*(sizes or SIZES[name]), **{"embedding_dim": 4, "hidden_size": 6, "rng": np.random.default_rng(0)} | options)


def changed(name, field, change):
    """The batch with one of its arrays changed, that of a PackedSequence too"""
    batch = BATCHES[name]
    field = "targets" if (name, field) == ("LanguageModel", "target") else field
    given = getattr(batch, field)
    packed = isinstance(given, np.ndarray)
    return batch._replace(**{field: change(given) if packed else given._replace(data=change(given.data))})


def first(value):
    def change(given):
        given = given.copy()
        given.flat[0] = value
        return given

    return change


def refuses(error, sentence, call, model):
    """One line, and the weights are what they were."""
    before = {k: np.asarray(v).copy() for k, v in model.state_dict().items()}
    with pytest.raises(error) as caught:
        call(model)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)
    assert all((np.asarray(model.state_dict()[k]) == v).all() for k, v in before.items())


@each_side
@each_model
@pytest.mark.parametrize("bad", [-1, V])
def test_a_token_out_of_range(package, name, bad):
    refuses(
        IndexError,
        f"ids must be from 0 to below {V}, got {bad}",
        lambda m: m.loss(changed(name, "tokens", first(bad))),
        build(package, name),
    )


@each_side
@each_model
@pytest.mark.parametrize("bad", [-1, V])
def test_a_target_out_of_range(package, name, bad):
    count = K if name in ("Classifier", "Tagger") else V
    refuses(
        IndexError,
        f"targets must be from 0 to below {count}, got {bad}",
        lambda m: m.loss(changed(name, "target", first(bad))),
        build(package, name),
    )


@each_side
@each_model
@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: np.concatenate([t, t[:1]])], ids=["short", "long"])
def test_targets_of_the_wrong_length(package, name, change):
    """They are not cut, and not spread over the logits."""
    refuses(RuntimeError, "targets must have shape (", lambda m: m.loss(changed(name, "target", change)), build(package, name))


@each_side
@each_model
def test_targets_that_are_all_ignored(package, name):
    """torch.nn.functional gives NaN here."""
    refuses(
        ValueError,
        "got none: there is nothing to take the mean of",
        lambda m: m.loss(changed(name, "target", lambda t: np.full_like(t, -100))),
        build(package, name),
    )


@each_model
def test_some_targets_that_are_ignored_are_left_out_on_both_sides(name):
    ours, theirs = (build(package, name, dtype="float64") for package in PACKAGES)
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in ours.state_dict().items()})
    whole, some = (ours.loss(b) for b in (BATCHES[name], changed(name, "target", first(-100))))
    if name == "LanguageModel":
        theirs.loss(BATCHES[name])  # both carry its state
    assert np.isfinite(some) and some != whole
    assert theirs.loss(changed(name, "target", first(-100))).item() == pytest.approx(some, rel=1e-13)


@each_side
@each_model
def test_tokens_that_are_no_whole_numbers(package, name):
    refuses(
        RuntimeError,
        "ids must be whole numbers, got float64",
        lambda m: m.loss(changed(name, "tokens", lambda t: t + 0.5)),
        build(package, name),
    )


CALLS = [
    ("Seq2seq", lambda m, b: m.loss(changed("Seq2seq", "source", first(S))), IndexError, f"from 0 to below {S}, got {S}"),
    ("Seq2seq", lambda m, b: m.decode(changed("Seq2seq", "source", first(-1)).source), IndexError, f"0 to below {S}, got -1"),
    (
        "Seq2seq",
        lambda m, b: m.loss(b._replace(source=batches.pack("source", WORDS[:2]))),
        RuntimeError,
        "batch must have one target for each of the 2 sources, got 3",
    ),
    ("Seq2seq", lambda m, b: m.logits(b, np.ones((2, 3), bool)), RuntimeError, "coins must have shape (4, 3), got (2, 3)"),
    ("Seq2seq", lambda m, b: m.decode(b.source, beam=-1), ValueError, "beam must be greater than zero, got -1"),
    ("Seq2seq", lambda m, b: m.decode(b.source, beam=0), ValueError, "beam must be greater than zero, got 0"),
    ("Seq2seq", lambda m, b: m.decode(b.source, beam=2.5), TypeError, "beam must be an int, got float"),
    ("Seq2seq", lambda m, b: m.decode(b.source, beam=True), TypeError, "beam must be an int, got bool"),
    ("Seq2seq", lambda m, b: m.decode(b.source, beam=2, length_power=-1), ValueError, "length_power must be a number"),
    ("Seq2seq", lambda m, b: m.decode(b.source, 0), ValueError, "max_length must be greater than zero, got 0"),
    ("Generator", lambda m, b: m.generate([[0, 1]], temperature=-0.1), ValueError, "temperature must be a number"),
    ("Generator", lambda m, b: m.generate([[0, 1]], top_k=0), ValueError, "top_k must be greater than zero, got 0"),
    ("Generator", lambda m, b: m.generate([[0, 1]], top_p=2), ValueError, "top_p must be a number above 0, at most 1, got 2"),
    ("Generator", lambda m, b: m.generate([[0, C]]), IndexError, f"from 0 to below {C}, got {C}"),
    ("Generator", lambda m, b: m.generate([0, 1]), ValueError, "condition must be 2-D with at least one row, got shape (2,)"),
    ("Generator", lambda m, b: m.generate(np.empty((0, 2), int)), ValueError, "at least one row, got shape (0, 2)"),
    (
        "Generator",
        lambda m, b: m.loss(b._replace(condition=b.condition[:2])),
        RuntimeError,
        "condition must have one row for each of the 3 sequences, got 2",
    ),
    ("Classifier", lambda m, b: m.predict(changed("Classifier", "tokens", first(V))), IndexError, f"below {V}, got {V}"),
    ("Tagger", lambda m, b: m.predict(changed("Tagger", "tokens", first(-1))), IndexError, f"below {V}, got -1"),
]


@each_side
@pytest.mark.parametrize(("name", "call", "error", "sentence"), CALLS)
def test_what_a_model_is_asked(package, name, call, error, sentence):
    refuses(error, sentence, lambda m: call(m, BATCHES[name]), build(package, name))


@each_side
@pytest.mark.parametrize("ratio", [-0.1, 1.5, float("nan"), "1", None])
def test_a_teacher_forcing_ratio_out_of_range(package, ratio):
    model = build(package, "Seq2seq")
    model.teacher_forcing = ratio
    refuses(ValueError, f"teacher_forcing must be a number from 0 to 1, got {ratio!r}", lambda m: m.loss(BATCHES["Seq2seq"]), model)


@each_side
@pytest.mark.parametrize(
    ("name", "sizes", "options", "error", "sentence"),
    [
        ("Classifier", (V, 0), {}, ValueError, "must be greater than zero, got 0"),
        ("Classifier", (0, K), {}, ValueError, "num_embeddings must be greater than zero, got 0"),
        ("Classifier", (V, K), {"pooling": "sum"}, ValueError, "pooling must be one of last, mean, max, got 'sum'"),
        ("Classifier", (V, K), {"cell": "LSTM"}, ValueError, "cell must be one of rnn, lstm, gru, got 'LSTM'"),
        ("Generator", (V, 0), {}, ValueError, "conditions must be greater than zero, got 0"),
        ("Generator", (V, C), {"eos": V}, IndexError, f"eos must be from 0 to below {V}, got {V}"),
        ("Generator", (V, C), {"bos": -1}, ValueError, "bos must not be below zero, got -1"),
        ("Tagger", (V, -1), {}, ValueError, "tags must be greater than zero, got -1"),
        ("Seq2seq", (S, V), {"hidden_size": 5}, ValueError, "hidden_size must be a multiple of 2, got 5"),
        ("Seq2seq", (S, V), {"attention": "cosine"}, ValueError, "must be one of additive, dot, general, scaled, got 'cosine'"),
        ("Seq2seq", (S, V), {"feedback": "soft"}, ValueError, "feedback must be one of argmax, sample, expected, got 'soft'"),
        ("Seq2seq", (S, V), {"eos": -2}, ValueError, "eos must not be below zero, got -2"),
        ("Tagger", (V, K), {"rng": 3}, TypeError, "rng must be a numpy.random.Generator or None, got int"),
        ("Classifier", (V, K), {"bidirectional": "False"}, TypeError, "bidirectional must be True or False, got 'False'"),
        ("Tagger", (V, K), {"bidirectional": 1}, TypeError, "bidirectional must be True or False, got 1"),
        ("Seq2seq", (S, V), {"bidirectional": "False"}, TypeError, "bidirectional must be True or False, got 'False'"),
        ("LanguageModel", (V,), {"tied": "False"}, TypeError, "tied must be True or False, got 'False'"),
        ("LanguageModel", (V,), {"dropout": -1}, ValueError, "dropout must be a number from 0 to 1, got -1"),
    ],
)
def test_what_a_model_is_made_of(package, name, sizes, options, error, sentence):
    with pytest.raises(error) as caught:
        build(package, name, *sizes, **options)
    assert sentence in str(caught.value)
