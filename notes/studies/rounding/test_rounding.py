"""The figures of notes/rounding.md: what was measured can be measured again."""

import numpy as np
import pytest
import torch

from benchmarks.what.config import Config
from parity_tests.judge.oracle import transform
from reference.cells import rnn

from . import STUDY, saturation, sequence, tensors


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_are_forgotten_kept_or_multiplied(dtype):
    end = {w: np.median(sequence.along("rnn", w, dtype, steps=60)["h"][-1]) for w in sequence.WEIGHTS}
    assert end["torch's"] < 1 < 3 * end["keeping"] < 20
    assert end["six times"] > 1.5


@pytest.mark.parametrize("kind", saturation.KINDS)
def test_a_derivative_near_saturation_loses_what_is_kept_on_file(kind):
    """Another processor's tanh rounds a little differently."""
    measured = np.array(saturation.saturation(kind, "tanh"))
    kept = np.array(STUDY.kept()["saturation"]["tanh"][kind])
    some = kept < 0.2
    assert some.sum() > 5
    assert (measured[some] < 4 * kept[some]).all()
    assert (measured[some] > kept[some] / 4).all()


def test_rounding_to_bits_is_that_of_the_types_that_have_so_many():
    v = np.random.default_rng(0).standard_normal(10000).astype(np.float32)
    v = np.concatenate([v, v * 1e5, [0, 1, -1, 1 + 2**-8, 1 + 3 * 2**-8, 65280]]).astype(np.float32)
    assert (tensors.to_bits(v, 7) == torch.from_numpy(v).bfloat16().float().numpy()).all()
    normal = v[(np.abs(v) > 2.0**-14) & (np.abs(v) < 65504)]
    assert (tensors.to_bits(normal, 10) == tensors.to_half(normal)).all()


def test_the_emulation_rounds_both_factors_of_every_product_and_nothing_else():
    data = Config("rnn", **tensors.SIZES).case(T=4).data()
    rounded = tensors.narrowed("rnn", data, "tf32")
    (W_ih, W_hh, b_ih, b_hh), low = data.weights.values(), tensors.EMULATED["tf32"]
    h, da = [data.state[0][0]], []
    for x in data.x:
        h.append(np.tanh(low(x) @ low(W_ih).T + b_ih + low(h[-1]) @ low(W_hh).T + b_hh))
    dh = data.dstate[0][0]
    for t in reversed(range(4)):
        da.insert(0, (dh + data.dy[t]) * (1 - h[t + 1] ** 2))
        dh = low(da[0]) @ low(W_hh)
    expected = {
        "y": np.stack(h[1:]),
        "dh_0": dh[None],
        "dx": np.stack([low(d) @ low(W_ih) for d in da]),
        "dweight_ih_l0": sum(low(d).T @ low(x) for d, x in zip(da, data.x, strict=True)),
        "dweight_hh_l0": sum(low(d).T @ low(v) for d, v in zip(da, h[:-1], strict=True)),
        "dbias_ih_l0": sum(d.sum(0) for d in da),
    }
    plain = tensors.by_room("rnn", transform(data, np.asarray))
    for name, value in expected.items():
        apart = np.abs(rounded[name] - value).max()
        assert apart < 1e-4 * np.abs(value).max(), name  # a factor at a tie may be rounded the other way
        assert apart < np.abs(rounded[name] - plain[name]).max() / 3, name
    assert sequence.ROOMS["rnn"] is rnn


@pytest.mark.parametrize("cell", sequence.ROOMS)
def test_a_record_says_what_the_rule_says(cell):
    single = list(tensors.errors(cell, "float32, torch.nn", seed=1))
    assert max(r["ratio"] for r in single) < 1
    assert {r["part"] for r in single} == {"outputs", "gradients"}
    narrow = list(tensors.errors(cell, "TF32, emulated", seed=1))
    assert len(narrow) == len(single)
    assert all(10 < r["ratio"] < 1000 and 1e-5 < r["relative"] < 1e-2 for r in narrow)
