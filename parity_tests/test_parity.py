"""Every implementation on every named case: all outputs and gradients within the tolerance, or a stated reason."""

import pytest

from .judge.cases import table
from .judge.suite import run_case
from .judge.verdicts import place

CASES = table()


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.name}-{c.spec.dtype}")
def test_case(implementation, case, device):
    result = run_case(implementation, case.with_dtype(case.spec.dtype, device))
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


def test_something_is_compared(implementation, device):
    """An implementation that declines everything has not passed."""
    cases = [case.with_dtype(case.spec.dtype, device) for case in CASES]
    assert any(not implementation.reason_to_decline(case.spec) for case in cases)


def test_no_built_in_implementation_declines_what_it_could_do():
    """What each declines is exactly what its operator lacks."""
    from .judge.implementations import BUILTIN

    declined = {name: {r.declined for c in CASES if (r := run_case(i, c)).declined} for name, i in BUILTIN.items()}
    before = "torch.nn's GRU resets after the product only"
    assert declined == {
        "numpy": set(),
        "numpy.fast": set(),
        "torch.loop": set(),
        "torch.hoisted": set(),
        "torch.bptt": set(),
        "torch.cell": {before, "torch.nn.LSTMCell has no projection"},
        "torch.native": {before, "takes no dropout masks"},
        "torch.library": {before, "takes no dropout masks"},
    }


def test_those_that_are_judged_only_by_name_decline_what_they_must():
    """The compiled loop does all that the hoisted one does; CUDA graphs need CUDA, and take no masks."""
    from .judge.implementations import BUILTIN, MORE, resolve

    assert not set(MORE) & set(BUILTIN)
    assert resolve("torch.graphed") is MORE["torch.graphed"]
    specs = {c.spec for c in CASES}
    assert {MORE["torch.compiled"].reason_to_decline(s) for s in specs} == {None}
    assert {MORE["torch.graphed"].reason_to_decline(s) for s in specs} == {
        "CUDA graphs need a CUDA device",
        "takes no dropout masks",
    }
    on_cuda = {c.with_dtype(c.spec.dtype, "cuda").spec for c in CASES}
    assert {MORE["torch.graphed"].reason_to_decline(s) for s in on_cuda} == {None, "takes no dropout masks"}
