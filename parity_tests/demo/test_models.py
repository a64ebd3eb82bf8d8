"""The page of parts and trajectories: what it says of a cell of a table is what was judged."""

from ..judge.tolerance import Verdict
from ..mutation.catalogue import rooms
from .models import by_cell, cell, part


def test_a_wrong_tensor_is_shown_and_a_right_one_is_not_hidden_behind_it():
    right, wrong = Verdict("y", 1.0, 2.0, True), Verdict("dx", 3.0, 2.0, False)
    assert cell([right]).plain == "✓ 0.50  y"
    assert cell([right, wrong]).plain.startswith("✗ 1.50  dx")
    assert "nothing" in cell([]).plain


def test_every_model_is_shown_with_every_cell():
    for name in ("language_model", "classifier", "generator", "tagger", "seq2seq", "forecaster", "gradient_flow"):
        cases = rooms()[name].CASES
        assert by_cell(cases).keys() >= {"rnn", "lstm", "gru"}, name
        assert sum(map(len, by_cell(cases).values())) == len(cases)
    assert list(by_cell(rooms()["linear"].CASES)) == [""]


def test_each_room_is_judged_on_both_sides_in_both_dtypes():
    columns = part(rooms()["linear"].CASES)
    assert len(columns) == 4 and all(v.ok for column in columns for v in column) and all(columns)
