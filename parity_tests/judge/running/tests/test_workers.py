"""Processes of their own: what a crash, a hang and Ctrl-C cost, and who is given what."""

import json
import sys
from dataclasses import replace

import pytest

from ...cases import Case, Spec
from ...command import main
from ...implementations import resolve
from .. import workers
from ..workers import Setting

FAULTY = """
import os, signal, sys, time
from parity_tests.judge.implementations import BUILTIN

def load(spec, weights):
    if spec.num_layers == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    if spec.num_layers == 3:
        os._exit(3)
    if spec.num_layers == 4:
        time.sleep(3600)
    return BUILTIN["numpy"].load(spec, weights)
"""
TELLS = """
import os

def load(spec, weights):
    raise RuntimeError(f"in process {os.getpid()}")
"""
NOT_THERE = """
import multiprocessing, os

if multiprocessing.parent_process():
    os._exit(7)

def load(spec, weights):
    pass
"""
GOOD = Case(Spec("gru", 3, 6, dtype="float64"))
SMALL, FIRST = replace(GOOD, B=1), replace(GOOD, T=1)
SIGNAL, EXIT, HANG = (replace(GOOD, spec=replace(GOOD.spec, num_layers=n)) for n in (2, 3, 4))


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """Results of an adapter, given as text, on some cases, with a Setting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def judged(text, cases, *setting):
        name = f"adapter_{abs(hash(text)):x}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        jobs = [(resolve(name), case) for case in cases]
        return {r.case: r for r in workers.judged(jobs, Setting(*setting))}

    return judged


def why(result):
    (verdict,) = result.verdicts
    return verdict.why, verdict.detail


@pytest.mark.parametrize("setting", [(), (2, 1)])
def test_a_crash_costs_its_case_and_is_named(judged, setting):
    results = judged(FAULTY, [SIGNAL, GOOD, EXIT, SMALL, FIRST], *setting)
    assert {case for case, r in results.items() if r.status == "passed"} == {GOOD, SMALL, FIRST}
    assert why(results[SIGNAL]) == ("crashed", "exit status 11" if sys.platform == "win32" else "signal 11 (SIGSEGV)")
    assert why(results[EXIT]) == ("crashed", "exit status 3")
    assert {results[SIGNAL].status, results[EXIT].status} == {"error"}


def test_a_hang_costs_its_case_and_is_named(judged):
    results = judged(FAULTY, [GOOD, HANG, SMALL], 1, None, 4.0)
    assert [r.status for r in results.values()] == ["passed", "error", "passed"]
    assert why(results[HANG]) == ("timeout", "longer than 4 s")


@pytest.mark.parametrize(("chunk", "processes"), [(1, 3), (2, 2), (None, 1)])
def test_a_process_judges_as_many_cases_as_it_may(judged, chunk, processes):
    results = judged(TELLS, [GOOD, SMALL, FIRST], 1, chunk)
    assert len({why(r) for r in results.values()}) == processes


def test_what_cannot_be_loaded_in_a_worker_ends(judged):
    results = judged(NOT_THERE, [GOOD, SMALL])
    assert [why(r) for r in results.values()] == [("crashed", "exit status 7")] * 2


def test_ctrl_c_leaves_no_process(judged, monkeypatch):
    started = []
    begin = workers.Worker.begin
    monkeypatch.setattr(workers.Worker, "begin", lambda self, job: (started.append(self), begin(self, job)))
    monkeypatch.setattr(workers, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        judged(FAULTY, [HANG, GOOD, SMALL], 2)
    assert [w.process.is_alive() for w in started] == [False, False]


def interrupt(*_):
    raise KeyboardInterrupt


def test_the_report_is_the_same_however_it_is_judged(tmp_path, capsys):
    reports = []
    for options in ((), ("-j", "2"), ("--isolate", "3"), ("--timeout", "600")):
        words = ["--impl", "torch.cell", "--cases", "gru*-T5B4I3H6-*", "--dtype", "float64"]
        assert main([*words, *options, "--report", str(tmp_path / "r.json")]) == 0
        (judged,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["implementations"]
        reports.append([{k: v for k, v in case.items() if k != "seconds"} for case in judged["cases"]])
    assert all(report == reports[0] for report in reports)
    assert {case["status"] for case in reports[0]} == {"passed", "declined"}
