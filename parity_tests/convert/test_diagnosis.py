"""The diagnoser: every single confusion that is planted is named, and every pair of some; what is right is not blamed."""

from itertools import combinations

import numpy as np
import pytest

from reference.convert import Stack, compare, diagnose
from reference.convert.diagnosis import apply
from reference.convert.readings import Case, inverse, readings

CELLS = {"rnn": 1, "lstm": 4, "gru": 3}
T, B, I, H = 6, 3, 4, 5
LIBRARIES = {"lstm": ["iofc weights (ONNX)", "igfo weights (haiku, TensorFlow)"], "gru": ["zrh weights (Keras, ONNX, haiku)"]}


def case(cell, directions=1, dtype=np.float64, seed=0, T=T, state=True):
    """All random, every size another."""
    draw, G, weights = np.random.default_rng(seed).standard_normal, CELLS[cell], {}
    for ending in ("_l0", "_l0_reverse")[:directions]:
        shapes = {"weight_ih": (G * H, I), "weight_hh": (G * H, H), "bias_ih": (G * H,), "bias_hh": (G * H,)}
        weights |= {f"{name}{ending}": draw(shape).astype(dtype) for name, shape in shapes.items()}
    states = tuple(draw((directions, B, H)).astype(dtype) for _ in range(2 if cell == "lstm" else 1))
    return Case(Stack(cell, weights), draw((T, B, I)).astype(dtype), states if state else None)


def outputs(c):
    """What another side computes that reads the case so: in its own dtype"""
    dtype = c.x.dtype
    y, s = c.stack.layer(dtype)(c.x, c.state if c.state is None or len(c.state) == 2 else c.state[0])
    out = (y, *(s if isinstance(s, tuple) else (s,)))
    for change in c.after:
        out = change(out)
    return out


def singles():
    for cell in CELLS:
        for directions in (1, 2):
            yield from (
                pytest.param(cell, directions, r.sentence, id=f"{cell}-{directions}-{r.sentence}")
                for r in readings(case(cell, directions))
            )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("cell", "directions", "sentence"), list(singles()))
def test_one_confusion_is_named(cell, directions, sentence, dtype):
    c = case(cell, directions, dtype, T=B if "batch first, (B, T, ·), read" in sentence else T)  # the state has one batch size
    reading = next(r for r in readings(c) if r.sentence == sentence)
    y, *s_n = outputs(apply(c, [reading]))
    found = diagnose(c.stack, c.x, y, c.state, s_n)
    assert found.agree
    assert found.readings == (sentence,)
    assert not found.others  # random data tells all of them apart
    assert found.error <= found.allowed < 1e-3


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_agrees_is_not_blamed(cell, directions, dtype):
    c = case(cell, directions, dtype)
    y, *s_n = outputs(c)
    found = diagnose(c.stack, c.x, y, c.state, s_n)
    assert (found.agree, found.readings) == (True, ())


@pytest.mark.parametrize("cell", CELLS)
def test_two_confusions_are_named(cell):
    """A sample of all pairs; another pair may do the same, but this one is among those that are said."""
    c = case(cell, 2, T=B)
    pairs = [pair for pair in combinations(readings(c), 2) if pair[0].about != pair[1].about]
    for k in np.random.default_rng(0).choice(len(pairs), 6, replace=False):
        y, *s_n = outputs(apply(c, pairs[k]))
        found = diagnose(c.stack, c.x, y, c.state, s_n)
        assert found.agree
        wanted = tuple(r.sentence for r in pairs[k])
        assert wanted in (found.readings, *found.others), wanted


def test_the_words_of_a_library():
    for cell, beginnings in LIBRARIES.items():
        said = [r.sentence for r in readings(case(cell)) if r.about == "order"]
        for beginning in beginnings:
            assert any(sentence.startswith(f"these are {beginning} read as ") for sentence in said), (beginning, said)
    assert inverse("iofg", "ifgo") == "igof"


def test_onnx_weights_read_as_ours_with_a_bias_lost():
    """Not by a reading, but as it happens: the arrays of one library in the names of another."""
    from reference.convert import theirs

    c = case("lstm")
    y, *s_n = outputs(c._replace(stack=c.stack._replace(weights={k: v * (k != "bias_hh_l0") for k, v in c.stack.weights.items()})))
    held = theirs(c.stack, "onnx")
    misread = dict(zip(c.stack.weights, (held["W"][0], held["R"][0], *np.split(held["B"][0], 2)), strict=True))
    found = diagnose(Stack("lstm", misread), c.x, y, c.state, s_n)
    assert found.readings == ("these are iofc weights (ONNX) read as ifgo", "b_hh was lost")


def test_a_folded_b_hn_after_another_order():
    c = case("gru")
    reads = {r.sentence: r for r in readings(c)}
    y, *_ = outputs(apply(c, [reads["these are zrh weights (Keras, ONNX, haiku) read as rzn"], reads["b_hn was folded into b_in"]]))
    found = diagnose(c.stack, c.x, y, c.state)
    assert found.readings == ("these are zrh weights (Keras, ONNX, haiku) read as rzn", "b_hn was folded into b_in")


@pytest.mark.parametrize("cell", CELLS)
def test_what_nothing_explains_is_said(cell):
    """Other weights, and a wrong number in one place of the right outputs."""
    c = case(cell)
    y, *_ = outputs(case(cell, seed=1))
    found = diagnose(c.stack, c.x, y, c.state)
    assert not found.agree
    assert found.error > found.allowed
    y, *_ = outputs(c)
    y[2, 1, 3] += 1e-9
    found = diagnose(c.stack, c.x, y, c.state)
    assert not found.agree
    assert found.readings == ()  # the nearest is what is
    assert diagnose(c.stack, c.x, y, c.state, tolerance=1e-8).agree
    y[2, 1, 3] = np.nan
    assert not diagnose(c.stack, c.x, y, c.state).agree


def test_square_sizes_leave_two_explanations():
    """With T = B both layouts fit by shape; the numbers decide."""
    c = case("gru", T=B)
    read = next(r for r in readings(c) if r.sentence.startswith("x and y are batch first"))
    y, *s_n = outputs(apply(c, [read]))
    assert diagnose(c.stack, c.x, y, c.state, s_n).readings == (read.sentence,)


def test_without_a_bias_no_bias_is_blamed():
    c = case("lstm")
    bare = c.stack._replace(weights={k: v for k, v in c.stack.weights.items() if k.startswith("weight")})
    assert "bias" not in {r.about for r in readings(c._replace(stack=bare))}
    y, *s_n = outputs(c._replace(stack=bare))
    assert diagnose(bare, c.x, y, c.state, s_n).readings == ()


@pytest.mark.parametrize(
    ("x", "y", "sentence"),
    [
        (np.ones((T, B, I + 1)), np.ones((T, B, H)), "x has 5 features, the weights take 4"),
        (np.ones((T, B, I)), np.ones((T, H)), r"x and y must have three axes, got \(6, 3, 4\) and \(6, 5\)"),
        (np.ones((T, B, I)), np.ones((T + 1, B, H)), "shapes that no reading of these inputs gives"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x, y, sentence):
    with pytest.raises(ValueError, match=sentence):
        diagnose(case("gru").stack, x, y)


# --- outputs alone ----------------------------------------------------------------------------------------------------

CHANGES = {
    "the first two axes are exchanged (batch and time)": lambda a: a.swapaxes(0, 1),
    "the first two axes are exchanged by a reshape, which mixes the sequences": lambda a: a.reshape(B, T, -1),
    "the first axis is reversed": lambda a: a[::-1],
    "the second axis is reversed": lambda a: a[:, ::-1],
    "the halves of the last axis are exchanged (forward and reverse)": lambda a: np.roll(a, 6, -1),
    "the second half of the last axis is reversed along the first (the reverse direction, last step first)": lambda a: (
        np.concatenate([a[..., :6], a[::-1, :, 6:]], -1)
    ),
    "3 blocks of the last axis are in the order 1 0 2": lambda a: np.concatenate([a[..., 4:8], a[..., :4], a[..., 8:]], -1),
    "4 blocks of the last axis are in the order 0 3 1 2": lambda a: np.concatenate([a[..., :3], a[..., 9:], a[..., 3:9]], -1),
    "the sign is changed": lambda a: -a,
    f"the shape {(T, B, 12)} is {(T, B * 12)}": lambda a: a.reshape(T, -1),
    "the entries of the second axis (sequences) are in another order": lambda a: a[:, [1, 2, 0]],
    "the entries of the last axis (features) are in another order": lambda a: a[..., np.random.default_rng(0).permutation(12)],
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_one_change_of_layout_is_named(sentence):
    a = np.random.default_rng(0).standard_normal((T, B, 12))
    b = CHANGES[sentence](a) * (1 + 1e-14)
    found = compare(a, b)
    assert found.agree
    assert sentence in (*found.readings, *(s for other in found.others for s in other))
    assert len(found.readings) == 1


def test_a_shift_is_named_both_ways():
    long = np.random.default_rng(0).standard_normal((T + 1, B, 12))
    assert compare(long[:-1], long[1:]).readings == ("the second is one step earlier",)
    assert compare(long[1:], long[:-1]).readings == ("the second is one step later",)


def test_two_changes_of_layout_are_named():
    a = np.random.default_rng(0).standard_normal((T, B, 12)).astype(np.float32)
    b = np.roll(a.swapaxes(0, 1), 6, -1)
    assert set(compare(a, b).readings) == {
        "the first two axes are exchanged (batch and time)",
        "the halves of the last axis are exchanged (forward and reverse)",
    }


def test_outputs_that_agree_and_outputs_that_do_not():
    draw = np.random.default_rng(0).standard_normal
    a = draw((T, B, 12))
    assert compare(a, a).readings == ()
    assert compare(a.astype(np.float32), a).agree
    assert not compare(a, draw((T, B, 12))).agree
    assert not compare(a, a * (1 + 1e-9)).agree
    assert compare(a, a * (1 + 1e-9), tolerance=1e-8).agree
    with pytest.raises(ValueError, match="shapes that no reading"):
        compare(a, draw((T, B, 13)))
    with pytest.raises(ValueError, match="a single number has no layout"):
        compare(np.float64(1.0), a)
