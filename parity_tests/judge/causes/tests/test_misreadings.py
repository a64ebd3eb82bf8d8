"""Every misreading, planted in a wrong implementation, is what the report names, and no other."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ... import report
from ...cases import Case, usual
from ...implementations import BUILTIN, Implementation
from ...oracle import truth
from ...suite import run_case
from ..misreadings import Misreading
from ..search import Failure
from .wrong_layers import Planted, cases, loop


def causes(implementation, chosen):
    """What the report says of an implementation on some cases."""
    results = [run_case(implementation, case) for case in chosen]
    return report.implementation("stranger", results)


# fmt: off
def where(holds, change):
    """A change of those weights of which something holds."""
    return Planted(weights=lambda kw, s: (kw[0], change(kw[1]) if holds(kw[0]) else kw[1]))


def zero(v): return 0 * v


def blocks(order, sign=None):
    return lambda w: np.concatenate([(sign[k] if sign else 1) * np.split(w, len(order))[g] for k, g in enumerate(order)])


def each(change):
    """A change of each array of the state."""
    return Planted(state=lambda state, s, lengths: tuple(change(v, s) for v in state))


def D(s): return 1 + s.bidirectional


def rows(holds):
    """The state where it holds of layer and direction, zero elsewhere."""
    return each(lambda v, s: np.stack([u if holds(k // D(s), k % D(s)) else 0 * u for k, u in enumerate(v)]))


def by_length(lengths): return np.argsort(-np.asarray(lengths), kind="stable")


def unsorted(v, lengths):
    out = v.copy()
    out[:, by_length(lengths)] = v
    return out


def on_y(change): return Planted(returned=lambda r, s, lengths: (change(r[0], s, lengths), r[1]))
def on_states(change): return Planted(returned=lambda r, s, lengths: (r[0], change(r[0], r[1], s, lengths)))


def by_direction(v, s):
    """From layer by layer to direction by direction."""
    return np.concatenate([v[d::D(s)] for d in range(D(s))])


def back(v, s):
    """And the other way."""
    out = v.copy()
    for d, part in enumerate(np.split(v, D(s))):
        out[d::D(s)] = part
    return out


def reshaped(v, s): return v.reshape(v.shape[1], v.shape[0], -1).swapaxes(0, 1) if s.batch_first else v
def reshaped_back(v, s): return v.swapaxes(0, 1).reshape(v.shape) if s.batch_first else v


def masked(y, s, lengths):
    if lengths is None:
        return y
    y = y.copy()
    for b, n in enumerate(lengths):
        (y[b] if s.batch_first else y[:, b])[n:] = 0
    return y


def last_h(y, states, s, lengths):
    """h_n of a forward direction as y at the end of the batch."""
    if lengths is None:
        return states
    h = states[0].copy()
    h[-D(s)] = (y[:, -1] if s.batch_first else y[-1])[..., :h.shape[-1]]
    return (h, *states[1:])


def reverse_h(y, states, s, lengths):
    if not s.bidirectional:
        return states
    h = states[0].copy()
    h[-1] = (y[:, -1] if s.batch_first else y[-1])[..., h.shape[-1]:]
    return (h, *states[1:])


def halves(y, s, lengths):
    return np.concatenate(np.split(y, 2, -1)[::-1], -1) if s.bidirectional else y


def sorted_y(y, s, lengths):
    return y if lengths is None else np.take(y, by_length(lengths), 1 - s.batch_first)


def sorted_states(y, states, s, lengths):
    return states if lengths is None else tuple(v[:, by_length(lengths)] for v in states)


def upstream(change): return Planted(upstream=lambda d, s, lengths: change(*d, s, lengths))
def grads(change): return Planted(gradients=lambda g, s, lengths: (g[0], g[1], {k: change(k, v, g[2]) for k, v in g[2].items()}))


def at_last(dy, s, lengths, own):
    """The gradient of y at the last step only: the sequence's own, or the batch's."""
    out = np.zeros_like(dy)
    T, B = dy.shape[:2][::-1] if s.batch_first else dy.shape[:2]
    for b in range(B):
        t = lengths[b] - 1 if own and lengths is not None else T - 1
        at = (b, t) if s.batch_first else (t, b)
        out[at] = dy[at]
    return out


IH, HH, B_IH, B_HH = (lambda k, part=part: part in k for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))

PLANTED = [
    ("lstm", "the gates are read in the order i g f o, not i f g o", where(lambda k: True, blocks((0, 2, 1, 3)))),
    ("lstm", "the gates are read in the order i o f g, not i f g o", where(lambda k: True, blocks((0, 3, 1, 2)))),
    ("gru", "the gates are read in the order z r n, not r z n", where(lambda k: True, blocks((1, 0, 2)))),
    ("lstm", "the forget gate is 1 - i (coupled gates)", where(lambda k: True, blocks((0, 0, 2, 3), (1, -1, 1, 1)))),
    ("gru", "the update gate keeps the candidate, not the old state", where(lambda k: True, blocks((0, 1, 2), (1, -1, 1)))),
    ("rnn", "weight_hh is transposed", where(HH, lambda w: w.T)),
    ("gru", "the weights are reshaped where they should be transposed",
     where(lambda k: "weight" in k, lambda w: w.reshape(w.shape[::-1]).T)),
    ("gru", "bias_ih is left out", where(B_IH, zero)),
    ("lstm", "bias_hh is left out", where(B_HH, zero)),
    ("gru", "both biases are left out", where(lambda k: "bias" in k, zero)),
    ("gru", "bias_hh is left out in the reverse direction", where(lambda k: "bias_hh" in k and "reverse" in k, zero)),
    ("gru", "bias_ih is left out in the reverse direction", where(lambda k: "bias_ih" in k and "reverse" in k, zero)),
    ("gru", "bias_hh is left out in all layers but the first", where(lambda k: "bias_hh" in k and "_l0" not in k, zero)),
    ("gru", "the hidden bias of n, b_hn, is left out", where(B_HH, blocks((0, 1, 2), (1, 1, 0)))),
    ("gru", "the initial state is left out", each(lambda v, s: 0 * v)),
    ("lstm", "the initial state is left out", each(lambda v, s: 0 * v)),
    ("lstm", "the initial cell state is left out", Planted(state=lambda v, s, n: (v[0], 0 * v[1]))),
    ("lstm", "the initial hidden state is left out", Planted(state=lambda v, s, n: (0 * v[0], v[1]))),
    ("lstm", "h and c of the initial state are exchanged", Planted(state=lambda v, s, n: v[::-1])),
    ("gru", "the initial states of all layers but the first are left out", rows(lambda k, d: k == 0)),
    ("gru", "the reverse direction's initial state is left out", rows(lambda k, d: d == 0)),
    ("gru", "every layer starts from the first layer's state", each(lambda v, s: np.concatenate([v[: D(s)]] * s.num_layers))),
    ("gru", "the reverse direction starts from forward's initial state",
     each(lambda v, s: np.repeat(v[:: D(s)], D(s), axis=0))),
    ("gru", "the initial states are read direction by direction, not layer by layer", each(back)),
    ("gru", "the first sequence's initial state is used for all", each(lambda v, s: np.repeat(v[:, :1], v.shape[1], axis=1))),
    ("gru", "the initial state is read batch first", each(lambda v, s: v.reshape(v.shape[1], v.shape[0], -1).swapaxes(0, 1))),
    ("gru", "the initial states are not sorted with the sequences",
     Planted(state=lambda v, s, n: v if n is None else tuple(unsorted(u, n) for u in v))),
    ("gru", "the reset acts before the recurrent product", Planted(spec=lambda s: replace(s, reset_after=False))),
    ("gru-before", "the reset acts after the recurrent product", Planted(spec=lambda s: replace(s, reset_after=True))),
    ("rnn", "the nonlinearity is relu", Planted(spec=lambda s: replace(s, nonlinearity="relu"))),
    ("gru", "the forward and reverse halves of y are exchanged", on_y(halves)),
    ("gru", "the reverse direction's h_n is taken at the last step of y, not at the first", on_states(reverse_h)),
    ("gru", "the final states are returned direction by direction, not layer by layer",
     on_states(lambda y, v, s, n: tuple(by_direction(u, s) for u in v))),
    ("lstm", "h_n and c_n are exchanged", on_states(lambda y, v, s, n: v[::-1])),
    ("lstm", "h_n is y at the batch's last step, whatever the lengths", on_states(last_h)),
    ("gru", "the final states are left in the order of the sorted lengths", on_states(sorted_states)),
    ("gru", "y is left in the order of the sorted lengths", on_y(sorted_y)),
    ("gru", "y and the final states are left in the order of the sorted lengths",
     Planted(returned=lambda r, s, n: (sorted_y(r[0], s, n), sorted_states(r[0], r[1], s, n)))),
    ("gru", "batch_first reshapes x where it should transpose", Planted(x=lambda x, s, n: reshaped(x, s))),
    ("gru", "batch_first reshapes y where it should transpose", on_y(lambda y, s, n: reshaped_back(y, s))),
    ("gru", "batch_first reshapes x and y where it should transpose",
     Planted(x=lambda x, s, n: reshaped(x, s), returned=lambda r, s, n: (reshaped_back(r[0], s), r[1]))),
    ("gru", "the lengths are ignored: the whole padded sequence is run through", Planted(lengths=lambda n: None)),
    ("gru", "the lengths are ignored: the whole padded sequence is run through, and only y is set to zero past the ends",
     Planted(lengths=lambda n: None, returned=lambda r, s, n: (masked(r[0], s, n), r[1]))),
    ("gru", "the lengths are sorted, but not the sequences", Planted(lengths=lambda n: n if n is None else -np.sort(-n))),
    ("gru", "the gradient of y is not used", upstream(lambda dy, ds, s, n: (0 * dy, ds))),
    ("gru", "the gradient of y is used at the last step only", upstream(lambda dy, ds, s, n: (at_last(dy, s, n, True), ds))),
    ("gru", "the gradients of the final states are not used", upstream(lambda dy, ds, s, n: (dy, tuple(map(zero, ds))))),
    ("lstm", "the gradient of c_n is not used", upstream(lambda dy, ds, s, n: (dy, (ds[0], 0 * ds[1])))),
    ("lstm", "the gradient of h_n is not used", upstream(lambda dy, ds, s, n: (dy, (0 * ds[0], ds[1])))),
    ("gru", "the gradients of the initial states are zero",
     Planted(gradients=lambda g, s, n: (g[0], tuple(map(zero, g[1])), g[2]))),
    ("lstm", "the gradient of c_0 is zero", Planted(gradients=lambda g, s, n: (g[0], (g[1][0], 0 * g[1][1]), g[2]))),
    ("rnn", "the gradient of bias_hh is zero", grads(lambda k, v, d: 0 * v if "bias_hh" in k else v)),
    ("gru", "the gradient of bias_ih is given for bias_hh too", grads(lambda k, v, d: d[k.replace("bias_hh", "bias_ih")])),
    ("gru", "the gradients of the weights are means over the batch", grads(lambda k, v, d: v / 4)),
    ("gru", "the gradients of the weights have their gates in the order z r n", grads(lambda k, v, d: blocks((1, 0, 2))(v))),
]
# fmt: on


@pytest.mark.parametrize(("kind", "sentence", "planted"), PLANTED, ids=[f"{kind}: {s}" for kind, s, _ in PLANTED])
def test_a_planted_misreading_is_the_only_cause_that_is_named(kind, sentence, planted):
    said = causes(planted.implementation(), cases(kind))
    assert said["failed"]
    assert [c["text"].partition(" what the definition gives if ")[2] for c in said["causes"]] == [sentence]


def lstm(a, s, w, tanh=torch.tanh, forget=0, hard=False, candidate=torch.tanh):
    """An LSTM step with something else in it."""
    i, f, g, o = (a + s[0] @ w["weight_hh"].T + w["bias_hh"]).chunk(4, -1)
    gate = (lambda v: torch.clip(0.2 * v + 0.5, 0, 1)) if hard else torch.sigmoid
    c = gate(f + forget) * s[1] + gate(i) * candidate(g)
    return [gate(o) * tanh(c), c]


def gru(a, s, w, b_hn=1.0, outside=False):
    """A GRU step with its b_hn scaled, or outside of the reset."""
    a_r, a_z, a_n = a.chunk(3, -1)
    b_r, b_z, b_n = w["bias_hh"].chunk(3)
    q_r, q_z, q = (s[0] @ w["weight_hh"].T).chunk(3, -1)
    r, z = torch.sigmoid(a_r + q_r + b_r), torch.sigmoid(a_z + q_z + b_z)
    n = torch.tanh(a_n + r * q + b_n if outside else a_n + r * (q + b_hn * b_n))
    return [(1 - z) * n + z * s[0]]


def rnn(a, s, w, b_hh=1.0):
    return [torch.tanh(a + s[0] @ w["weight_hh"].T + b_hh * w["bias_hh"])]


STEPS = [
    ("lstm", "", lambda t, given, a, s, w: lstm(a, s, w)),
    ("gru", "", lambda t, given, a, s, w: gru(a, s, w)),
    (
        "lstm",
        "there is no tanh on the cell state before the output gate",
        lambda t, given, a, s, w: lstm(a, s, w, tanh=lambda c: c),
    ),
    ("lstm", "1 is added to the forget gate's bias", lambda t, given, a, s, w: lstm(a, s, w, forget=1)),
    ("lstm", "σ is the hard sigmoid", lambda t, given, a, s, w: lstm(a, s, w, hard=True)),
    ("lstm", "the candidate g goes through a sigmoid, not tanh", lambda t, given, a, s, w: lstm(a, s, w, candidate=torch.sigmoid)),
    ("gru", "b_hn is left out at the first step", lambda t, given, a, s, w: gru(a, s, w, b_hn=float(given or t > 0))),
    ("gru", "b_hn is left out at the first step", lambda t, given, a, s, w: gru(a, s, w, b_hn=float(t > 0))),
    ("gru", "the hidden bias of n is outside the reset", lambda t, given, a, s, w: gru(a, s, w, outside=True)),
    ("rnn", "b_hh is left out at the first step", lambda t, given, a, s, w: rnn(a, s, w, b_hh=float(t > 0))),
]


@pytest.mark.parametrize(("kind", "sentence", "step"), STEPS)
def test_another_line_in_a_cell_is_named(kind, sentence, step):
    """With a backward that fits it, and the sentence says so; but the backward of the definition has no hard sigmoid."""
    said = causes(loop(step), cases(kind, dense=True))
    agree = "y, h_n and c_n are" if "σ" in sentence else "every output and gradient is"
    expected = [f"{agree} what the definition gives if {sentence}"] if sentence else []
    assert [c["text"] for c in said["causes"]] == expected


def test_a_reverse_direction_that_runs_over_the_padding_is_named():
    class Padded:
        def __init__(self, spec, weights):
            self.layer = BUILTIN["numpy"].load(spec, weights)

        def forward(self, x, state, lengths=None):
            y, (h,) = self.layer.forward(x, state, lengths)
            if lengths is not None and (len(h), self.layer.spec.bidirectional) == (2, True):
                over, (end,) = self.layer.forward(x, state)
                P = h.shape[-1]
                y = np.concatenate([y[..., :P], masked(over, self.layer.spec, lengths)[..., P:]], -1)
                h = np.stack([h[0], end[1]])
            return y, (h,)

    said = causes(Implementation("stranger", Padded), cases("gru"))
    assert [c["text"] for c in said["causes"]] == [
        "y and h_n are what the definition gives if the reverse direction runs over the padding"
    ]


@pytest.mark.parametrize("value", ["the last y", 1e-300, np.nan])
def test_what_is_wrong_past_an_end_only_is_said_to_be_so(value):
    """Where y is right up to each sequence's end, no misreading is looked for."""

    def held(r, spec, lengths):
        y, h = r
        if lengths is None:
            return r
        y = np.array(y.swapaxes(0, 1) if spec.batch_first else y)
        for b, n in enumerate(lengths):
            y[n:, b] = y[n - 1, b] if value == "the last y" else value
        return y.swapaxes(0, 1) if spec.batch_first else y, h

    said = causes(Planted(returned=held).implementation(), [c for c in cases("gru") if c.lengths])
    assert [(c["sort"], c["text"]) for c in said["causes"]] == [
        ("behaviour", "y is not zero past the end of sequence 0, 3 of 5 steps")
    ]


def test_two_causes_are_both_shown():
    """One in the state of some cases, one in the lengths of others, and what was raised in a third kind."""

    def first(state, spec, lengths):
        return state if lengths is not None else tuple(0 * v for v in state)

    planted = Planted(state=first, returned=lambda r, s, n: (r[0], last_h(r[0], r[1], s, n)))
    said = causes(planted.implementation(), cases("gru"))
    ends = {c["text"].partition(" if ")[2] for c in said["causes"]}
    assert ends == {"the initial state is left out", "h_n is y at the batch's last step, whatever the lengths"}
    assert {n for f in said["failures"] for n in f["causes"]} == {1, 2}


@pytest.mark.parametrize("values", ["nan_inside", "inf_inside", "nan_padding", "spikes", "only_h_n"])
def test_a_misreading_is_named_where_values_are_special(values):
    case = Case(usual("gru", dtype="float64"), values=values, lengths=(2, 5, 4, 3))
    result = run_case(each(lambda v, s: 0 * v).implementation(), case)
    assert result.diagnosis.endswith("what the definition gives if the initial state is left out")


def test_a_right_implementation_gets_no_sentence():
    for kind in ("rnn", "lstm", "gru"):
        for case in cases(kind):
            result = run_case(BUILTIN["numpy.fast" if not case.lengths else "torch.loop"], case)
            assert (result.diagnosis, result.explained) == ("", ())


@pytest.mark.parametrize("factor", [1.1, 0.5, -1.0])
def test_nothing_is_guessed_where_nothing_fits(factor):
    planted = where(IH, lambda w: factor * w)
    said = causes(planted.implementation(), cases("lstm"))
    assert [(c["sort"], c["text"]) for c in said["causes"]] == [("unexplained", "y is wrong, why is not known")]


def test_what_changes_nothing_is_no_candidate():
    """An implementation that is off by little is not taken for a misreading under which this case is right."""
    case = cases("gru")[0]
    oracle = truth(case).oracle
    tensors = {k: np.asarray(v, case.spec.dtype) for k, v in oracle.items()}
    off = tensors | {"y": tensors["y"] * (1 + 1e-13)}
    failure = Failure(case, off)
    assert failure.wrong == {"y"}
    assert list(failure.explained([Misreading("nothing is otherwise")])) == []


def test_every_misreading_runs_on_every_kind_of_case():
    """And returns all that the definition returns."""
    for kind in ("rnn-relu", "lstm-proj", "gru-before"):
        for case in cases(kind):
            oracle = truth(case).oracle
            right = {k: np.asarray(v, case.spec.dtype) for k, v in oracle.items()}
            for spoiled in ({k: v + 1 for k, v in right.items()}, {k: v + (k[0] == "d") for k, v in right.items()}):
                failure = Failure(case, spoiled)
                for m in failure.candidates():
                    given = failure.given(m, backward=True)
                    assert {k: v.shape for k, v in given.items()} == {k: v.shape for k, v in oracle.items()}, m.sentence


def test_an_implementation_whose_load_cannot_be_hashed_is_judged_all_the_same():
    class Load:
        __hash__ = None

        def __call__(self, spec, weights):
            return where(B_IH, zero).implementation().load(spec, weights)

    result = run_case(Implementation("stranger", Load()), cases("gru")[0])
    assert result.diagnosis.endswith("if bias_ih is left out")
