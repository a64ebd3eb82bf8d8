"""No parity, no number: what is wrong is not timed, wherever it is wrong, and what a call does inside."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from parity_tests.judge.implementations import BUILTIN, Implementation
from torch_impl.common.precision import allow_tf32

from ..what.config import PHASES, Config
from ..what.layer import ForwardOnly, before_kinks, data_of
from ..what.precision import in_force, rounded
from . import check, profiling
from .clock import Plan
from .measure import Setting, measure

RATES = {"float32": 100.0, "float64": 50.0, "bfloat16": 100.0, "float16": 100.0}
LIMITS = {"cpu": {"gemm_gflops": RATES, "copy_gbs": 10.0, "shape": ""}}
SETTING = Setting(LIMITS, Plan(seconds=0.0, rounds=1, turn=2, warm_s=0.0))
LSTM = Config("lstm", 9, 2, 4, 5)


class Spoilt:
    """The definition with something done to what it returns; counts its forwards by the number of time steps."""

    def __init__(self, spec, weights, spoil):
        self.layer, self.spoil, self.steps = BUILTIN["numpy"].load(spec, weights), spoil, []

    def forward(self, x, state, lengths=None):
        self.steps.append(len(x))
        y, state_n = self.layer.forward(x, state, lengths)
        return self.spoil(x, y), state_n

    def backward(self, dy, dstate):
        return self.layer.backward(dy, dstate)


def spoilt(spoil=lambda x, y: y, layers=None):
    """A stranger without put, get and sync, whose layers are added to ``layers``."""

    def load(spec, weights):
        layer = Spoilt(spec, weights, spoil)
        if layers is not None:
            layers.append(layer)
        return layer

    return Implementation("stranger", load)


def one(implementation, config=LSTM, phase="train"):
    (row,) = measure(config, phase, [implementation], SETTING)
    return row


def look(implementation, config, phase):
    candidate = config.candidate(implementation, phase)
    return profiling.kernel_and_memory(candidate, profiling.first_call(candidate))


@pytest.mark.parametrize("phase", PHASES)
def test_a_right_stranger_is_timed(phase):
    row = one(spoilt(), phase=phase)
    assert (row["status"], row["reason"]) == ("ok", "")
    assert 0 < row["parity"] <= 1
    assert len(row["seconds"]["samples"]) == 2
    assert row["kernel"] is row["compile_s"] is None
    assert row["gflops"] > 0


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda x, y: y * 1.001, "small case, y"),
        (lambda x, y: y * 1.001 if len(x) > 5 else y, "T = 9, y"),
        (lambda x, y: y * np.nan if len(x) > 5 else y, "T = 9, y"),
        (lambda x, y: y[..., 1:] if len(x) > 5 else y, "T = 9, y: missing, or of another shape"),
    ],
    ids=["everywhere", "at the real size", "not a number", "another shape"],
)
def test_what_is_wrong_is_not_timed(spoil, reason):
    layers = []
    row = one(spoilt(spoil, layers))
    assert row["status"] == "wrong"
    assert reason in row["reason"]
    assert row["parity"] is None or row["parity"] > 1
    assert row["seconds"] is row["gflops"] is row["peak_bytes"] is None
    assert sum(layer.steps.count(9) for layer in layers) <= 2  # the first call and the judged one


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("factor", [1.0, 1.02, 1.1])
def test_two_percent_are_wrong_in_narrow_precisions_too(factor, dtype):
    torch_loop = BUILTIN["torch.loop"]

    def load(spec, weights):
        layer = torch_loop.load(spec, weights)
        run = layer.run
        layer.run = lambda *args: (lambda y, state_n: (y * factor, state_n))(*run(*args))
        return layer

    candidate = Config("lstm", 9, 8, 16, 32, dtype=dtype).candidate(Implementation("stranger", load), "forward")
    if factor == 1:
        assert check.judge(candidate, 9) < 1
    else:
        with pytest.raises(check.WrongError, match=r"T = 9, y: (wrong by a factor|error)"):
            check.judge(candidate, 9)


def test_what_is_wrong_as_inference_only_is_wrong_in_that_phase_only():
    stranger = spoilt(lambda x, y: y if torch.is_grad_enabled() else y + 1)
    assert one(stranger, phase="train")["status"] == "ok"
    assert one(stranger, phase="forward")["status"] == "wrong"


def test_a_candidate_is_built_once_beside_the_small_case():
    layers = []
    assert one(spoilt(layers=layers))["status"] == "ok"
    assert [layer.steps.count(9) > 0 for layer in layers].count(True) == 1


def test_exceptions_are_rows_and_the_others_go_on():
    def raises(error):
        def spoil(x, y):
            raise error

        return spoilt(spoil).load

    def late(x, y):
        if len(x) > 5:
            raise MemoryError("Unable to allocate")
        return y

    rivals = [
        Implementation("a", raises(ValueError("no"))),
        Implementation("b", spoilt(late).load),
        BUILTIN["numpy"],
        Implementation("c", spoilt().load, lambda spec: "not today"),
    ]
    rows = measure(LSTM, "train", rivals, SETTING)
    assert [row["implementation"] for row in rows] == ["a", "b", "numpy", "c"]
    assert [row["status"] for row in rows] == ["error", "out of memory", "ok", "declined"]
    assert "ValueError: no" in rows[0]["reason"]
    assert rows[3]["reason"] == "not today"


def test_one_that_fails_while_it_is_timed_has_a_row_without_a_time():
    calls = []

    def worn(x, y):
        calls.append(len(x))
        if calls.count(9) > 3:
            raise RuntimeError("worn out")
        return y

    row = one(spoilt(worn))
    assert (row["status"], row["seconds"]) == ("error", None)
    assert row["parity"] <= 1


def test_a_forward_only_engine_is_not_trained():
    engine = Implementation("engine", lambda spec, weights: ForwardOnly(BUILTIN["numpy"].load(spec, weights)))
    assert one(engine, phase="forward")["status"] == "ok"
    row = one(engine, phase="train")
    assert (row["status"], row["reason"]) == ("declined", "forward only: it has no backward")


@pytest.mark.parametrize("name", [n for n in BUILTIN if n != "torch.cell"])
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    "config",
    [
        LSTM,
        replace(LSTM, dtype="float64"),
        replace(LSTM, fill=0.5, B=4),
        replace(LSTM, proj_size=2),
        replace(LSTM, num_layers=2, bidirectional=True),
        Config("rnn", 9, 2, 4, 5, nonlinearity="relu"),
        Config("gru", 9, 1, 4, 5),
    ],
    ids=lambda c: c.name,
)
def test_every_implementation_passes_every_kind_of_configuration(name, config, phase):
    assert 0 <= check.small(BUILTIN[name], config.small(), phase) <= 1
    assert 0 <= check.judge(config.candidate(BUILTIN[name], phase), config.T) <= 1


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_low_precisions_have_a_baseline_of_their_own(cell, dtype):
    config = Config(cell, 9, 2, 4, 5, dtype=dtype)
    for name in ("torch.loop", "torch.hoisted", "torch.library", "torch.bptt"):
        row = one(BUILTIN[name], config)
        assert row["status"] == "ok", row["reason"]
        assert row["parity"] <= 1
    assert one(BUILTIN["numpy"], config)["reason"] == f"NumPy does not compute in {dtype}"


def test_a_low_precision_is_no_excuse():
    """Twenty percent off is beyond what bfloat16 needs."""

    class Off(type(BUILTIN["torch.loop"].load(LSTM.spec(), data_of(LSTM).weights))):
        def get(self, tensor):
            return 1.2 * super().get(tensor)

    def load(spec, weights):
        layer = BUILTIN["torch.loop"].load(spec, weights)
        layer.__class__ = Off
        return layer

    row = one(Implementation("off", load), replace(LSTM, dtype="bfloat16"))
    assert row["status"] == "wrong"


def test_data_is_what_the_precision_holds():
    data = data_of(replace(LSTM, dtype="bfloat16"))
    assert data.x.dtype == np.float32
    assert not (data.x.view(np.uint32) & 0xFFFF).any()
    assert rounded(data, "bfloat16").x.tolist() == data.x.tolist()


def test_tf32_is_on_for_its_rows_only():
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    with in_force("tf32"):
        assert torch.backends.cuda.matmul.allow_tf32 and torch.backends.cudnn.allow_tf32
        with in_force("float32"):
            assert not (torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)
    assert before == (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
    allow_tf32(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


def test_long_sequences_are_judged_shortened_and_very_large_ones_small_only():
    config = Config("lstm", 1000, 64, 512, 512, fill=0.5)
    full, shorter, none = (config.affordable(check.SECONDS, gflops) for gflops in (1e9, 100.0, 0.01))
    case = config.case(shorter)
    assert full == config.T
    assert 2 <= case.T < 1000 and case.spec == replace(config.case().spec, T=case.T) and max(case.lengths) == case.T
    assert none == 0
    assert Config("gru", 1, 1, 4, 5).affordable(check.SECONDS, 50.0) == 1


def test_no_gradient_is_sent_through_a_kink_of_relu():
    config = Config("rnn", 6, 3, 4, 5, nonlinearity="relu")
    data = config.case().data()
    data.weights["weight_ih_l0"][2], data.weights["weight_hh_l0"][2] = np.eye(4)[0], 0  # the argument of unit 2 is x[..., 0]
    data.weights["bias_ih_l0"][2] = data.weights["bias_hh_l0"][2] = 0
    data.x[3, 1, 0], data.x[5, 2, 0] = 1e-9, -1e-9
    spared = before_kinks(config.case(), data)
    expected, expected_state = data.dy.copy(), data.dstate[0].copy()
    expected[3:, 1], expected[5:, 2], expected_state[:, 1:] = 0, 0, 0
    np.testing.assert_array_equal(spared.dy, expected)
    np.testing.assert_array_equal(spared.dstate[0], expected_state)
    assert spared.dy.dtype == np.float32


@pytest.mark.parametrize("name", ["numpy.fast", "torch.library"])
def test_a_right_layer_passes_a_shortened_case(name):
    """Its weights are those of the full case, of which the shortened one must not draw others."""
    config = Config("gru", 12, 4, 5, 6)
    candidate = config.candidate(BUILTIN[name], "train")
    assert config.case(7).data().weights["weight_hh_l0"][0, 0] != config.case().data().weights["weight_hh_l0"][0, 0]
    assert check.judge(candidate, 7) <= 1


def test_what_cannot_be_judged_at_its_size_is_judged_small(monkeypatch):
    monkeypatch.setattr(check, "SECONDS", 0.0)
    assert one(spoilt(lambda x, y: y * 1.001 if len(x) > 5 else y))["status"] == "ok"
    assert one(spoilt(lambda x, y: y * 1.001))["status"] == "wrong"


@pytest.mark.parametrize(
    ("names", "kernel"),
    [
        ({"aten::lstm", "aten::mkldnn_rnn_layer"}, "oneDNN"),
        ({"aten::lstm", "aten::_cudnn_rnn", "cutlass_gemm"}, "cuDNN"),
        ({"aten::_cudnn_rnn", "void RNN_blockPersist_fp_LSTM<float>"}, "cuDNN persist"),
        ({"cudaGraphLaunch", "aten::copy_"}, "CUDA graph"),
        ({"Torch-Compiled Region: 0/0", "aten::addmm"}, "compiled"),
        ({"lstm_step_forward", "aten::addmm_"}, "Triton"),
        ({"gru_persistent_backward", "aten::mm"}, "Triton persistent"),
        ({"aten::addmm"}, "native"),
        (set(), None),
    ],
)
def test_kernels_by_the_names_in_a_profile(names, kernel):
    assert profiling.kernel_of(names) == kernel


def test_an_array_program_is_numpy():
    assert profiling.kernel_of(set(), "NumPy") == "NumPy"
    assert profiling.kernel_of({"aten::mm"}, "NumPy") == "native"


@pytest.mark.parametrize(
    ("name", "cell", "kernel"),
    [
        ("numpy", "lstm", "NumPy"),
        ("numpy.fast", "gru", "NumPy"),
        ("numba", "gru", "Numba"),
        ("torch.loop", "lstm", "native"),
        ("torch.native", "lstm", "native"),
        ("torch.library", "gru", "native"),
        pytest.param(
            "torch.library",
            "lstm",
            "oneDNN",
            marks=pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch was built without oneDNN"),
        ),
    ],
)
@pytest.mark.parametrize("phase", PHASES)
def test_kernel_and_memory_of_a_call(name, cell, kernel, phase):
    config = Config(cell, 20, 4, 16, 32)
    seen = look(BUILTIN[name], config, phase)
    assert seen["kernel"] == kernel
    output = 20 * 4 * 32 * 4
    assert output <= seen["peak_bytes"] < 100 * output


def test_training_holds_more_than_inference():
    config = Config("lstm", 50, 4, 16, 32)
    peaks = [look(BUILTIN["torch.loop"], config, phase)["peak_bytes"] for phase in PHASES]
    assert peaks[1] > 2 * peaks[0]


def test_memory_at_its_peak():
    held_before = (1, 500, -64)
    events = [(3, 20, 100), held_before, (2, 10, 50), (4, 10, -50), (5, 30, 60), (6, 20, -100)]
    assert profiling.peak_of(events) == 160
    assert profiling.peak_of([]) == 0


def test_allocations_are_found_in_the_tree_of_events():
    def event(name, *children, device="cpu", **fields):
        return SimpleNamespace(
            name=name,
            children=list(children),
            start_time_ns=1,
            extra_fields=SimpleNamespace(device=SimpleNamespace(type=device), **fields),
        )

    tree = [event("aten::mm", event("[memory]", ptr=1, alloc_size=8), event("[memory]", device="cuda", ptr=2, alloc_size=9))]
    assert profiling.allocations(SimpleNamespace(experimental_event_tree=lambda: tree)) == [(1, 1, 8)]


@pytest.mark.parametrize("phase", PHASES)
def test_what_is_held_from_calls_before_does_not_hide_what_a_call_needs(phase):
    config = Config("lstm", 50, 16, 64, 64)
    candidate = config.candidate(BUILTIN["numpy"], phase)
    profiling.first_call(candidate)
    first, *later = (profiling.traced(candidate) for _ in range(3))
    assert all(0.99 * first < peak < 1.01 * first for peak in later)
    output = 50 * 16 * 64 * 4
    assert first > output * (5 if phase == "train" else 1)


def test_peak_memory_on_a_gpu_is_that_of_its_allocator(monkeypatch):
    """A device that is made of numbers: 100 bytes held before, 350 at most."""
    log = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: log.append("reset"))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 100)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 350)
    candidate = SimpleNamespace(device="cuda", trains=False, call=lambda: log.append("call"), sync=lambda: log.append("sync"))
    assert profiling.first_call(candidate) == 250
    assert log == ["sync", "reset", "call", "sync"]
    candidate.trains = True
    assert profiling.first_call(candidate) is None


def test_what_runs_on_a_gpu_is_waited_for_even_if_its_layer_does_not_say_how(monkeypatch):
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: "waited")
    config = replace(LSTM, device="cuda")
    assert config.candidate(spoilt(), "forward").sync() == "waited"
    assert LSTM.candidate(spoilt(), "forward").sync() is None
