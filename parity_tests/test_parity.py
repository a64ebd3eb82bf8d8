"""Every implementation on every named case: all outputs and gradients within the tolerance, or a stated reason."""

import pytest

from .cases import table
from .suite import run_case

CASES = table()


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.name}-{c.spec.dtype}")
def test_case(implementation, case, device):
    result = run_case(implementation, case.with_dtype(case.spec.dtype, device))
    if result.declined:
        assert isinstance(result.declined, str) and result.declined
        return
    assert result.verdicts
    wrong = [f"{v.tensor}: {v.why} {v.detail} error {v.error:.2e}, allowed {v.allowed:.2e}, from step {v.step}"
             for v in result.verdicts if not v.ok]
    assert result.ok, "\n".join([case.name, *wrong, result.diagnosis])


def test_no_built_in_implementation_declines_what_it_could_do():
    """What each declines is exactly what its operator lacks."""
    from .implementations import BUILTIN

    declined = {name: {r.declined for c in CASES if (r := run_case(i, c)).declined} for name, i in BUILTIN.items()}
    before = "torch.nn's GRU resets after the product only"
    assert declined == {
        "numpy": set(), "torch.loop": set(), "torch.hoisted": set(), "torch.bptt": set(),
        "torch.cell": {before, "torch.nn.LSTMCell has no projection"},
        "torch.native": {before, "takes no dropout masks"}, "torch.library": {before, "takes no dropout masks"},
    }
