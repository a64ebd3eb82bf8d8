"""The suite is tested: every fault in the catalogue is caught, by its numbers, and named."""

from dataclasses import replace
from pathlib import Path

import pytest

from ..judge import definition
from ..judge.causes.address import changed
from ..judge.command import main as judge
from ..judge.diagnosis import AGREES, diagnose
from ..judge.implementations import BUILTIN
from ..judge.suite import run_case
from .catalogue import catalogue, faults_of, modules
from .command import candidates, catches, engine_of, implementation, with_fault

ROOT = Path(__file__).parent.parent.parent
FAULTS = catalogue()
CELLS = ("cells/rnn", "cells/lstm", "cells/gru")


def name(fault):
    return f"{fault.room}: {fault.name}"


def parameter(fault):
    """The loops of ``compiled`` run as plain Python here, for seconds each: in ``make test`` those of one file stand for all."""
    slow = fault.room.startswith("compiled/") and fault.room != "compiled/rnn"
    return pytest.param(fault, id=name(fault), marks=[pytest.mark.slow] * slow)


@pytest.mark.parametrize("fault", [parameter(f) for f in FAULTS])
def test_fault_is_caught(fault):
    culprit = implementation(fault)
    assert any(catches(fault, run_case(culprit, case)) for case in candidates(fault)), "this fault survives"


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.equation], ids=name)
def test_diagnosis_names_the_equation(fault):
    for kind in fault.kinds:
        sentence = diagnose(kind, with_fault(fault))
        named = sentence.partition("equation ")[2].split(" or ")
        assert fault.equation in named, sentence
        assert len(named) <= 3, sentence


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.room not in CELLS and engine_of(f) == "definition"], ids=name)
def test_diagnosis_acquits_the_rooms_when_the_fault_is_elsewhere(fault):
    assert AGREES in diagnose("lstm", with_fault(fault))


def test_a_broken_definition_is_reported_and_fails(monkeypatch, capsys):
    """Whoever breaks reference/cells/gru.py breaks the oracle too; the witnesses must say so, with the equation."""
    fault = next(f for f in FAULTS if f.room == "cells/gru" and f.equation == "G4")
    monkeypatch.setattr(definition, "reference", with_fault(fault))
    assert judge(["--impl", "numpy", "--cases", "gru-T5B4I3H6"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "The definition itself disagrees" in out
    assert "gru.py: h at t = 0 of T = 5, equation G4" in out
    assert AGREES not in out


def test_the_catalogue_is_as_large_and_as_wide_as_promised():
    assert len(FAULTS) >= 40
    assert len({(f.room, f.name) for f in FAULTS}) == len(FAULTS)
    assert {f.room for f in FAULTS} >= {*CELLS, "cells/stack", "common/packing"}
    assert sum("dropout" in f.name for f in FAULTS) >= 4


def test_faults_stand_beside_the_room_that_they_break():
    """Its own, or one that it calls: a fault in another room stands where the cases are that must catch it."""
    for name, module in modules().items():
        assert any(f.room == name for f in faults_of(module)), name
    assert all((ROOT / "reference" / f"{f.room}.py").is_file() for module in modules().values() for f in faults_of(module))


def test_an_unbroken_copy_passes():
    """The machinery itself makes nothing wrong: a change of nothing is caught by nothing."""
    same = replace(FAULTS[0], new=FAULTS[0].old)
    copy = implementation(same)
    assert copy.package is not BUILTIN["numpy"].package
    assert all(run_case(copy, case).ok for case in candidates(same))


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ({"old": "no.such.line"}, "step_forward must contain 'no.such.line' once, but has it 0 times"),
        ({"function": "no_such"}, "no_such must be defined once, but is 0 times"),
        ({"function": "State.no_such"}, "State.no_such must be defined once"),
        ({"function": ""}, "the module must contain .* once, but has it 0 times"),
        ({"room": "cells/no_such"}, "reference/cells/no_such.py is not there"),
    ],
)
def test_a_fault_whose_address_is_gone_is_an_error(gone, said):
    fault = next(f for f in FAULTS if f.room == "cells/rnn" and f.function == "step_forward")
    with pytest.raises(LookupError, match=said):
        with_fault(replace(fault, name="gone", **gone))


SOURCE = '''ONE = 1  # outside


def f(x, y=ONE):
    """x + y is in words here, too."""
    if x:  # σ before the columns that are counted in bytes
        return (  # L1
            x
            + y
        ) * 2
    return x - y


class C:
    def f(self):
        a = 1  # L2
        b = 2
        return a * b
'''


def test_code_is_found_however_it_is_laid_out_and_the_rest_stays():
    after = changed(SOURCE, "f", "(x +y)", "x or y")
    assert after == SOURCE.replace(
        """x
            + y
""",
        "(x or y)\n",
    )


@pytest.mark.parametrize(
    ("function", "old", "new", "line"),
    [
        ("", "ONE = 1", "ONE = 2", "ONE = 2  # outside"),
        ("f", "x - y", "0", "    return (0)"),
        ("f", "ONE", "x, 3", "def f(x, y=(x, 3)):"),
        ("C.f", "a = 1\nb = 2", "a = 3", "        a = 3\n        return a * b"),
        ("C.f", "b = 2", "b = 5\na = 0", "        b = 5\n        a = 0\n"),
        ("C.f", "a * b", "b**a", "        return (b**a)"),
    ],
)
def test_one_piece_of_one_function_is_changed(function, old, new, line):
    assert line in changed(SOURCE, function, old, new)


@pytest.mark.parametrize(("function", "old", "times"), [("f", "x", 3), ("C.f", "x - y", 0), ("", "a * b", 0), ("f", "pass", 0)])
def test_what_is_not_there_once_is_an_error(function, old, times):
    with pytest.raises(LookupError, match=f"once, but has it {times} times"):
        changed(SOURCE, function, old, "0")
