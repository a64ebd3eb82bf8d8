"""The kernels of torch_impl/triton are right in the interpreter, compile for a GPU, and are declined where they cannot run."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
import torch

from torch_impl import triton
from torch_impl.cells.adapters import TRITON

from ..judge.cases import KINDS, Spec, table
from ..judge.implementations import MORE
from ..judge.suite import run_case
from ..judge.tolerance import LIBM_ULP

ROOT = Path(__file__).parent.parent.parent
INTERPRETER = {"TRITON_INTERPRET": "1"}
NAMES = [f"torch.{way}" for way in TRITON]
needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason=triton.NOT_INSTALLED)
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
each_name = pytest.mark.parametrize("name", NAMES)


def run(module: str, *words: object, **environment: str) -> subprocess.CompletedProcess:
    """A module in a process of its own: Triton decides when it is imported whether it interprets."""
    inherited = {k: v for k, v in os.environ.items() if k not in INTERPRETER}
    threads = {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        cwd=ROOT,
        env=inherited | threads | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def judged(file, words: list[str]) -> None:
    """Both forms pass every case that is asked for, and decline none."""
    impls = [word for name in NAMES for word in ("--impl", name)]
    done = run("parity_tests", *impls, *words, "--report", file, **INTERPRETER)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(file.read_text())["implementations"]
    assert {result["name"] for result in results} == set(NAMES)
    for result in results:
        assert {case["status"] for case in result["cases"]} == {"passed"}


def chosen(kinds: list[str], *endings: str) -> list[str]:
    widths = {kind: "H6P2" if kind == "lstm-proj" else "H6" for kind in kinds}
    return [word for kind in kinds for e in endings for word in ("--cases", f"{kind}-T{e}".replace("H6", widths[kind]))]


# Plain; packed, with arguments far out; infinity, which must not spread; past what fits into registers.
SOME = ("5B4I3H6", "5B4I3H6-lengths3_5_3_2-spikes", "5B4I3H6-inf_inside", "3B2I9H257*-wider")


@needs_triton
@pytest.mark.parametrize("kinds", [["rnn", "rnn-relu"], ["lstm", "lstm-proj"], ["gru", "gru-before"]], ids=lambda kinds: kinds[0])
def test_both_forms_are_right(kinds, tmp_path):
    judged(tmp_path / "r.json", ["--dtype", "float32", *chosen(kinds, *SOME)])


@needs_triton
@pytest.mark.parametrize("dtype", ["float64", "bfloat16", pytest.param("float16", marks=pytest.mark.slow)])
def test_both_forms_are_right_in_other_dtypes(dtype, tmp_path):
    judged(tmp_path / "r.json", ["--dtype", dtype, *chosen(list(KINDS), "5B4I3H6")])


@pytest.mark.slow
@needs_triton
@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_are_right_in_all_cases(kind, tmp_path):
    judged(tmp_path / "r.json", ["--cases", f"{kind}-T*"])


@needs_triton
def test_the_functions_are_right_from_minus_a_hundred_to_a_hundred_and_beyond():
    done = run("parity_tests.triton.functions", "cpu", **INTERPRETER)
    assert done.returncode == 0, done.stderr
    for functions in json.loads(done.stdout).values():
        assert functions.keys() == {"sigmoid", "tanh"}
        for ulp, _, special in functions.values():
            assert ulp <= LIBM_ULP
            assert special


@needs_triton
def test_infinity_stays_infinite():
    done = run("parity_tests.triton.infinity", "cpu", **INTERPRETER)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == 6
    assert not any(found.values()), found


def compile_all(folder, *words: str) -> dict[str, int]:
    done = run("parity_tests.triton.compiled", *words, TRITON_CACHE_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_triton
def test_every_kernel_compiles(tmp_path):
    """With what the interpreter does not check, such as types that change in a loop."""
    assert compile_all(tmp_path, "float32").keys() >= {"float32 lstm_persistent_backward BLOCK=16 num_warps=4"}


@pytest.mark.slow
@needs_triton
@pytest.mark.parametrize("dtype", triton.DTYPES)
def test_the_largest_persistent_kernels_keep_everything_in_registers(dtype, tmp_path):
    """To 16 bytes; and everything compiles with sizes of 1, which are constants to Triton."""
    stacks = compile_all(tmp_path, dtype, "--largest")
    assert {name: size for name, size in stacks.items() if size > 16} == {}


@needs_triton
@pytest.mark.parametrize(
    ("cell", "options", "largest"), [("rnn", {}, 128), ("lstm", {}, 64), ("gru", {}, 64), ("gru", {"reset_after": False}, 64)]
)
def test_all_steps_are_one_kernel_where_the_weights_fit(cell, options, largest):
    """In float64, whose numbers are twice as wide, up to half of that H."""
    room = triton.room(cell)
    for dtype, H in ((torch.float32, largest), (torch.bfloat16, largest), (torch.float64, largest // 2)):
        for size, whole in ((1, True), (H, True), (H + 1, False)):
            p = room.Params(*(torch.zeros(1) for _ in range(4)))
            state = room.State(*(torch.zeros(2, size, dtype=dtype) for _ in room.State._fields))
            for function, expected in ((room.hoisted, whole), (room.steps, False)):
                with mock.patch.object(room, "run") as called:
                    function(p, torch.zeros(3, 2, 4, dtype=dtype), state, **options)
                assert called.call_args.args[-1] is expected, (function.__name__, dtype, size)


@needs_triton
def test_a_projection_is_for_the_form_that_launches_each_step():
    room = triton.room("lstm")
    state = room.State(torch.zeros(2, 3), torch.zeros(2, 6))
    with mock.patch.object(room, "run") as called:
        room.hoisted(room.Params(*(torch.zeros(1) for _ in range(5))), torch.zeros(3, 2, 4), state)
    assert called.call_args.args[-1] is False


@each_name
def test_what_is_declined_and_why(name, monkeypatch):
    declines = MORE[name].reason_to_decline
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    assert declines(Spec("lstm", 3, 6)) == triton.NOT_INSTALLED
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: module)
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert declines(Spec("lstm", 3, 6)) == triton.NO_GPU
    assert {declines(case.spec) for case in table(triton.DTYPES, "cuda:1")} == {None}
    assert "compute in float32" in declines(Spec("lstm", 3, 6, dtype="complex64", device="cuda"))
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert declines(Spec("lstm", 3, 6)) is None


@needs_triton
@needs_cuda
@each_name
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_on_a_gpu(name, dtype):
    for case in table([dtype], "cuda"):
        result = run_case(MORE[name], case)
        assert result.ok, (case.name, result.worst)


@needs_triton
@needs_cuda
def test_the_functions_are_right_on_a_gpu():
    """Its e^x rounds the exponent, so that σ(x) of a negative x is wrong by |x| / 2 units more."""
    done = run("parity_tests.triton.functions", "cuda")
    assert done.returncode == 0, done.stderr
    for functions in json.loads(done.stdout).values():
        for _, ulp, special in functions.values():
            assert ulp <= LIBM_ULP
            assert special
