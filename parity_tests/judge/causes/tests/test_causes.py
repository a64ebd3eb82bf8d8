"""What failures have in common, how they are grouped by cause, and that a report shows every cause."""

import io
from dataclasses import replace

import numpy as np
from rich.console import Console

from ... import pages, report, terminal
from ...cases import Case, Spec, usual
from ...suite import Result, run_case
from ...tolerance import Verdict
from ...verdicts import refused
from ..facets import shared
from ..grouping import grouped, normal
from ..search import Explanation
from .wrong_layers import Planted, cases

BOTH = Spec("gru", 3, 6, bidirectional=True, num_layers=2)
ONE = Spec("gru", 3, 6)


def test_one_option_that_all_failures_have_and_no_success_is_named():
    failed = [Case(BOTH), Case(BOTH, lengths=(1, 2, 3, 4))]
    assert shared(failed, [Case(ONE), Case(replace(ONE, num_layers=2))]) == "bidirectional = True"


def test_an_option_is_not_named_if_some_case_with_it_passed_and_two_options_are_if_none_with_both_did():
    failed = [Case(BOTH), Case(BOTH, lengths=(1, 2, 3, 4))]
    passed = [Case(ONE), Case(replace(ONE, num_layers=2)), Case(replace(ONE, bidirectional=True))]
    assert shared(failed, passed) == "more than one layer together with bidirectional = True"
    assert shared(failed, [*passed, Case(BOTH, state=False)]) == ""


def test_how_options_are_paired_is_not_taken_for_a_cause():
    """Few failures, which several pairs would tell from the successes: nothing is said."""
    failed = [Case(replace(BOTH, batch_first=True), lengths=(1, 2, 3, 4))]
    passed = [Case(replace(BOTH, batch_first=True)), Case(BOTH, lengths=(1, 2, 3, 4)), Case(replace(ONE, batch_first=True))]
    several = [Case(BOTH), Case(replace(ONE, batch_first=True), lengths=(1, 2, 3, 4), state=False)]
    assert shared(failed, passed) == "batch_first = True together with lengths given"
    assert shared(failed, [Case(BOTH), Case(replace(ONE, batch_first=True)), Case(ONE, lengths=(1, 2, 3, 4))]) == ""
    assert shared(failed, several + passed) == ""


def test_the_family_is_named_before_the_variant_and_nothing_where_nothing_passed():
    failed = [Case(usual("lstm")), Case(usual("lstm-proj"))]
    assert shared(failed, [Case(ONE), Case(usual("rnn"))]) == "cell = lstm"
    assert shared(failed[1:], [Case(ONE), Case(usual("lstm"))]) == "variant = lstm-proj"
    assert shared(failed, []) == ""


def test_the_coarser_of_two_options_that_say_the_same_is_named():
    laid_out = [Case(ONE, memory="fortran"), Case(BOTH, memory="strided")]
    assert shared(laid_out, [Case(ONE), Case(BOTH)]) == "memory not row by row"
    assert shared(laid_out[:1], [Case(ONE), *laid_out[1:]]) == "memory = fortran"
    wide = [Case(replace(ONE, hidden_size=H)) for H in (129, 200)]
    assert shared(wide, [Case(ONE)]) == "hidden_size > 32"
    assert shared(wide, [Case(ONE), Case(replace(ONE, hidden_size=127))]) == "hidden_size > 128"


def wrong(tensor: str) -> Verdict:
    return Verdict(tensor, 1.0, 1e-14, False)


def test_errors_are_grouped_whatever_their_numbers():
    def raised(case, text):
        return Result("a", case, (refused("-", "raised", text),))

    failed = [
        raised(Case(BOTH), "ValueError: shapes (4, 5) and (6,) differ at 0x7f3a (lib.py, line 3)"),
        raised(Case(ONE), "ValueError: shapes () and (7,) differ at 0x7f3b (lib.py, line 3)"),
        raised(Case(ONE, T=9), "ValueError: shapes () and (7,) differ at 0x7f3b (lib.py, line 4)"),
    ]
    first, second = grouped(failed, [])
    assert (first["cases"], second["cases"]) == (2, 1)
    assert first["example"]["case"] == Case(ONE).name
    assert "shapes () and (7,)" in first["text"]
    assert normal("no 1.5e-3 in [1, 2] (lib.py, line 3)") == "no n in (n) (lib.py, line 3)"


def test_as_few_misreadings_as_explain_all_are_named():
    a, b, c = (Explanation(text, ("y", "h_n")) for text in ("a is so", "b is so", "c is so"))
    failed = [Result("x", Case(ONE, T=T), (wrong("y"),), explained=e) for T, e in enumerate(([a, b], [b, c], [b], [a]), 1)]
    causes = grouped(failed, [])
    assert [(c["cases"], c["text"]) for c in causes] == [
        (3, "y and h_n are what the definition gives if b is so"),
        (1, "y and h_n are what the definition gives if a is so"),
    ]


def test_what_nothing_explains_is_grouped_by_its_first_wrong_tensor():
    failed = [Result("x", Case(ONE), (wrong(name),)) for name in ("dweight_ih_l0", "dweight_hh_l1_reverse", "dbias_ih_l0", "dx")]
    texts = [c["text"] for c in grouped(failed, [])]
    assert texts == [
        "the weights' gradients are wrong, why is not known",
        "the biases' gradients are wrong, why is not known",
        "dx is wrong, why is not known",
    ]


def test_a_contract_that_is_not_kept_is_a_cause_unless_a_call_by_itself_is_wrong():
    contract = Case(ONE, contract="other_data")
    second = Result("x", contract, (wrong("y, call 2"),))
    first = Result("x", contract, (wrong("y, call 1"),))
    alone = Result("x", Case(ONE), (wrong("y"),))
    assert [c["text"] for c in grouped([second], [])] == ["contract other_data: y, call 2 is wrong"]
    assert [c["sort"] for c in grouped([alone, second], [])] == ["contract", "unexplained"]
    assert [c["sort"] for c in grouped([alone, first], [])] == ["unexplained", "several calls"]


def test_float64_that_is_computed_in_float32_is_told_from_wrong_numbers():
    def layer(factor):
        def returned(result, spec, lengths):
            y, states = result
            return ((factor * y).astype(np.float32).astype(y.dtype), states)

        return Planted(returned=returned).implementation()

    def said(factor, kind):
        results = [run_case(layer(factor), case) for case in cases(kind)]
        return [(c["sort"], c["text"], c["shared"]) for c in grouped([r for r in results if r.status == "wrong"], [])]

    exact = "float64 is given, and what is returned is exact to float32 only"
    assert said(1.0, "gru") == [("precision", exact, "")]
    assert said(1.01, "gru") == [("unexplained", "y is wrong, why is not known", "")]


def broken() -> terminal.Json:
    """The report on an implementation that loses the state of one cell, returns another dtype, raises, and has a NaN."""

    def state(values, spec, lengths):
        return tuple(0 * v for v in values) if spec.cell == "lstm" else values

    def returned(result, spec, lengths):
        y, states = result
        if spec.cell == "gru" and lengths is not None:
            raise IndexError(f"no element {len(lengths)} | of {spec.num_layers}")
        if spec.cell == "gru" and spec.batch_first:
            y[1, 2, 3] = np.nan
        return (y.astype(np.float16) if spec.cell == "rnn" and spec.bidirectional else y), states

    planted = Planted(state=state, returned=returned).implementation()
    results = [run_case(planted, case) for kind in ("rnn", "lstm", "gru") for case in cases(kind)]
    return report.build([r._replace(implementation=name) for name in ("one", "two") for r in results], [], "cpu")


def test_every_output_shows_every_cause_and_tells_errors_from_wrong_numbers():
    summary = broken()
    console = Console(file=io.StringIO(), width=200)
    terminal.show(console, summary)
    outputs = [console.file.getvalue(), pages.render("report.md", summary), pages.render("report.html", summary)]
    sentences = [
        "if the initial state is left out",
        "y has the wrong dtype: float16 for float",
        "raises IndexError: no element 4",
        "y is not finite, why is not known",
        "NaN in 1 of 120 elements",
        "t = 2, sequence 1",
    ]
    for text in outputs:
        flat = " ".join(text.replace("&#39;", "'").split())
        assert [s for s in sentences if s not in flat] == []
        assert "ERROR" in flat and "WRONG" in flat and "3 errors" in flat and "1 wrong, 3 errors" in flat
    for text in outputs:
        assert not {"inf", "nan"} & set(text.replace("|", " ").replace("<", " ").replace(">", " ").split())
    sorts = [c["sort"] for c in summary["implementations"][0]["causes"]]
    assert sorted(sorts) == ["error", "error", "misreading", "unexplained"]
    assert sorts[-1] == "unexplained"
    cell = summary["overview"][0]["cells"]["gru"]
    assert (cell["wrong"], cell["errors"]) == (1, 3)
