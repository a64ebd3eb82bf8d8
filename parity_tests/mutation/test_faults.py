"""The suite is tested: every fault in the catalogue is caught, by its numbers, and named."""

from dataclasses import replace

import pytest

from ..judge.diagnosis import AGREES, diagnose
from ..judge.implementations import BUILTIN
from ..judge.suite import run_case
from .command import broken, candidates, catches, implementation
from .faults import FAULTS


def name(fault):
    return f"{fault.file[:-3]}: {fault.name}"


@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_fault_is_caught(fault):
    culprit = implementation(fault)
    assert any(catches(fault, run_case(culprit, case)) for case in candidates(fault)), "this fault survives"


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.equation], ids=name)
def test_diagnosis_names_the_equation(fault):
    for kind in fault.kinds:
        sentence = diagnose(kind, broken(fault))
        named = sentence.partition("equation ")[2].split(" or ")
        assert fault.equation in named, sentence
        assert len(named) <= 3, sentence


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.file not in ("cells/rnn.py", "cells/lstm.py", "cells/gru.py")
                                   and not f.file.startswith("fast/")], ids=name)
def test_diagnosis_acquits_the_rooms_when_the_fault_is_elsewhere(fault):
    assert AGREES in diagnose("lstm", broken(fault))


def test_the_catalogue_is_as_large_and_as_wide_as_promised():
    assert len(FAULTS) >= 40
    assert len({(f.file, f.name) for f in FAULTS}) == len(FAULTS)
    assert {f.file for f in FAULTS} >= {"cells/rnn.py", "cells/lstm.py", "cells/gru.py", "cells/stack.py", "common/packing.py"}
    assert sum("dropout" in f.name for f in FAULTS) >= 4


def test_an_unbroken_copy_passes():
    """The machinery itself makes nothing wrong: a change of nothing is caught by nothing."""
    same = replace(FAULTS[0], old="def step_forward", new="def step_forward")
    copy = implementation(same)
    assert copy.package is not BUILTIN["numpy"].package
    assert all(run_case(copy, case).ok for case in candidates(same))


def test_a_fault_whose_line_is_gone_is_an_error():
    gone = replace(FAULTS[0], name="gone", old="no such line")
    with pytest.raises(LookupError, match="must contain 'no such line' once, but has it 0 times"):
        broken(gone)
