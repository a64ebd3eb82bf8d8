"""Parts: every case of every room by NumPy, PyTorch and the complex step; every fault of every room is caught."""

import numpy as np
import pytest

from .broken import broken
from .parts import ROOMS
from .parts.harness import DTYPES, by_complex_step, by_numpy, by_torch, catching, truth

CASES = [case for room in ROOMS.values() for case in room.CASES]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def assert_ok(verdicts):
    assert verdicts and all(v.ok for v in verdicts), [v for v in verdicts if not v.ok]


@each_dtype
@each_case
def test_numpy(case, dtype):
    assert_ok(by_numpy(case, dtype))


@each_dtype
@each_case
def test_the_twin(case, dtype):
    assert_ok(by_torch(case, dtype))


@pytest.mark.parametrize("case", [c for c in CASES if c.holomorphic], ids=str)
def test_gradients_by_the_complex_step(case):
    assert_ok(by_complex_step(case))


@each_case
def test_no_case_is_degenerate(case):
    """Every output and gradient has numbers in it that are not zero, and every floating input a gradient."""
    oracle, _ = truth(case, "float64")
    assert all(np.abs(v).max() > 0 for v in oracle.values())
    assert {f"d{k}" for k in case.wanted(oracle)} <= oracle.keys()


@pytest.mark.parametrize(("room", "fault"), [(r, f) for r, module in ROOMS.items() for f in module.FAULTS],
                         ids=lambda v: getattr(v, "name", v))
def test_fault_is_caught(room, fault):
    assert catching(fault, broken(fault), ROOMS[room].CASES), "this fault survives"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_cases_and_faults_of_its_own(room):
    cases, faults = ROOMS[room].CASES, ROOMS[room].FAULTS
    assert cases and all(case.room == room for case in cases)
    assert len({case.name for case in cases}) == len(cases)
    assert len(faults) >= 3 and len({f.name for f in faults}) == len(faults)
