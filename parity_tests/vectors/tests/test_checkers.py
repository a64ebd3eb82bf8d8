"""Whoever passes the judge passes both checkers, and nobody else does; both say the same, in the same words."""

import shutil
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from ...judge import suite, verdicts
from ...judge.cases import table
from ...judge.implementations import BUILTIN, Implementation
from ...judge.oracle import truth
from ...judge.suite import quiet, run_case
from .. import answer, folder
from ..calls import left_out
from .conftest import CHECKERS, find, laid_out


@pytest.fixture(autouse=True)
def unexplained(monkeypatch):
    """What is wrong is looked for in no misreading: that takes long, and is not what is asked here."""
    monkeypatch.setattr(suite, "_search", lambda implementation: SimpleNamespace(explain=lambda *given: ()))


@pytest.fixture
def answered(vectors, tmp_path):
    """Write the answers of an implementation; returns their folder."""

    def write(implementation: Implementation):
        names = folder.index_of(vectors)["cases"]
        reasons = {name: answer.write(implementation, vectors, name, tmp_path) for name in names}
        folder.write_json(tmp_path / answer.DECLINED, {name: reason for name, reason in reasons.items() if reason})
        return tmp_path

    return write


class Changed:
    """A layer whose outputs, or gradients, are changed by name."""

    def __init__(self, inner, change):
        self.inner, self.change = inner, change

    def forward(self, *given, **masks):
        return self._outputs(self.inner.forward(*given, **masks))

    def infer(self, *given, **masks):
        return self._outputs(self.inner.infer(*given, **masks))

    def _outputs(self, returned):
        y, state_n = returned
        return self.change("y", y), tuple(self.change(f"{k}_n", v) for k, v in zip("hc", state_n, strict=False))

    def backward(self, dy, dstate):
        dx, dstate_0, dw = self.inner.backward(dy, dstate)
        dw = {k: self.change(f"d{k}", v) for k, v in dw.items()}
        return self.change("dx", dx), tuple(self.change(f"d{k}_0", v) for k, v in zip("hc", dstate_0, strict=False)), dw


class Forward:
    """A layer that has no backward."""

    def __init__(self, inner):
        self.forward, self.infer = inner.forward, inner.infer


def changed(change) -> Implementation:
    return replace(BUILTIN["numpy"], load=lambda *given: Changed(BUILTIN["numpy"].load(*given), change), package=None)


def too_large(name, v):
    return (v * 1.01).astype(v.dtype) if name == "y" else v


def state_wrong(name, v):
    v = v.copy()
    if name == "c_n":
        v[-1, 0] += 1e-3
    return v


def weights_swapped(name, v):
    return np.roll(v, len(v) // 3 or 1, axis=0) if name.startswith("dweight_hh") else v


def not_a_number(name, v):
    return np.where(np.arange(v.size).reshape(v.shape) == 3, np.nan, v).astype(v.dtype) if name == "dx" else v


def wider(name, v):
    return v.astype(np.float64) if name == "h_n" else v


def flat(name, v):
    return v.reshape(-1) if name == "h_n" else v


def dirty(name, v):
    """Not zero past an end, though near enough."""
    return np.where(v == 0, 1e-30, v).astype(v.dtype) if name in ("y", "dx") else v


IMPLEMENTATIONS = {
    "numpy": BUILTIN["numpy"],
    "numpy.fast": BUILTIN["numpy.fast"],
    "torch.library": BUILTIN["torch.library"],
    "torch.bptt": BUILTIN["torch.bptt"],
    "forward only": replace(BUILTIN["numpy"], load=lambda *given: Forward(BUILTIN["numpy"].load(*given)), package=None),
} | {f.__name__: changed(f) for f in (too_large, state_wrong, weights_swapped, not_a_number, wider, flat, dirty)}


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.filterwarnings("ignore:TF32 acceleration")
def test_the_checkers_agree_with_the_judge(name, vectors, cases, answered, check):
    """Case by case: passed, wrong, error or declined, and on the tensors that are not as they should be."""
    out = answered(IMPLEMENTATIONS[name])
    said, declined = check(vectors, out), folder.read_json(out / answer.DECLINED)
    statuses = []
    for case in cases:
        result, its = run_case(IMPLEMENTATIONS[name], case), folder.name_of(case)
        statuses.append(result.status)
        assert (result.status == "declined") == (its in declined), its
        assert {"WRONG": "wrong", "ERROR": "error"}.get(status_of(said, its), "fine") in (result.status, "fine"), its
        assert bool(said.of(its)) == (result.status in ("wrong", "error")), its
        if not case.contract:
            assert {line.partition(" ")[0] for line in said.of(its)} == {v.tensor for v in result.verdicts if not v.ok}, its
    assert said.status == int({"wrong", "error"} & {*statuses} != set())
    assert said.status == int(name not in ("numpy", "numpy.fast", "torch.library", "torch.bptt", "forward only"))
    counts = [f"{statuses.count(s)} {s}{'s' * (s == 'error')}" for s in ("passed", "wrong", "error", "declined")]
    assert f"{len(cases)} cases: {', '.join(counts)}" in said.lines
    assert any("of the forward alone" in line for line in said.lines) == (name == "forward only")


def status_of(said, name):
    """The worse of the words before a case's findings."""
    return min((line.split()[0] for line in said.lines if f" {name}: " in line), default="")


LIMITS = [
    ("lstm-T5B4I3H6-nostate", "float32"),
    ("lstm-T5B4I3H6-nostate", "float64"),
    ("rnn-T4B1I1H1-size1", "float32"),
    ("rnn-T4B1I1H1-size1", "float64"),
    ("lstm-proj-T5B4I3H6P2-2layers-bidirectional-batch_first-lengths2_5_1_4-nan_padding", "float64"),
    ("gru-T5B4I3H6-bidirectional-lengths2_5_4_1-nan_inside", "float64"),
]


@pytest.mark.parametrize(("name", "dtype"), LIMITS)
def test_limits_are_the_judges_to_the_last_number(name, dtype, vectors, tmp_path, check):
    """Of each tensor one element is moved to the last number that the judge accepts, and to the first that it refuses."""
    case = find(name, dtype)
    its, known = folder.name_of(case), truth(case)
    vector = tmp_path / "vectors"
    copies = []
    for tensor, (accepted, refused) in edges(case, known):
        copies += [(tensor, True, accepted), (tensor, False, refused)]
    copied(vectors, vector, its, len(copies))
    for k, (_, _, results) in enumerate(copies):
        folder.save(tmp_path / f"copy{k}.safetensors", results)
    said = check(vector, tmp_path)
    for k, (tensor, ok, _) in enumerate(copies):
        assert bool(said.of(f"copy{k}")) != ok, (tensor, ok, said.of(f"copy{k}"))
    assert len(copies) >= 2 * 3


def edges(case, known):
    """For each tensor that is compared at all: results with it next to its limit, on both sides."""
    right = {
        name: np.where(np.isfinite(v), v, np.nan if case.values else v).astype(case.spec.dtype) for name, v in known.oracle.items()
    }
    for name, exact in known.oracle.items():
        finite = np.argwhere(np.isfinite(exact) & (exact != 0))
        if not len(finite):
            continue
        at = tuple(finite[0])  # of sequence 0, where nothing is NaN

        def verdict(steps, name=name, at=at):
            value = right[name][at]
            moved = right[name].copy()
            moved[at] = value + steps * np.spacing(np.abs(value))
            results = right | {name: moved}
            with quiet(case):
                return all(v.ok for v in verdicts.of_case(case, known, results)), results

        low, high = 0, 1
        while verdict(high)[0] and high < 2**60:
            low, high = high, 2 * high
        if high == 2**60:
            continue  # nothing is compared here
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if verdict(middle)[0] else (low, middle)
        yield name, (verdict(low)[1], verdict(high)[1])


def copied(vectors, to, name, count):
    """A folder of vectors in which a case stands so many times, as copy0, copy1, ..."""
    to.mkdir()
    for k in range(count):
        for suffix in (".json", ".expected.safetensors"):
            (to / f"copy{k}{suffix}").symlink_to(vectors / f"{name}{suffix}")
    folder.write_index(to, [f"copy{k}" for k in range(count)], {})


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_two_percent_are_refused_in_16_bits_as_by_the_judge(dtype, vectors, tmp_path, check):
    """By the limit on the factor where the largest error alone would pass; and 16 bits may come as they are."""
    case = find("lstm-T5B4I3H6-nostate", dtype)
    its, known = folder.name_of(case), truth(case)
    right, factors = {k: v.astype(np.float32) for k, v in known.oracle.items()}, (1, 1.005, 1.01, 1.02, 1.05, 1.1)
    copied(vectors, tmp_path / "vectors", its, len(factors))
    judged = []
    for k, factor in enumerate(factors):
        results = {name: v * np.float32(factor) for name, v in right.items()}
        folder.save(tmp_path / f"copy{k}.safetensors", results)
        judged.append({v.tensor for v in verdicts.of_case(case, known, results) if not v.ok})
    said = check(tmp_path / "vectors", tmp_path)
    assert [{line.partition(" ")[0] for line in said.of(f"copy{k}")} for k in range(len(factors))] == judged
    assert judged[0] == set()
    assert judged[3] != set()
    assert any("by a factor of" in line for line in said.lines)


def test_numbers_of_16_bits_are_read(vectors, tmp_path, check):
    """float16 as it is, and bfloat16 as it is in a file, though NumPy has none."""
    narrow = {"float16": lambda v: v.astype(np.float16), "bfloat16": lambda v: (v.view(np.uint32) + 0x8000 >> 16).astype(np.uint16)}
    for dtype, change in narrow.items():
        case = find("lstm-T5B4I3H6-nostate", dtype)
        copied(vectors, tmp_path / dtype, folder.name_of(case), 1)
        oracle = {k: np.ascontiguousarray(v, np.float32) for k, v in truth(case).oracle.items()}
        file = laid_out({k: change(v) for k, v in oracle.items()}, {"float16": "F16", "bfloat16": "BF16"}[dtype])
        (tmp_path / dtype / "copy0.safetensors").write_bytes(file)
        assert check(tmp_path / dtype, tmp_path / dtype).status == 0


@pytest.mark.parametrize("bits", [0x0001, 0x83FF, 0x0400, 0x3C00, 0x3555, 0xFBFF, 0x8000])
def test_each_form_of_a_number_of_16_bits(bits, vectors, tmp_path, check):
    """Smallest, largest below normal, smallest normal, 1, a third, the largest: what the checkers say it is off by."""
    case = find("lstm-T5B4I3H6-nostate", "float16")
    copied(vectors, tmp_path / "vectors", folder.name_of(case), 1)
    results = {k: v.astype(np.float16) for k, v in truth(case).oracle.items()}
    results["y"][...] = np.uint16(bits).view(np.float16)
    folder.save(tmp_path / "copy0.safetensors", results)
    off = np.abs(results["y"].astype(float) - truth(case).oracle["y"]).max()
    (line,) = [line for line in check(tmp_path / "vectors", tmp_path).of("copy0") if line.startswith("y ")]
    assert line.startswith(f"y is off by {off:.3e}, allowed ")


def test_the_first_wrong_step_is_named_in_the_order_of_computation(vectors, tmp_path, check):
    """The outputs from step 2 on, the gradients from step 3 back; in sequence 1 alone."""
    name = "lstm-proj-T5B4I3H6P2-2layers-bidirectional-batch_first-lengths2_5_1_4-nan_padding"
    case = find(name, "float64")
    copied(vectors, tmp_path / "vectors", folder.name_of(case), 1)
    results = {k: v.astype(np.float64) for k, v in truth(case).oracle.items()}
    results["y"][1, 2:] += 1
    results["dx"][1, :4] += 1
    results["dc_0"][:3, 1:] += 1
    folder.save(tmp_path / "copy0.safetensors", results)
    places = {line.split()[0]: line.partition(", first at ")[2] for line in check(tmp_path / "vectors", tmp_path).of("copy0")}
    assert places == {"y": "time 2, sequence 1", "dx": "time 3, sequence 1", "dc_0": "row 2, sequence 1"}


def test_an_example_in_javascript_answers_what_it_can(vectors, tmp_path, check):
    """Without Python: it reads the vectors, answers, and says what it declines."""
    node = shutil.which("node") or pytest.skip("node is not installed")
    subprocess.run([node, CHECKERS / "lstm.mjs", vectors, tmp_path / "answers"], check=True)
    said = check(vectors, tmp_path / "answers")
    names = folder.index_of(vectors)["cases"]
    assert said.status == 0
    assert f"{len(names)} cases: 2 passed, 0 wrong, 0 errors, {len(names) - 2} declined" in said.lines
    assert "2 of those that passed are of the forward alone" in said.lines
    wrong = tmp_path / "wrong.mjs"
    source = (CHECKERS / "lstm.mjs").read_text(encoding="utf-8")
    line = "sigmoid(a[H + k]) * c[at] + sigmoid(a[k])"
    assert line in source
    wrong.write_text(source.replace(line, "sigmoid(a[k]) * c[at] + sigmoid(a[H + k])"), encoding="utf-8")  # f i g o
    subprocess.run([node, wrong, vectors, tmp_path / "answers"], check=True)
    assert check(vectors, tmp_path / "answers").status == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:TF32 acceleration")
def test_every_case_of_the_table(tmp_path, check):
    """The definition and PyTorch pass in every case that the judge passes them in, and a wrong cell state in none."""
    out = tmp_path / "vectors"
    folder.prepare(out, overwrite=False)
    cases = [case for case in table() if not left_out(case)]
    names = [folder.write(out, case) for case in cases]
    folder.write_index(out, names, {})
    for name in ("numpy", "torch.library", "too_large"):
        answers = tmp_path / name
        answers.mkdir()
        reasons = {n: answer.write(IMPLEMENTATIONS[name], out, n, answers) for n in names}
        folder.write_json(answers / answer.DECLINED, {n: reason for n, reason in reasons.items() if reason})
        said = check(out, answers)
        for case in cases:
            result, its = run_case(IMPLEMENTATIONS[name], case), folder.name_of(case)
            assert (result.status == "declined") == bool(reasons[its]), its
            assert bool(said.of(its)) == (result.status in ("wrong", "error")), its
