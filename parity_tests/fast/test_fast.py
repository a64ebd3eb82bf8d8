"""The engine written for speed: its chunks, its limits, its edges.  That it is right at all, test_parity.py shows."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import reference
from reference.fast import gru, lstm, rnn, steps

from ..helpers import assert_all, assert_close, assert_equal, draw, draw_state
from ..judge.cases import KINDS, table
from ..judge.implementations import BUILTIN
from ..judge.suite import run_case


class ForwardOnly:
    """A layer's inference, to be judged as a forward."""

    def __init__(self, layer):
        self.forward = layer.infer


def some(kind, dtypes, every):
    """The named cases, or every third of them: enough of what is about the engine, and not about the cell, for each change"""
    cases = [case for case in table(dtypes) if case.spec.kind == kind and not case.contract]
    assert len(cases) > 40
    return cases[::every]


EVERY = pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])


@EVERY
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rows", "cells"), [(1, 1), (8, 48)])
def test_results_do_not_depend_on_the_size_of_a_chunk(kind, rows, cells, every, monkeypatch):
    """The named cases are so small that one chunk holds them; here they take several, the last one shorter."""
    monkeypatch.setattr(steps, "ROWS", rows)
    for room in (lstm, gru):
        monkeypatch.setattr(room, "CELLS", cells)
    for case in some(kind, ("float64",), every):
        result = run_case(BUILTIN["numpy.fast"], case)
        assert result.ok, (case.name, result.wrong)


@EVERY
@pytest.mark.parametrize(
    ("name", "rows", "kind"), [("numpy", 1024, "lstm")] + [("numpy.fast", rows, kind) for rows in (8, 1024) for kind in KINDS]
)
def test_inference_is_the_forward(name, rows, kind, every, monkeypatch):
    """For weights that are small and large, by the rule of the suite; arguments stay as they are."""
    monkeypatch.setattr(steps, "ROWS", rows)
    whole = BUILTIN[name]
    alone = replace(whole, load=lambda spec, weights: ForwardOnly(whole.load(spec, weights)))
    judged = [run_case(alone, case) for case in some(kind, ("float32", "float64"), every)]
    assert all(r.ok for r in judged), [(r.case.name, r.wrong) for r in judged if not r.ok]


@pytest.mark.parametrize("strip", [1, 1 << 8, 1 << 14])
@pytest.mark.parametrize(("H", "I"), [(1, 3), (5, 1), (40, 30), (37, 500)])
def test_weights_are_turned_round_whatever_the_size_of_a_strip(H, I, strip, monkeypatch):
    monkeypatch.setattr(steps, "STRIP", strip)
    W = draw(1, 4 * H, I).astype(np.float32)
    i, f, g, o = np.split(W, 4)
    assert_equal(steps.transposed(W, "ifgo", "gfio", "fio"), np.concatenate([g, -f, -i, -o]).T)
    assert_equal(steps.transposed(W), W.T)


@pytest.mark.parametrize(("name", "room"), [("LSTM", lstm), ("GRU", gru), ("RNN", rnn)])
def test_weights_are_copied_once_for_all_segments_of_a_packed_inference(name, room, monkeypatch):
    layer = getattr(reference, name)(3, 5, bidirectional=True, engine="fast", dtype=np.float64)
    packed = reference.pack_padded_sequence(draw(1, 6, 4, 3), [6, 4, 3, 1])
    expected, copied, folded = layer(packed), [], room.folded
    monkeypatch.setattr(room, "folded", lambda p: copied.append(p) or folded(p))
    y, state_n = layer.infer(packed)
    assert len(copied) == 2  # one for each direction
    assert_close(y.data, expected[0].data)
    for ours, theirs in zip(np.atleast_2d(state_n), np.atleast_2d(expected[1]), strict=True):
        assert_close(ours, theirs)


def test_inference_leaves_what_the_layer_remembers():
    layer = reference.LSTM(3, 5, engine="fast", dtype=np.float64)
    x = draw(1, 4, 2, 3)
    y, _ = layer(x)
    layer.infer(2 * x)
    dx, _ = layer.backward(np.ones_like(y))
    assert_equal(dx, layer.vjp(x)[2](np.ones_like(y))[1])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_what_a_caller_holds_is_not_written_to_by_later_calls(name):
    layer = getattr(reference, name)(64, 64, engine="fast", rng=np.random.default_rng(0))
    x, s = draw(1, 40, 8, 64, dtype="float32"), draw_state(2, name, 1, 8, 64, dtype="float32")
    y, _, pull = layer.vjp(x, s)
    grads, dx, _ = pull(np.ones_like(y))
    view, kept = y[3:5], [y.copy(), dx.copy(), grads["weight_ih_l0"].copy()]
    for k in range(5):
        other, _, pull_other = layer.vjp(x + k, s)
        pull_other(np.ones_like(other))
    for now, then in zip((y, dx, grads["weight_ih_l0"]), kept, strict=True):
        assert_equal(now, then)
    assert_equal(view, kept[0][3:5])
    again, dx_again, _ = pull(np.ones_like(y))
    assert_equal(dx_again, kept[1])
    assert_equal(again["weight_ih_l0"], kept[2])


def test_threads_do_not_disturb_each_other():
    layer = reference.LSTM(32, 32, num_layers=2, bidirectional=True, engine="fast", rng=np.random.default_rng(0))
    inputs = [draw(seed, 30, 8, 32, dtype="float32") for seed in range(8)]

    def run(x):
        y, _, pull = layer.vjp(x)
        return y, pull(y)[1]

    alone = [run(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for (y, dx), (y_alone, dx_alone) in zip(pool.map(run, inputs), alone, strict=True):
            assert_close(y, y_alone)
            assert_close(dx, dx_alone)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"engine": "quick"}, "engine must be 'definition', 'fast' or 'compiled', got 'quick'"),
        ({"engine": "fast", "dtype": np.longdouble}, "engine 'fast' computes in float32 or float64, got"),
        ({"engine": "fast", "dtype": complex}, "engine 'fast' computes in float32 or float64, got complex128"),
    ],
)
def test_what_the_engine_cannot_do_is_one_clear_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        reference.GRU(3, 6, **arguments)


def with_gate_shut(name, gate, bias, engine, **options):
    """A layer in float32, whose gate of this number is σ(about ``bias``)  ->  y, the same by infer, and of each parameter's
    gradient the rows of that gate"""
    H, x = 16, draw(0, 5, 4, 3, dtype="float32")
    layer = getattr(reference, name)(3, H, dtype=np.float32, rng=np.random.default_rng(1), engine=engine, **options)
    given = layer.state_dict()
    given["bias_ih_l0"][gate * H : (gate + 1) * H] = bias
    layer.load_state_dict(given)
    y, _ = layer(x)
    layer.backward(draw(2, *y.shape, dtype="float32"))
    rows = {key: g[gate * H : (gate + 1) * H] for key, g in layer.grads.items()}
    return {"y": y, "y of infer": layer.infer(x)[0], **rows}


CLOSE = 16 * np.finfo(np.float32).eps  # of the largest value: five steps, a few roundings each
ZERO = 1e-40  # subnormal in float32
SHUT = pytest.mark.parametrize(
    ("name", "gate", "options"),
    [("LSTM", 0, {}), ("LSTM", 1, {}), ("LSTM", 3, {}), ("GRU", 0, {}), ("GRU", 1, {}), ("GRU", 0, {"reset_after": False})],
)


@SHUT
def test_a_gate_that_is_nearly_shut_has_as_many_digits_as_an_open_one(name, gate, options):
    """σ(-14) = 8e-7, and so are the gradients of its rows: no larger number hides what is wrong with them."""
    expected, fast = (with_gate_shut(name, gate, -14, engine, **options) for engine in ("definition", "fast"))
    for key, right in expected.items():
        np.testing.assert_allclose(fast[key], right, rtol=0, atol=CLOSE * abs(right).max(), err_msg=key)


@SHUT
def test_a_gate_that_is_shut_altogether_is_zero_without_a_warning(name, gate, options):
    """e¹⁰⁰ is infinite in float32; σ(-100) = 4e-44 is subnormal, which is as good as 0."""
    expected, fast = (with_gate_shut(name, gate, -100, engine, **options) for engine in ("definition", "fast"))
    for key, right in expected.items():
        np.testing.assert_allclose(fast[key], right, rtol=0, atol=CLOSE * abs(right).max() + ZERO, err_msg=key)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_nan_and_huge_inputs_flow_through_as_in_the_definition(name):
    x = draw(1, 5, 4, 3, dtype="float32")
    x[2, 1, 0], x[1, 2, :] = np.nan, 1e30
    results = []
    for engine in ("definition", "fast"):
        layer = getattr(reference, name)(3, 6, engine=engine, rng=np.random.default_rng(0))
        y, _ = layer(x)
        dx, _ = layer.backward(np.ones_like(y))
        results.append((y, dx))
    for a, b in zip(*results, strict=True):
        assert_equal(np.isnan(b), np.isnan(a))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("RNN", {}),
        ("RNN", {"nonlinearity": "relu"}),
        ("LSTM", {}),
        ("LSTM", {"proj_size": 2}),
        ("GRU", {}),
        ("GRU", {"reset_after": False}),
    ],
)
@pytest.mark.parametrize(("T", "B"), [(5, 0), (0, 3), (0, 1), (0, 0), (1, 1)])
def test_a_room_takes_no_sequences_and_no_steps_as_the_definition_does(name, options, T, B):
    """Layers ask for one step at least, rooms do not."""
    given = {k: v for k, v in options.items() if k != "proj_size"}
    fast, definition = (
        getattr(reference, name)(3, 4, dtype=np.float64, rng=np.random.default_rng(0), engine=engine, **options)
        for engine in ("fast", "definition")
    )
    p, widths = fast._stacked()[0][0], fast._widths()
    x, s = draw(1, T, B, 3), fast.room.State(*(draw(2, B, width) for width in widths))
    dy, ds = draw(3, T, B, widths[0]), fast.room.State(*(draw(4, B, width) for width in widths))
    expected, got = [], []
    for room, out in ((definition.room, expected), (fast.room, got)):
        y, s_n, cache = room.forward(p, x, s, **given)
        dp, dx, ds_0 = room.backward(dy, ds, cache)
        out += [y, *s_n, *(v for v in dp if v is not None), dx, *ds_0]
    y, s_n = fast.room.infer(p, x, s, **given)
    for ours, theirs in zip([*got, y, *s_n], [*expected, *expected[: 1 + len(s_n)]], strict=True):
        assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("name", "options"), [("RNN", {}), ("LSTM", {}), ("LSTM", {"proj_size": 2}), ("GRU", {}), ("GRU", {"reset_after": False})]
)
def test_a_layer_takes_a_batch_of_no_sequences(name, options):
    outcomes = []
    for engine in ("definition", "fast"):
        layer = getattr(reference, name)(3, 4, num_layers=2, bidirectional=True, engine=engine, **options)
        x = np.zeros((5, 0, 3), np.float32)
        y, _ = layer(x)
        dx, _ = layer.backward(np.zeros_like(y))
        outcomes.append({"y": y, "infer": layer.infer(x)[0], "dx": dx, **layer.grads})
    assert_all(assert_equal, *outcomes[::-1])
