"""Small files as people have them, in awkward/: what is understood of each, and that both sides go through with it."""

import csv
import json
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest

from reference.forecast.options import parser, settled
from reference.forecast.series import load

from .runs import both_sides, command

FOLDER = Path(__file__).parent / "awkward"
CASES = tomllib.loads((FOLDER / "cases.toml").read_text(encoding="utf-8"))
SMALL = shlex.split("--window 8 --horizon 3 --validation 0.25 --hidden 4 --epochs 1 --no-progress")
every_file = pytest.mark.parametrize("name", CASES)


def words(name):
    case = CASES[name]
    time = case.get("time", "date")
    given = ["--csv", str(FOLDER / case["file"]), "--target", case.get("target", "x"), *(["--time", time] if time else [])]
    return given + shlex.split(case.get("options", ""))


@every_file
def test_what_is_understood(name):
    case = CASES[name]
    found = load(settled(parser("reference", ("fast",)).parse_args(["train", *words(name), *SMALL])))
    assert sorted(s.name for s in found) == case.get("series", [Path(case["file"]).stem])
    for s in found:
        assert (s.frequency.name, s.season, len(s.values)) == (case["frequency"], case["season"], 64)
        n = len(case["next"])
        assert [s.shown(t) for t in s.following(n)] == case["next"]
        assert np.isfinite(s.values).all() and s.known_ahead(3).shape == (3, s.known)
        assert not (set(case.get("notes", ())) - set(s.notes)), s.notes


@both_sides
@every_file
def test_train_evaluate_predict(backend, name, tmp_path, capsys):
    run = tmp_path / "run"
    assert command(backend, "train", *words(name), *SMALL, "--run", run) == 0, capsys.readouterr().err
    assert f"rows come {CASES[name]['frequency']}; season {CASES[name]['season']} (" in capsys.readouterr().out
    assert command(backend, "evaluate", "--run", run, "--no-plots") == 0
    json.loads((run / "test.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert command(backend, "predict", "--run", run, "--no-plots") == 0
    rows = list(csv.DictReader((run / "forecast.csv").read_text(encoding="utf-8").splitlines()))
    first = [r["time"] for r in rows if r.get("series") in (None, rows[0].get("series"))]
    assert first[: len(CASES[name]["next"])] == CASES[name]["next"][:3]


def test_every_file_has_a_case():
    assert {c["file"] for c in CASES.values()} == {f.relative_to(FOLDER).as_posix() for f in FOLDER.glob("*/*.csv")}
