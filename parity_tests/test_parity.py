"""Every implementation on every named case: all outputs and gradients within the tolerance, or a stated reason."""

import pytest

from .judge.suite import run_case
from .judge.verdicts import place


def test_case(implementation, case):
    result = run_case(implementation, case)
    if result.declined:
        pytest.skip(result.declined)
    if not result.ok:
        pytest.fail("\n".join([case.name, *map(line, result.wrong), result.diagnosis]), pytrace=False)


def line(v):
    """A verdict in one line."""
    since = f", from {place(v)}" if place(v) else ""
    if v.why != "number":
        return f"{v.tensor}: {v.why}: {v.detail}{since}"
    return f"{v.tensor}: error {v.error:.1e}, allowed {v.allowed:.1e}{since}"


def test_something_is_compared(implementation, cases):
    """An implementation that declines everything has not passed."""
    assert any(not implementation.reason_to_decline(case.spec) for case in cases)
