"""The studies behind the notes.  That a note has what is kept is tested in notes/test_notes.py."""

import json
from importlib import import_module

import numpy as np
import pytest

from .. import adding, drawing, gradient_costs, gradient_flow, tasks, temperature
from ..study import Study, as_text

KEPT = temperature.STUDY.kept()


@pytest.mark.parametrize(
    "module",
    [
        "tolerances",
        "low_precision",
        "trajectory",
        "rounding",
        "gradient_flow",
        "gradient_costs",
        "linear_recurrence",
        "temperature",
        "forecast",
        "adding",
        "notes.diagrams.parity",
        "notes.generated",
        "notes.site.__main__",
        "parity_tests.mutation.command",
        "parity_tests.demo.__main__",
        "parity_tests.demo.models",
    ],
)
def test_an_option_that_a_command_does_not_know_ends_it(module, monkeypatch, capsys):
    """Before anything is computed or written."""
    monkeypatch.setattr("sys.argv", [module, *["sunspots"] * (module == "forecast"), "--wirte"])
    study = import_module(module if "." in module else f"notes.studies.{module}")
    door = "command" if module == "parity_tests.demo.__main__" else "main"
    command = getattr(study, door) if hasattr(study, door) else study.STUDY.command
    with pytest.raises(SystemExit, match="2"):
        command()
    assert "unrecognized arguments: --wirte" in capsys.readouterr().err


def test_what_is_measured_is_printed_and_kept_only_if_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("notes.studies.study.NOTES", tmp_path)
    monkeypatch.setattr("notes.generated.renew", lambda: None)
    (tmp_path / "results").mkdir()
    study = Study("made_up", None, lambda: {"a": 1.5, "b": (2,)}, lambda kept: {"": str(kept["b"])})
    monkeypatch.setattr(Study, "draw", lambda self: None)
    assert study.command([]) == 0
    assert capsys.readouterr().out == "[2]\n"
    assert not study.file.exists()
    assert study.command(["--write"]) == 0
    assert study.kept() == {"a": 1.5, "b": [2]}
    assert study.table() == "[2]"
    assert json.loads(as_text([1, {"x": "ε"}])) == [1, {"x": "ε"}]


def test_the_adding_problem_is_kept_in_full():
    assert len(adding.STUDY.kept()) == len(adding.LENGTHS) * len(adding.trained_for_the_table(4))


def test_a_short_run_of_the_adding_problem_gives_a_record():
    (record,) = adding.run(steps=100, lengths=(8,), only="GRU")
    assert (record["T"], record["name"], record["steps"], len(record["curve"])) == (8, "GRU", 100, 4)
    assert "| GRU | " in adding.table([record])


@pytest.mark.parametrize("name", ["RNN", "LSTM, gates open"])
def test_a_flow_starts_at_one_and_its_spectra_belong_to_its_steps(name):
    flow = gradient_flow.flow(gradient_flow.build(**gradient_flow.CELLS[name]))
    assert flow.norms["h"][-1] == pytest.approx(1)
    assert flow.products.singular.shape == (gradient_flow.T + 1, gradient_flow.H * len(flow.norms))
    np.testing.assert_allclose(flow.products.singular[-2], flow.steps.singular[-1])
    assert (flow.bound is None) == (name != "RNN")


@pytest.mark.parametrize("way", ["checkpointed, √(T/6)", "truncated, window √T"])
def test_the_ways_that_are_timed_hold_less_than_the_plain_one(way):
    calls = gradient_costs.along_the_length(400)
    assert gradient_costs.peak(calls[way]) < gradient_costs.peak(calls["plain"]) / 3
    error = gradient_costs.gap(calls[way](), calls["plain"]())
    assert error < 1e-12 if way.startswith("checkpointed") else 1e-3 < error < 1


def test_the_second_direction_and_attention_are_worth_something():
    """What the notes say of the measured files."""

    def figures_of(task, what, *variants):
        run = tasks.results(task)[0]
        return [*(run["variants"][v][what] for v in variants), run["baselines"]["the most frequent sound of each letter"][what]]

    two, one, counted = figures_of("letters_tagger", "letters wrong", "both directions", "one direction")
    assert two < 0.5 * one and one < counted
    attending, without, counted = figures_of("pronunciation", "phonemes wrong", "attention", "no attention")
    assert attending < without < counted


@pytest.mark.parametrize("place", KEPT["places"])
def test_probabilities_are_powers_and_entropy_only_rises(place):
    z = np.array(KEPT["places"][place]["logits"])
    assert len(z) == len(KEPT["symbols"])
    _, p = temperature.likely(KEPT, place, 0.5)
    _, q = temperature.likely(KEPT, place, 1.0)
    np.testing.assert_allclose(p, q**2 / (q**2).sum(), atol=1e-12)
    curve = [float(temperature.entropy(z, tau)) for tau in temperature.AXIS]
    assert (np.diff(curve) > 0).all()
    assert 0 < curve[0] < curve[-1] < np.log2(len(z))


def test_the_mean_of_all_places_lies_between_the_two_and_only_rises():
    assert (np.diff(KEPT["mean"]) > 0).all()
    one = int(np.flatnonzero(temperature.AXIS == 1.0)[0])
    unsure, sure = (float(temperature.entropy(np.array(v["logits"]), 1.0)) for v in KEPT["places"].values())
    assert sure < KEPT["mean"][one] < unsure


def test_labels_are_moved_apart():
    moved = drawing.apart({"a": 0.5, "b": 0.52, "c": 0.99, "d": 1.0}, 0.1)
    heights = [moved[n] for n in "abcd"]
    assert heights == sorted(heights)
    assert min(np.diff(heights)) > 0.099
    assert max(heights) <= 1
