"""What the built-in implementations decline, on the suite's own cases."""

from ..cases import table
from ..implementations import BUILTIN, MORE, resolve

CASES = table()


def test_no_built_in_implementation_declines_what_it_could_do():
    """What each declines is exactly what its operator lacks."""
    declined = {name: {i.reason_to_decline(c.spec) for c in CASES} - {None} for name, i in BUILTIN.items()}
    before = "torch.nn's GRU resets after the product only"
    assert declined == {
        "numpy": set(),
        "numpy.fast": set(),
        "numba": set(),
        "torch.loop": set(),
        "torch.hoisted": set(),
        "torch.bptt": set(),
        "torch.cell": {before, "torch.nn.LSTMCell has no projection"},
        "torch.native": {before, "takes no dropout masks"},
        "torch.library": {before, "takes no dropout masks"},
    }


def test_those_that_are_judged_only_by_name_decline_what_they_must():
    """The compiled loop does all that the hoisted one does; CUDA graphs need CUDA, and take no masks."""
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
