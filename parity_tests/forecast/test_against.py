"""``evaluate --against``: what a library of others is given, and where its figures stand."""

import json
import sys
import types

import numpy as np
import pytest

from reference.forecast.evaluation import against
from reference.forecast.train import prepare

from .runs import asked, both_sides, command, noisy, options, wave, write


class Fake:
    """Says the last row that it was given, and remembers all that it was."""

    given: list = []

    def __init__(self, season_length):
        self.season = season_length

    def fit(self, y):
        Fake.given.append(("fit", self.season, y.copy()))
        return self

    def forward(self, y, h):
        Fake.given.append(("forward", self.season, y.copy()))
        return {"mean": np.repeat(y[-1], h)}


@pytest.fixture
def fake(monkeypatch):
    module = types.ModuleType("statsforecast.models")
    module.AutoARIMA = module.AutoETS = Fake
    package = types.ModuleType("statsforecast")
    package.__spec__ = types.SimpleNamespace(name="statsforecast")
    monkeypatch.setitem(sys.modules, "statsforecast", package)
    monkeypatch.setitem(sys.modules, "statsforecast.models", module)
    monkeypatch.setattr(Fake, "given", [])


def test_it_is_given_the_rows_before_each_origin_and_fitted_once(fake):
    s = noisy()
    task = prepare(options("--window", 8, "--horizon", 3), [s])
    windows = task.windows("test")
    said = against.statsforecast(task, windows)
    assert set(said) == {"statsforecast AutoARIMA", "statsforecast AutoETS"}
    np.testing.assert_array_equal(said["statsforecast AutoETS"], np.repeat(s.values[windows.origins - 1, 0][None], 3, axis=0))
    fits = [y for what, _, y in Fake.given if what == "fit"]
    assert [len(y) for y in fits] == [task.parts[0].validation] * 2 and {season for _, season, _ in Fake.given} == {12}
    for (_, _, y), origin in zip([g for g in Fake.given if g[0] == "forward"], [*windows.origins] * 2, strict=True):
        np.testing.assert_array_equal(y, s.values[:origin, 0])


def test_a_season_that_is_too_long_for_it_is_left_out_and_said(fake, capsys):
    task = prepare(options("--window", 8, "--horizon", 3), [noisy()._replace(season=48)])
    against.statsforecast(task, task.windows("test"))
    assert {season for _, season, _ in Fake.given} == {1}
    assert "a season of 48 is too long for statsforecast's models" in capsys.readouterr().out


@both_sides
def test_it_stands_in_the_same_table(backend, fake, tmp_path, capsys):
    run = tmp_path / "run"
    assert command(backend, *asked(write(tmp_path / "own.csv", wave())), "--run", run) == 0
    assert command(backend, "evaluate", "--run", run, "--no-plots", "--against", "statsforecast") == 0
    overall = json.loads((run / "test.json").read_text())["overall"]
    assert overall["statsforecast AutoETS"]["rmse"] == pytest.approx(overall["persistence"]["rmse"], rel=1e-12)
    assert "| statsforecast AutoARIMA |" in capsys.readouterr().out
    assert ",statsforecast AutoETS," in (run / "test-forecasts.csv").read_text().splitlines()[0]


def test_where_it_is_not_installed_that_is_one_sentence(tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    assert command("reference", *asked(write(tmp_path / "own.csv", wave())), "--run", run) == 0
    monkeypatch.setattr(against, "lacking", lambda extra, name: f"{name} is needed, extra {extra}")
    assert command("reference", "evaluate", "--run", run, "--against", "statsforecast") == 2
    assert capsys.readouterr().err == "error: --against statsforecast: statsforecast is needed, extra peers\n"


@pytest.mark.slow
def test_the_library_itself():
    """Its models on a seasonal series beat persistence there, and see nothing that comes later."""
    pytest.importorskip("statsforecast", reason="extra 'peers' is not installed")
    s = noisy()
    o = options("--window", 8, "--horizon", 3)
    changed = s.values.copy()
    changed[150:] = 1e3
    tasks = prepare(o, [s]), prepare(o, [s._replace(values=changed)])
    said, other = (against.statsforecast(task, tasks[0].windows("test")) for task in tasks)
    seen = tasks[0].windows("test").origins <= 150
    truth = tasks[0].truth(tasks[0].windows("test"))
    naive = s.values[tasks[0].windows("test").origins - 1, 0]
    for name, f in said.items():
        np.testing.assert_array_equal(f[:, seen], other[name][:, seen])
        assert np.sqrt(((f - truth) ** 2).mean()) < 0.7 * np.sqrt(((naive - truth) ** 2).mean()), name
