"""Parts: every case of every room by NumPy, PyTorch and the complex step; every fault of every room is caught."""

from dataclasses import replace

import numpy as np
import pytest

from ..rooms import DTYPES, by_complex_step, by_numpy, by_torch, truth
from .catalogue import Fault, faults_of, rooms
from .command import cases_that_catch, with_fault

ROOMS = rooms()
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


@pytest.mark.parametrize(
    ("room", "fault"), [(r, f) for r, module in ROOMS.items() for f in faults_of(module)], ids=lambda v: getattr(v, "name", v)
)
def test_fault_is_caught(room, fault):
    assert cases_that_catch(fault, with_fault(fault), ROOMS[room].CASES), "this fault survives"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_cases_and_faults_of_its_own(room):
    cases, faults = ROOMS[room].CASES, faults_of(ROOMS[room])
    assert cases and all(case.room == room for case in cases)
    assert len({case.name for case in cases}) == len(cases)
    assert len(faults) >= 3 and len({f.name for f in faults}) == len(faults)


def why(verdicts):
    return {(v.tensor, v.why) for v in verdicts if not v.ok}


LINEAR = next(c for c in ROOMS["linear"].CASES if c.name == "sequence")


def test_an_unbroken_copy_passes():
    same = Fault("nothing", "forward", "y += p.b", "y += p.b", room="parts/linear")
    assert all(not why(by_numpy(c, "float64", with_fault(same))) for c in ROOMS["linear"].CASES)


def test_a_twin_is_refused_for_a_number_a_dtype_or_a_tensor_that_is_missing():
    twin = LINEAR.twin
    assert why(by_torch(replace(LINEAR, twin=lambda d: {"y": twin(d)["y"] * (1 + 1e-3)}), "float32")) >= {("y", "number")}
    assert ("y", "dtype") in why(by_torch(replace(LINEAR, twin=lambda d: {"y": twin(d)["y"].double()}), "float32"))
    assert ("y", "missing") in why(by_torch(replace(LINEAR, twin=lambda d: {}), "float32"))
    assert ("z", "unexpected") in why(by_torch(replace(LINEAR, twin=lambda d: twin(d) | {"z": d["x"]}), "float32"))


def test_numpy_is_refused_for_what_it_writes_to_and_for_what_it_remembers():
    def writes(package, d):
        d["x"] += 1
        return LINEAR.run(package, d)

    calls = []

    def remembers(package, d):
        calls.append(1)
        return {k: v * len(calls) for k, v in LINEAR.run(package, d).items()}

    assert {("x", "changed"), ("y", "changed")} <= why(by_numpy(replace(LINEAR, run=writes), "float64"))
    assert ("y", "changed") in why(by_numpy(replace(LINEAR, run=remembers), "float64"))


def test_the_complex_step_sees_a_gradient_that_is_wrong():
    def wrong(package, d):
        results = LINEAR.run(package, d)
        return results | {"dx": results["dx"] * (1 + 1e-9)}

    assert why(by_complex_step(replace(LINEAR, run=wrong))) == {("dx", "number")}
