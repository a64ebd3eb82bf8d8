"""The configurations: what they are, their arithmetic, their data."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from parity_tests.judge.implementations import BUILTIN

from .command import main as listing
from .config import PHASES, Config
from .presets import CELLS, GRID, PRESETS, V100


@pytest.mark.parametrize("name", PRESETS)
def test_every_configuration_is_there_once_and_can_be_built(name):
    for device in ("cpu", "cuda"):
        jobs = PRESETS[name].jobs(device)
        assert jobs
        assert len(set(jobs)) == len(jobs)
        assert len({f"{config.name} {phase}" for config, phase in jobs}) == len(jobs)
        for config, phase in jobs:
            assert config.device == device
            assert config.spec().device == device
            assert config.bytes(phase) > 0
            assert (config.flops(phase) > 0) == (config.cell != "none")


def test_the_grid_is_eight_sizes_of_each_cell():
    assert len(GRID) == 8
    configs = PRESETS["grid"].configs
    assert {(c.cell, c.T, c.B, c.input_size, c.hidden_size) for c in configs} == {
        (cell, T, B, H, H) for cell in CELLS for T, B, H in GRID
    }


def test_deepbench_has_as_many_shapes_as_its_source():
    """Counted in rnn_problems.h: 12 vanilla, 22 LSTM, 19 GRU to be trained; 15 LSTM, 54 GRU for servers."""
    preset = PRESETS["deepbench"]
    trained = [[c.cell for c in preset.configs].count(cell) for cell in CELLS]
    served = [[c.cell for c in preset.forward_only].count(cell) for cell in CELLS]
    assert (trained, served) == ([12, 22, 19], [0, 15, 54])
    assert {c.nonlinearity for c in preset.configs if c.cell == "rnn"} == {"relu"}
    assert set(V100) <= {(c.cell, c.hidden_size, c.B, c.T) for c in preset.configs}


def test_cliffs_have_both_sides_of_each_edge_and_packed_beside_padded():
    configs = [c for c in PRESETS["cliffs"].configs if c.cell == "lstm"]
    assert {c.hidden_size for c in configs} >= {127, 128, 129, 191, 192, 193, 255, 256, 257, 511, 512, 513}
    assert {c.B for c in configs} >= {7, 8, 9}
    assert {c.fill for c in configs} == {None, 1.0, 0.75, 0.5, 0.25}
    assert {(c.num_layers, c.bidirectional) for c in configs} == {(1, False), (2, False), (3, False), (1, True), (2, True)}


@pytest.mark.parametrize("fill", [1.0, 0.75, 0.5, 0.25, 0.1])
def test_lengths_have_the_mean_that_was_asked_for_and_are_unsorted(fill):
    config = Config("lstm", T=50, B=32, input_size=8, hidden_size=8, fill=fill)
    lengths = config.lengths()
    assert lengths.shape == (32,)
    assert 1 <= lengths.min() <= lengths.max() == 50
    assert abs(lengths.mean() / 50 - fill) < 0.03
    assert fill == 1 or (np.diff(lengths) > 0).any() < (np.diff(lengths) < 0).any() + 1
    assert config.rows() == lengths.sum()
    assert config.case().lengths == tuple(lengths)
    assert max(config.case(7).lengths) == 7


class Counter(TorchDispatchMode):
    """Additions and multiplications of every matrix product that runs inside."""

    flops = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default):
            a, b = args[-2:]
            self.flops += 2 * a.shape[0] * a.shape[1] * b.shape[1]
        assert func not in (torch.ops.aten.bmm.default, torch.ops.aten.baddbmm.default)
        return func(*args, **kwargs or {})


@pytest.mark.parametrize(
    "config",
    [
        Config("rnn", 3, 4, 5, 6),
        Config("lstm", 3, 4, 5, 6),
        Config("gru", 3, 4, 5, 6),
        Config("lstm", 3, 4, 5, 6, proj_size=2),
        Config("gru", 3, 4, 5, 6, reset_after=False),
        Config("lstm", 3, 4, 5, 6, num_layers=2, bidirectional=True),
        Config("gru", 5, 4, 3, 6, fill=0.6),
    ],
    ids=lambda c: c.name,
)
@pytest.mark.parametrize("phase", PHASES)
def test_flops_are_those_that_torch_counts(config, phase):
    """The hoisted loop has exactly the products that are meant."""
    candidate = config.candidate(BUILTIN["torch.hoisted"], phase)
    with Counter() as counter:
        candidate.call()
    assert counter.flops == config.flops(phase)


def test_bytes_are_every_number_once_and_its_gradient_once():
    weights, x, y, states = 4 * 6 * 5 + 4 * 6 * 6 + 2 * 4 * 6, 3 * 4 * 5, 3 * 4 * 6, 2 * 2 * 4 * 6
    config = Config("lstm", 3, 4, 5, 6)
    assert config.bytes("forward") == 4 * (weights + x + y + states)
    assert config.bytes("train") == 2 * config.bytes("forward")
    assert Config("lstm", 3, 4, 5, 6, dtype="bfloat16").bytes("forward") == config.bytes("forward") // 2
    assert Config("lstm", 3, 4, 5, 6, dtype="float64").bytes("train") == 2 * config.bytes("train")


def test_small_keeps_every_option():
    config = Config("lstm", 50, 32, 256, 256, num_layers=2, bidirectional=True, proj_size=64, fill=0.5, dtype="float64")
    small = config.small()
    assert (small.num_layers, small.bidirectional, bool(small.proj_size), small.dtype) == (2, True, True, "float64")
    assert len(set(small.lengths())) > 1
    assert small.T * small.B < 50


def test_list_prints_presets_and_cases(capsys):
    assert listing([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in PRESETS)
    assert listing(["--preset", "grid"]) == 0
    assert "lstm T100 B32 H128 float32 cpu train" in capsys.readouterr().out.splitlines()
