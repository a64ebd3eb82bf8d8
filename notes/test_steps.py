"""The figures of notes/from_equations_to_gemms.md, once more from the raw result files."""

import json

import numpy as np

from . import steps
from .labels import NOTES, ROOT

FILES = sorted((ROOT / "benchmarks" / "results").glob("*.json"))


def medians(implementation, cell, phase):
    """{(file, case): median} of one implementation's float32 rows on the CPU"""
    rows = [(file.name, row) for file in FILES for row in json.loads(file.read_text(encoding="utf-8"))["rows"]]
    return {(name, json.dumps(row["case"])): row["seconds"]["median"] for name, row in rows
            if row["implementation"] == implementation and row["phase"] == phase and row["status"] == "ok"
            and "model" not in row["case"] and steps.CELLS.count(row["case"]["cell"]) and row["case"]["cell"] == cell
            and (row["case"]["dtype"], row["case"]["device"], row["case"]["reset_after"]) == ("float32", "cpu", True)
            and row["case"]["nonlinearity"] == "tanh"}


def test_a_step_is_the_geometric_mean_of_its_cases():
    before, after = medians("numpy", "lstm", "train"), medians("numpy.fast", "lstm", "train")
    both = [after[case] / before[case] for case in before.keys() & after.keys()]
    assert both
    step = next(step for step in steps.LADDER if step.before == "numpy")
    found = steps.quotients(step, "lstm", "train", "cpu", steps.measured())
    np.testing.assert_allclose(sorted(found), sorted(both))
    shown = f"{np.exp(np.mean(np.log(both))):.2f}× ({min(both):.2f} – {max(both):.2f})"
    assert steps.saved(found) == shown
    assert shown in (NOTES / "from_equations_to_gemms.md").read_text(encoding="utf-8")


def test_a_step_that_nobody_measured_says_so():
    step = steps.Step("", "numpy", "not.there")
    assert steps.saved(steps.quotients(step, "lstm", "train", "cpu", steps.measured())) == steps.NONE
