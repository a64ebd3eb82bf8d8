"""The pieces, on the CPU: what is chosen, in which order, what a row says, and what goes on where it ended."""

import json
import math
import time
from dataclasses import replace

import pytest
import torch

from parity_tests.judge.cases import Case, table, usual
from parity_tests.judge.contracts import CONTRACTS
from parity_tests.judge.implementations import BUILTIN, MORE, Implementation
from parity_tests.judge.suite import run_case
from parity_tests.judge.tolerance import NO_ERROR

from ..run import check, results
from ..run.command import arguments as run_arguments
from ..what.config import PHASES, Config
from ..what.precision import in_force
from ..what.presets import PRESETS, V100
from . import crew, first_look, low_precision, parity, rows, timed
from .crew import Setting, Task
from .rows import NAMES, Rows
from .test_crew import nothing, work


def told(module, *words):
    """The status of a piece, and what it printed."""
    return module.main(["--device", "cpu", *words])


def test_every_way_of_torch_takes_part_but_the_one_that_compiles():
    assert set(NAMES) == {name for name in BUILTIN | MORE if name.startswith("torch.")} - {"torch.compiled"}
    assert {"torch.library", "torch.graphed", "torch.hoisted"} <= set(NAMES)


# The chosen third


def options(case):
    """The single properties of a case."""
    s = case.spec
    yield from ((s.kind, name, getattr(s, name)) for name in ("bias", "batch_first", "bidirectional", "packed", "dropout"))
    yield s.kind, "num_layers", s.num_layers
    yield s.kind, "state", case.state
    yield s.cell, "contract", case.contract
    yield s.cell, "values", case.values
    yield s.cell, "label", case.label
    yield "memory", case.memory
    yield "lengths_dtype", case.lengths_dtype
    yield s.kind, "one", (case.T == 1, case.B == 1)


def test_a_third_of_the_cases_has_every_kind_option_contract_and_size():
    every, chosen = table(["float32"]), parity.chosen()
    assert len(chosen) == len({case.name for case in chosen}) == len(every) // 3
    assert {case.contract for case in chosen} == {"", *CONTRACTS}
    missing = {p for case in every for p in options(case)} - {p for case in chosen for p in options(case)}
    assert not missing


def test_the_third_is_always_the_same_and_says_most_first():
    chosen = parity.chosen()
    assert chosen == parity.chosen()
    first = chosen[: len(chosen) // 3]
    assert {case.spec.kind for case in first} == {case.spec.kind for case in table(["float32"])}
    assert len({p for case in first for p in options(case)}) > len({p for case in chosen for p in options(case)}) / 2
    dear = [parity.cost(case) for case in chosen]
    assert sum(dear) < sum(map(parity.cost, table(["float32"]))) / 3


def test_it_is_for_the_device():
    assert {case.spec.device for case in parity.chosen("cuda")} == {"cuda"}


# Rows


def test_a_row_of_a_case_says_what_is_wrong_and_where():
    def load(spec, weights):
        layer = BUILTIN["torch.loop"].load(spec, weights)
        real = layer.forward
        layer.forward = lambda *a, **k: ((y := real(*a, **k))[0] * 1.01, y[1])
        return layer

    case = Case(usual("gru"))
    row = parity.row_of(run_case(Implementation("mine", load), case))
    assert row["status"] == "wrong"
    assert "y: number" in row["reason"] and "t = 0" in row["reason"]
    assert row["parity"] > 1
    assert parity.work("torch.hoisted", case)["status"] == "ok"
    assert parity.work("torch.graphed", case)["status"] == "declined"


def test_what_is_not_finite_can_be_written_as_json():
    def load(spec, weights):
        raise RuntimeError("CUDA error")

    row = parity.row_of(run_case(Implementation("mine", load), Case(usual("gru"))))
    assert (row["status"], row["parity"]) == ("error", None)
    assert "CUDA error" in row["reason"]
    json.dumps(row, allow_nan=False)


def test_a_way_that_raises_in_the_first_piece_leaves_its_traceback(monkeypatch):
    def load(spec, weights):
        raise RuntimeError("no kernel image is available")

    monkeypatch.setitem(MORE, "torch.broken", Implementation("torch.broken", load))
    row = crew.done(first_look.work, ("torch.broken", "cpu"))
    assert (row["status"], row["reason"]) == ("error", "RuntimeError: no kernel image is available")
    assert "in load" in row["traceback"]


def test_a_way_that_is_wrong_or_declines_says_so_in_the_first_piece(monkeypatch):
    assert first_look.work("torch.graphed", "cpu")["status"] == "declined"
    monkeypatch.setattr(check, "limits", lambda *a: NO_ERROR)
    check.truth_of.cache_clear()
    row = first_look.work("torch.loop", "cpu")
    check.truth_of.cache_clear()
    assert row["status"] == "wrong" and "error" in row["reason"]


def test_the_first_piece_says_what_the_machine_is_and_times_one_lstm(tmp_path, capsys):
    file = tmp_path / "machine.json"
    begin = ["--impl", "torch.library", "--impl", "torch.graphed", "--out", str(file), "--seconds", "999"]
    rows.BEGUN, before = time.monotonic(), rows.BEGUN
    try:
        assert told(first_look, *begin) == 0
    finally:
        rows.BEGUN = before
    content = rows.read(file)
    assert content["whole"]
    assert content["machine"]["processor"] and content["environment"]["torch"] == torch.__version__
    assert content["more"]["versions"]["python"]
    machine, library, graphed = content["rows"]
    assert [r["status"] for r in (machine, library, graphed)] == ["ok", "ok", "declined"]
    assert 0 <= library["parity"] <= 1
    assert set(library["seconds"]) == set(PHASES) and all(s > 0 for s in library["seconds"].values())
    assert "torch.library: ok, parity" in capsys.readouterr().out


# The file


@pytest.fixture
def file(tmp_path):
    return tmp_path / "x.json"


GROUPS = [[Task({"implementation": n, "case": c}, (n, s)) for n, s in (("a", "ok"), ("b", "declined"))] for c in "xyz"]
ABOUT = {"machine": {"processor": "Imaginary"}, "environment": {"torch": "9"}}


def judge(file, groups, about=ABOUT, **how):
    made = Rows(file, "test", ("implementation", "case"), about)
    return made, made.judge(groups, Setting(work, prepare=nothing, **how))


def test_a_file_goes_on_with_what_it_lacks(file, capsys):
    made, status = judge(file, GROUPS[:1])
    assert (status, made.content["whole"], len(made.content["rows"])) == (0, True, 2)
    made, status = judge(file, GROUPS, until=0.0)
    assert (status, rows.read(file)["whole"], len(rows.read(file)["rows"])) == (0, False, 2)
    assert "4 of 4 are left" in capsys.readouterr().out
    made, status = judge(file, GROUPS)
    assert (status, rows.read(file)["whole"]) == (0, True)
    assert [(r["implementation"], r["case"]) for r in rows.read(file)["rows"]] == [(n, c) for c in "xyz" for n in "ab"]


def test_a_file_is_whole_at_any_moment(file):
    seen = []
    made = Rows(file, "test", ("implementation", "case"), ABOUT)
    for n in range(3):
        made.cost = 0.0  # as if writing took no time
        made.add({"implementation": "a", "case": str(n), "status": "ok"})
        seen.append(len(rows.read(file)["rows"]))
    assert seen == [1, 2, 3]
    made.cost = 1e6
    made.add({"implementation": "a", "case": "9", "status": "ok"})
    assert len(rows.read(file)["rows"]) == 3  # it would be written too often
    made.write()
    assert len(rows.read(file)["rows"]) == 4


def test_what_is_wrong_is_status_1(file, capsys):
    groups = [[Task({"implementation": "a", "case": "x"}, ("a", "wrong"))]]
    assert judge(file, groups)[1] == 1
    assert "a x wrong" in capsys.readouterr().out


def test_a_file_of_another_machine_or_piece_is_not_gone_on_with(file):
    judge(file, GROUPS[:1])
    with pytest.raises(ValueError, match="another machine"):
        judge(file, GROUPS, ABOUT | {"machine": {"processor": "Other"}})
    with pytest.raises(ValueError, match="of piece 'test'"):
        Rows(file, "parity", ("implementation",), ABOUT)
    file.write_text("{")
    with pytest.raises(ValueError, match="is broken"):
        judge(file, GROUPS)


def test_who_was_lost_in_the_first_piece_is_left_out_later(tmp_path, capsys):
    (tmp_path / "machine.json").write_text(
        json.dumps(
            {
                "format": rows.FORMAT,
                "version": rows.VERSION,
                "rows": [
                    {"implementation": "torch.cell", "status": "crashed"},
                    {"implementation": "torch.loop", "status": "error"},
                ],
            }
        )
    )
    assert rows.lost_before(tmp_path) == {"torch.cell"}
    args = rows.arguments("parity", parity.__doc__).parse_args(["--out", str(tmp_path / "parity.json")])
    assert rows.names(args) == [name for name in NAMES if name != "torch.cell"]
    assert "torch.cell is left out" in capsys.readouterr().out
    assert rows.lost_before(tmp_path / "nowhere") == set()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
@pytest.mark.parametrize("module", [first_look, parity, low_precision, timed])
def test_without_a_device_one_sentence_and_status_2(module, tmp_path, capsys):
    more = ["--piece", "grid"] if module is timed else []
    assert module.main(["--out", str(tmp_path / "x.json"), *more]) == 2
    assert "torch sees no CUDA device" in " ".join(capsys.readouterr().err.split())


# Narrow precisions


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_precisions_are_judged_on_the_cpu_too(dtype):
    found = [low_precision.work("torch.library", c, p) for c in low_precision.configs(dtype, "cpu")[:5] for p in PHASES]
    assert {row["status"] for row in found} == {"ok"}
    assert low_precision.work("torch.graphed", low_precision.configs(dtype, "cpu")[0], "train")["status"] == "declined"


def test_what_is_wrong_in_a_narrow_precision_is_said(monkeypatch):
    monkeypatch.setattr(low_precision.check, "limits", lambda *a: NO_ERROR)
    check.truth_of.cache_clear()
    row = low_precision.work("torch.loop", low_precision.configs("bfloat16", "cpu")[0], "train")
    check.truth_of.cache_clear()
    assert row["status"] == "wrong"
    assert row["parity"] is None or row["parity"] < math.inf
    assert low_precision.cell([row]) == "✗ 1 of 1"


def test_tf32_is_on_while_it_is_judged_and_off_for_the_others(monkeypatch):
    """On a device that is not there: what the flags are when a row is made."""
    seen = {}

    def judged(candidate, T):
        seen[candidate] = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        return 0.0

    monkeypatch.setattr(check, "judge", judged)
    monkeypatch.setattr(Config, "candidate", lambda self, i, phase: self.dtype)
    with in_force("float32"):
        for dtype in ("tf32", "bfloat16"):
            low_precision.work("torch.loop", low_precision.configs(dtype, "cuda")[0], "train")
    assert seen == {"tf32": (True, True), "bfloat16": (False, False)}


def test_each_precision_comes_up_at_once():
    groups = low_precision.groups(["torch.loop"], ["tf32", "bfloat16"], "cuda")
    assert [group[0].about["dtype"] for group in groups[:4]] == ["tf32", "bfloat16"] * 2
    assert all({task.about["phase"] for task in group} == set(PHASES) for group in groups)


# Times


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("name", timed.PIECES)
def test_every_timed_piece_is_something_that_run_takes(name, device):
    args = run_arguments().parse_args(timed.words(name, device, "x.json", ["torch.native"]))
    assert args.resume
    assert "torch.library" in args.impl and "torch.native" not in args.impl
    assert set(args.impl) <= set(BUILTIN | MORE)
    assert args.device == (["cpu", "cuda"] if name == "crossover" and device == "cuda" else [device])
    assert ("tf32" in args.dtype) == (device == "cuda" and name in ("grid", "deepbench"))


def ordered(name, dtypes=("float32",), devices=("cuda",)):
    piece = timed.PIECES[name]
    jobs = [
        (replace(c, dtype=dtype), phase)
        for device in devices
        for dtype in dtypes
        for c, phase in PRESETS[piece.preset].jobs(device)
    ]
    return sorted(jobs, key=lambda job: piece.order(*job))


def test_the_grid_has_all_of_float32_first_and_then_cell_by_cell():
    jobs = ordered("grid", timed.PIECES["grid"].dtypes)
    assert {c.dtype for c, _ in jobs[:18]} == {"float32"}
    assert [(c.cell, c.dtype) for c, _ in jobs[18::6]] == [(cell, d) for cell in timed.CELLS for d in ("tf32", "bfloat16")]


def test_the_crossover_has_both_devices_of_a_case_side_by_side_and_a_lattice_at_any_moment():
    jobs = ordered("crossover", devices=("cpu", "cuda"))
    assert all(
        (replace(a, device=""), p) == (replace(b, device=""), q) for (a, p), (b, q) in zip(jobs[::2], jobs[1::2], strict=True)
    )
    for n in range(18, len(jobs) + 1, 2):
        mine = {(c.B, c.hidden_size) for c, phase in jobs[:n] if (c.cell, phase) == ("lstm", "train")}
        down, across = (len({point[i] for point in mine}) for i in (0, 1))
        assert len(mine) >= max(4, down * across / 2), n  # what the report takes for a map
    assert all((c.cell, phase) == ("lstm", "train") for c, phase in jobs[:18])


def test_the_other_orders():
    assert all((c.cell, phase) == ("lstm", "train") for c, phase in ordered("cliffs")[:24])
    jobs = ordered("deepbench", ("float16", "float32"))
    first = [(c.cell, c.hidden_size, c.B, c.T) for c, _ in jobs[:3]]
    assert set(first) == {case for case in V100 if case[0] != "gru"}
    assert {(c.dtype, phase) for c, phase in jobs[:3]} == {("float16", "train")}
    assert jobs[-1][0].T == 1500


@pytest.fixture
def tiny(monkeypatch):
    """The grid is one tiny case of each cell."""
    monkeypatch.setitem(timed.PIECES, "grid", timed.Piece("smoke", timed.grid, ("float32",), ("torch.library", "torch.hoisted")))
    monkeypatch.setattr(rows, "BEGUN", time.monotonic())
    return ["--piece", "grid", "--seconds", "900"]


def test_a_timed_piece_is_a_result_file_that_goes_on(tiny, tmp_path, monkeypatch, capsys):
    out = ["--out", str(tmp_path / "grid.json")]
    monkeypatch.setattr(rows, "BEGUN", time.monotonic() - 1e4)
    told(timed, *tiny, *out)
    assert not results.read(tmp_path / "grid.json")["rows"]
    monkeypatch.setattr(rows, "BEGUN", time.monotonic())
    assert told(timed, *tiny, *out) == 0
    found = results.read(tmp_path / "grid.json")["rows"]
    assert len(found) == 12 and {row["status"] for row in found} == {"ok"}
    assert told(timed, *tiny, *out) == 0
    assert "nothing was left to measure" in capsys.readouterr().out


def test_a_device_that_is_gone_ends_the_process_after_what_was_measured(tiny, tmp_path, monkeypatch):
    def load(spec, weights):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setitem(MORE, "torch.broken", Implementation("torch.broken", load))
    monkeypatch.setitem(timed.PIECES, "grid", timed.PIECES["grid"]._replace(implementations=("torch.library", "torch.broken")))
    monkeypatch.setattr(crew, "gone", lambda device: "an illegal memory access")
    with pytest.raises(SystemExit) as end:
        told(timed, *tiny, "--out", str(tmp_path / "grid.json"))
    assert end.value.code == timed.GONE
    assert [row["status"] for row in results.read(tmp_path / "grid.json")["rows"]] == ["ok", "error"]
