"""The figures of notes/from_equations_to_gemms.md, once more from the raw result files."""

import gzip
import json

import numpy as np

from benchmarks.report import frame

from ...labels import NOTES, ROOT
from .. import steps

FILES = sorted((ROOT / "benchmarks" / "results").glob("*/*.json.gz"))


def content(file):
    return json.loads(gzip.decompress(file.read_bytes()))


def saved(step, cell="lstm", phase="train"):
    """What is saved in each case, by the module."""
    both = steps.pairs(step, steps.measured())
    return both[(both.kind == cell) & (both.phase == phase) & (both.device == "cpu")].saved


def medians(implementation, cell, phase):
    """{(file, case): median} of one implementation's float32 rows on the CPU"""
    rows = [(file.name, row) for file in FILES for row in content(file)["rows"]]
    return {
        (name, json.dumps(row["case"])): row["seconds"]["median"]
        for name, row in rows
        if row["implementation"] == implementation
        and row["phase"] == phase
        and row["status"] == "ok"
        and "model" not in row["case"]
        and steps.CELLS.count(row["case"]["cell"])
        and row["case"]["cell"] == cell
        and (row["case"]["dtype"], row["case"]["device"], row["case"]["reset_after"]) == ("float32", "cpu", True)
        and row["case"]["nonlinearity"] == "tanh"
    }


def test_a_step_is_the_geometric_mean_of_its_cases():
    step = next(step for step in steps.LADDER if step.before == "numpy")
    before, after = medians("numpy", "lstm", "train"), medians(step.after, "lstm", "train")
    both = [after[case] / before[case] for case in before.keys() & after.keys()]
    assert both
    np.testing.assert_allclose(sorted(saved(step)), sorted(both))
    shown = f"{np.exp(np.mean(np.log(both))):.2f}× ({min(both):.2f} – {max(both):.2f})"
    assert steps.saved(saved(step)) == shown
    assert shown in (NOTES / "from_equations_to_gemms.md").read_text(encoding="utf-8")


def test_a_step_that_nobody_measured_says_so():
    step = steps.Step("", "numpy", "not.there")
    assert steps.saved(saved(step)) == steps.NONE


def test_a_step_gets_its_figure_when_a_file_has_both_of_its_ends():
    """Rows of every implementation of the ladder in one file, each half as slow as the one before: no figure is missing."""
    files = map(content, FILES)
    file = next(
        file for file in files if file["preset"] == "grid" and any(row["implementation"] == "numpy" for row in file["rows"])
    )
    ends = list(dict.fromkeys(name for step in steps.LADDER for name in (step.before, step.after)))
    some = [row for row in file["rows"] if row["implementation"] == "numpy"]
    file["rows"] = [
        dict(row, implementation=name, seconds=dict(row["seconds"], median=row["seconds"]["median"] * 0.5**i))
        for i, name in enumerate(ends)
        for row in some
    ]
    rows = frame.load([("made-up.json", file)])
    lines = [line for line in steps.ladder(rows).splitlines() if line.count("|") > 3][2:]
    assert len(lines) == len(steps.LADDER)
    for line, step in zip(lines, steps.LADDER, strict=True):
        factor = 0.5 ** (ends.index(step.after) - ends.index(step.before))
        assert line.count(f"{factor:.2f} – {factor:.2f}") == len(steps.CELLS) * len(steps.PHASES)
        assert line.endswith("| made-up |")
        assert steps.NONE not in line
