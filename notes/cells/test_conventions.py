"""The tables of notes/cells/conventions.md; that the rows are right is parity_tests/convert/test_conventions.py."""

from parity_tests.convert.libraries import NEEDS, RUN
from reference.convert.conventions import TABLE

from .conventions import BIASES, DRAWN, cells, table, unchecked


def test_a_row_is_checked_or_has_a_source():
    assert {c.library for c in TABLE if not c.source} == NEEDS.keys() - {"reference"} == RUN.keys()
    assert table().count("\n") == len(TABLE) + 1
    assert unchecked().count("\n") + 1 == sum(bool(c.source) for c in TABLE)
    assert all(cells(c)["library"].endswith("*") == bool(c.source) for c in TABLE)


def test_every_word_of_a_row_is_said():
    assert {c.biases for c in TABLE} == BIASES.keys()
    assert {v for c in TABLE for v in (c.input_from, c.hidden_from) if v} == DRAWN.keys()


def test_the_gate_that_keeps_the_old_state_is_said_of_haiku():
    kept = {cells(c)["layer"]: cells(c)["keeps the old state"] for c in TABLE if c.cell == "gru"}
    assert kept.pop("`haiku.GRU`") == "z = 0"
    assert set(kept.values()) == {"z = 1"}
