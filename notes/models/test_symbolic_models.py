"""The models by SymPy: notes classifier, generator, tagger, language_model, seq2seq, forecast.

Each sequence is written down by itself: no packing, no padding, no batch.  Hidden size 1 in each direction, sequences of
up to three steps.  The rows of a packed batch are told by their step and their sequence.
"""

import numpy as np
import pytest
import sympy as sp

from reference.common import batches
from reference.models.classifier import POOLING, Classifier
from reference.models.forecaster import MODES, Forecaster
from reference.models.generator import Generator
from reference.models.language_model import LanguageModel, Masks
from reference.models.seq2seq import Seq2seq
from reference.models.tagger import Tagger

from ..symbolic_gradients import Symbols, agree, derived, layer, softmax, surprise, tanh, unroll

WORDS = [np.array(w) for w in ([2, 1], [3, 2, 1], [2])]  # lengths not sorted
KINDS = ("rnn", "lstm", "gru")


def random_model(cls, *args, **options):
    """A model in float64, and symbols for its parameters, all of them random."""
    rng = np.random.default_rng(7)
    model = cls(*args, dtype=np.float64, rng=rng, engine="definition", **options)
    model.params = {name: rng.standard_normal(v.shape) for name, v in model.params.items()}
    return model, Symbols(model.params), rng


def zeros(kind, n=1):
    return tuple(np.zeros(n, int) for _ in range(1 + (kind == "lstm")))


def affine(s, name, x):
    return s[f"{name}.weight"] @ x + s[f"{name}.bias"]


def both_ways(kind, s, prefix, xs):
    """y of each step, forward | reverse, and the last state of each direction"""
    for k in range(1 + (f"{prefix}weight_ih_l1" in s)):
        there, ends = unroll(kind, layer(s, prefix, f"_l{k}"), xs, zeros(kind))
        back, starts = unroll(kind, layer(s, prefix, f"_l{k}_reverse"), xs[::-1], zeros(kind))
        xs = [np.concatenate(v) for v in zip(there, back[::-1], strict=True)]
    return xs, (ends[-1], starts[-1])


def check(s, model, batch, loss, **more):
    """The loss and every gradient of the model."""
    value, pullback = model.vjp(batch, **more)
    agree({"loss": value}, {"loss": s.value(loss)})
    agree(pullback(), s.gradient(loss))


@derived
def squashed(a):
    return tanh(a)


@derived
def larger(a, b):
    return np.frompyfunc(lambda u, v: sp.Piecewise((u, u > v), (v, True)), 2, 1)(a, b)


@pytest.mark.parametrize(("pooling", "kind"), [(p, "rnn") for p in POOLING] + [("last", "lstm"), ("mean", "gru")])
def test_classifier(pooling, kind):
    """C1*, C2*, C3*, C4*, C5*, C6*"""
    model, s, _ = random_model(Classifier, 4, 3, 1, 1, 1 + (kind == "rnn"), cell=kind, pooling=pooling)
    classes, loss = [2, 0, 1], 0
    for word, target in zip(WORDS, classes, strict=True):
        ys, ends = both_ways(kind, s, "rnn.", [s["embedding.weight"][token] for token in word])
        u = np.concatenate([ends[0][0], ends[1][0]])
        if pooling == "mean":
            u = sum(ys) / len(ys)
        elif pooling == "max":
            u = ys[0]
            for y in ys[1:]:
                u = larger(u, y)
        loss += surprise(affine(s, "head", u))[target] / 3
    check(s, model, batches.labelled(WORDS, classes), loss)


@pytest.mark.parametrize("kind", KINDS)
def test_tagger(kind):
    """M1*, M2*, M3*, M4*: the mean is over all steps of all words."""
    model, s, _ = random_model(Tagger, 4, 3, 1, 1, cell=kind)
    tags, loss = [np.array(t) for t in ([0, 2], [1, 2, 0], [1])], 0
    for word, targets in zip(WORDS, tags, strict=True):
        ys, _ = both_ways(kind, s, "rnn.", [s["embedding.weight"][token] for token in word])
        loss += sum(surprise(affine(s, "head", y))[tag] for y, tag in zip(ys, targets, strict=True)) / 6
    check(s, model, batches.tagged(WORDS, tags), loss)


@pytest.mark.parametrize("kind", KINDS)
def test_generator(kind):
    """N1*, N2*, N3*, N4*, N5*, N6*: two conditions added become the first states of two layers."""
    model, s, _ = random_model(Generator, 4, 3, 1, 1, 2, cell=kind, bos=0, eos=1)
    words, conditions, loss = [[2, 3], [3], []], [[0, 2], [1, 1], [2, 0]], 0
    for word, (a, b) in zip(words, conditions, strict=True):
        start = squashed(affine(s, "start", s["condition.weight"][a] + s["condition.weight"][b]))
        xs = [s["embedding.weight"][token] for token in [0, *word]]
        for k in range(2):  # of an LSTM the states h of all layers come first
            xs, _ = unroll(kind, layer(s, "rnn.", f"_l{k}"), xs, tuple(start[n : n + 1] for n in range(k, len(start), 2)))
        loss += sum(surprise(affine(s, "head", y))[t] for y, t in zip(xs, [*word, 1], strict=True)) / 6
    check(s, model, batches.conditioned(conditions, [np.array(w, int) for w in words], 0, 1), loss)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_language_model(kind, tied):
    """U1*, U2*, U3*, U4*, U5*, U6: of the second window, the state that it starts from is a constant."""
    model, s, rng = random_model(LanguageModel, 4, 1, 1, 2, cell=kind, dropout=0.25, tied=tied)
    windows, state = [], [zeros(kind)] * 2
    for n in range(2):
        tokens, targets = rng.integers(4, size=(2, 3, 1))
        keep = [np.array([n, 1, 1]), np.array([1, 1, n]), np.array([1, 1 - n, 1])]
        masks = Masks(keep[0].reshape(3, 1, 1) > 0, [keep[1].reshape(3, 1) > 0], keep[2].reshape(3, 1, 1) > 0)
        windows.append(batches.Window(tokens, targets, n == 0, masks))
        xs = [s["embedding.weight"][t] for t in tokens[:, 0]]
        ends = []
        for k in range(2):
            xs = [x * int(m) * sp.Rational(4, 3) for x, m in zip(xs, keep[k], strict=True)]
            xs, states = unroll(kind, layer(s, "rnn.", f"_l{k}"), xs, state[k])
            ends.append(states[-1])
        W, loss = s["embedding.weight" if tied else "head.weight"], 0
        for y, m, target in zip(xs, keep[2], targets[:, 0], strict=True):
            loss += surprise(W @ (y * int(m) * sp.Rational(4, 3)) + s["head.bias"])[target] / 3
        by_code = model.loss(windows[-1])
        model.backward()
        expected = s.gradient(loss)
        agree({"loss": by_code}, {"loss": s.value(loss)})
        agree(model.grads, expected)
        state = [tuple(s.value(np.array(v)) for v in end) for end in ends]  # numbers: the cut


FEEDBACK = [
    ("forced", "general"),
    ("forced", "additive"),
    ("forced", None),
    ("forced", "one way"),
    ("expected", "dot"),
    ("expected", None),
    ("argmax", "scaled"),
]


@pytest.mark.parametrize(("feedback", "attention"), FEEDBACK)
def test_seq2seq(feedback, attention):
    """Q1*, Q2*, Q3*, Q4*, Q5*, Q6*, Q7*, Q8*, Q9*: what is read is the data's, the mean embedding, or a fed-back token."""
    one_way, kind = attention == "one way", "lstm" if attention == "one way" else "rnn"
    attention = None if one_way else attention
    model, s, _ = random_model(
        Seq2seq,
        4,
        4,
        1,
        2 - one_way,
        cell=kind,
        attention=attention,
        bidirectional=not one_way,
        bos=0,
        eos=1,
        feedback="argmax" if feedback == "forced" else feedback,
    )
    sources, targets = [[2, 1, 3], [3], [1, 2]], [[2, 3], [3], [2, 2]]
    coins = np.ones((3, 3), bool)
    if feedback != "forced":
        coins[1:] = [[False, True, False], [False, False, True]]
    loss = 0
    for b, (source, target) in enumerate(zip(sources, targets, strict=True)):
        xs = [s["source.weight"][token] for token in source]
        if one_way:
            m, (*_, state) = unroll(kind, layer(s, "encoder."), xs, zeros(kind))
        else:
            m, ends = both_ways(kind, s, "encoder.", xs)
            state = tuple(np.concatenate(v) for v in zip(*ends, strict=True))
        read, z = [0, *target], None
        for t, goal in enumerate([*target, 1]):
            u = s["target.weight"][read[t]]
            if not coins[t, b]:
                u = softmax(z) @ s["target.weight"] if feedback == "expected" else s["target.weight"][int(np.argmax(s.value(z)))]
            _, states = unroll(kind, layer(s, "decoder."), [u], state)
            state = states[-1]
            z = affine(s, "head", combined(s, attention, state[0], m))
            loss += surprise(z)[goal] / sum(len(word) + 1 for word in targets)
    batch = batches.translated([np.array(w) for w in sources], [np.array(w) for w in targets], 0, 1)
    check(s, model, batch, loss, coins=coins)


def combined(s, attention, h, m):
    """What the head reads: the state, with what it attends to if there is attention"""
    if attention is None:
        return h
    query = s["attention.query.weight"] @ h if "attention.query.weight" in s else h
    if attention == "additive":
        scores = [s["attention.score.weight"][0] @ squashed(query + affine(s, "attention.memory", k)) for k in m]
    else:
        scores = [query @ k / (sp.sqrt(2) if attention == "scaled" else 1) for k in m]
    c = sum(w * k for w, k in zip(softmax(np.array(scores)), m, strict=True))
    return squashed(affine(s, "combine", np.concatenate([c, h])))


@pytest.mark.parametrize("known", [0, 1])
@pytest.mark.parametrize("forcing", [0, 1, 2])
@pytest.mark.parametrize("mode", MODES)
def test_forecaster(mode, forcing, known):
    """Y1*, Y2*, Y3*, Y4*, Y5*, Y6*: three steps of two columns from a past of three, the forecast read again or not.

    Where there is a third column it is known ahead: each step has that of the row after the one that it reads.
    """
    model, s, rng = random_model(Forecaster, 2 + known, 3, 1, mode=mode, cell="gru", known=known)
    past, future = rng.standard_normal((2, 3, 2, 2 + known))
    coins = np.array([[True, True], [forcing > 0] * 2, [forcing > 1, forcing > 0]])
    losses = []
    for b in range(2):
        x, v = past[:, b, :2], future[:, b, :2]
        n = np.concatenate([past[:, b, 2:], future[:, b, 2:]])
        if mode == "direct":
            ys, _ = unroll("gru", layer(s, "rnn."), past[:, b], zeros("gru"))
            fs = x[-1, 0] + affine(s, "head", np.concatenate([ys[-1], *n[3:]]))
            losses += [(f - goal) ** 2 for f, goal in zip(fs, v[:, 0], strict=True)]
            continue
        _, states = unroll("gru", layer(s, "rnn."), [np.concatenate([x[t], n[t + 1]]) for t in range(2)], zeros("gru"))
        state, f = states[-1], None
        for k in range(3):
            u = x[-1] if k == 0 else v[k - 1] if coins[k, b] else f
            r = np.concatenate([u, n[3 + k]])
            ys, states = unroll("gru", layer(s, "decoder." if mode == "encdec" else "rnn."), [r], state)
            state, f = states[-1], u + affine(s, "head", ys[0])
            losses += list((f - v[k]) ** 2)
    check(s, model, batches.Windowed(past, future), sum(losses) / len(losses), coins=coins)


@pytest.mark.parametrize("known", [0, 1])
def test_forecaster_of_quantiles(known):
    """Y7*: three quantiles of each of two steps, the truth above some of them and below others."""
    levels = (0.125, 0.5, 0.75)
    model, s, rng = random_model(Forecaster, 1 + known, 2, 1, cell="gru", known=known, quantiles=levels)
    past, future = rng.standard_normal((2, 2, 3, 1 + known))
    costs = []
    for b in range(3):
        ys, _ = unroll("gru", layer(s, "rnn."), past[:, b], zeros("gru"))
        f = past[-1, b, 0] + affine(s, "head", np.concatenate([ys[-1], *future[:, b, 1:]]))
        for k, goal in enumerate(future[:, b, 0]):
            for q, r in zip(levels, goal - f[3 * k : 3 * k + 3], strict=True):
                costs.append(sp.Piecewise((q * r, r > 0), ((q - 1) * r, True)))
    check(s, model, batches.Windowed(past, future), sum(costs) / len(costs))
