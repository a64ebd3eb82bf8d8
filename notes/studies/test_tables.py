"""The commands that make the tables and figures of notes/gradients/gradient_flow.md and notes/gradients/bptt_variants.md."""

import json

import numpy as np
import pytest

from . import adding_table, bptt_variants, gradient_flow, pages


def test_a_table_goes_between_its_marks_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "NOTES", tmp_path)
    page = tmp_path / "page.md"
    x, y, end = pages.begin("x"), pages.begin("y"), pages.END
    page.write_text(f"a\n{x}\nold\n{end}\nb\n{y}\nkept\n{end}\nc\n", encoding="utf-8")
    pages.insert("page.md", "x", "new")
    assert page.read_text(encoding="utf-8") == f"a\n{x}\nnew\n{end}\nb\n{y}\nkept\n{end}\nc\n"
    with pytest.raises(LookupError, match=r"page\.md must contain .* once, but has it 0 times"):
        pages.insert("page.md", "z", "new")


def test_the_notes_hold_a_table_for_each_command():
    flow = (pages.NOTES / "gradients" / "gradient_flow.md").read_text(encoding="utf-8")
    for command in (adding_table.COMMAND, gradient_flow.COMMAND):
        assert pages.begin(command) + "\n| cell |" in flow
    ways = (pages.NOTES / "gradients" / "bptt_variants.md").read_text(encoding="utf-8")
    for name in bptt_variants.TABLES:
        assert pages.begin(f"{bptt_variants.COMMAND}, {name}") + "\n| " in ways


def test_the_table_of_the_adding_problem_is_that_of_the_kept_curves():
    records = json.loads(adding_table.CURVES.read_text(encoding="utf-8"))
    assert len(records) == len(adding_table.LENGTHS) * len(adding_table.subjects(4))
    assert adding_table.table(records) in (pages.NOTES / "gradients" / "gradient_flow.md").read_text(encoding="utf-8")


def test_a_short_run_of_the_adding_problem_gives_a_record():
    (record,) = adding_table.run(steps=100, lengths=(8,), only="GRU")
    assert (record["T"], record["name"], record["steps"], len(record["curve"])) == (8, "GRU", 100, 4)
    assert "| GRU | " in adding_table.table([record])


@pytest.mark.parametrize("name", ["RNN", "LSTM, gates open"])
def test_a_flow_starts_at_one_and_its_spectra_belong_to_its_steps(name):
    found = gradient_flow.flow(gradient_flow.build(**gradient_flow.CELLS[name]))
    assert found.norms["h"][-1] == pytest.approx(1)
    assert found.products.singular.shape == (gradient_flow.T + 1, gradient_flow.H * len(found.norms))
    np.testing.assert_allclose(found.products.singular[-2], found.steps.singular[-1])
    assert (found.bound is None) == (name != "RNN")


@pytest.mark.parametrize("way", ["checkpointed, √T", "truncated, window √T"])
def test_the_ways_that_are_timed_hold_less_than_the_plain_one(way):
    calls = bptt_variants.along_the_length(400)
    assert bptt_variants.peak(calls[way]) < bptt_variants.peak(calls["plain"]) / 3
    error = bptt_variants.gap(calls[way](), calls["plain"]())
    assert error < 1e-12 if way.startswith("checkpointed") else 1e-3 < error < 1
