"""Random cases beyond the table: hypothesis draws every option and size, and shrinks what fails."""

from hypothesis import given, note
from hypothesis import strategies as st

from ..cases import KINDS, Case, Spec
from ..implementations import BUILTIN
from ..suite import run_case


@st.composite
def cases(draw):
    """A case with every option drawn, sizes from 1 up."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    T, B, I, H = draw(st.integers(1, 9)), draw(st.integers(1, 6)), draw(st.integers(1, 7)), draw(st.integers(2, 9))
    more = {"proj_size": draw(st.integers(1, H - 1))} if kind == "lstm-proj" else {}
    layers = draw(st.integers(1, 3))
    spec = Spec(
        input_size=I,
        hidden_size=H,
        num_layers=layers,
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.0, 0.3, 0.7])) if layers > 1 else 0.0,
        dtype=draw(st.sampled_from(["float32", "float64"])),
        **{**KINDS[kind], **more},
    )
    lengths = draw(st.none() | st.lists(st.integers(1, T), min_size=B, max_size=B).map(tuple))
    return Case(spec, T=T, B=B, lengths=lengths, state=draw(st.booleans()), gain=draw(st.sampled_from([0.1, 0.5, 1.0, 2.0])))


@given(case=cases(), name=st.sampled_from(sorted(BUILTIN)))
def test_any_case(case, name):
    result = run_case(BUILTIN[name], case)
    note(f"{name}: {case.name} {case.spec.dtype}")
    assert result.ok, [v for v in result.verdicts if not v.ok]
