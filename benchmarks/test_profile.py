"""What the time is spent on, and what each trick gives: the copies compute the same, and what is counted is right."""

import re

import numpy as np
import pytest

from parity_tests.judge.implementations import BUILTIN, numpy_implementation

from . import instrument, profile, study, tricks
from .report import tables
from .report.command import headline
from .report.test_command import result, row
from .run import check, results
from .run.candidate import Subject
from .run.test_check import LIMITS
from .what.presets import GRID, square

CLOCK = profile.Clock(0.0, dict.fromkeys(instrument.least(1), 0.0))
COPY = numpy_implementation("clocked", instrument.timed_reference(), "fast")


def calls(config, phase):
    """kind -> calls of one call of the layer"""
    subject = Subject(COPY, config, phase)
    instrument.take()
    subject.call()
    return {k: v["calls"] for k, v in profile.kinds([instrument.take()], config.T, CLOCK, 1.0).items()}


@pytest.mark.parametrize("B", [1, 4])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_copy_computes_the_same(cell, B):
    config = square(cell, 7, B, 6)
    for phase in ("forward", "train"):
        ours, theirs = (Subject(i, config, phase).tensors(config.case(), config.case().data())
                        for i in (BUILTIN["numpy.fast"], COPY))
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize(("cell", "nonlinearities", "hoisted"), [("rnn", 1, 4), ("lstm", 3, 4), ("gru", 2, 5)])
def test_products_and_nonlinearities_are_counted(cell, nonlinearities, hoisted):
    """A forward has one product and its nonlinearities at each step; a training step has two products at each, and four
    hoisted: the input's, its gradient, and one for each weight, which the GRU's input weights take in two parts."""
    config = square(cell, 9, 4, 6)
    forward, train = calls(config, "forward"), calls(config, "train")
    assert (forward["recurrent"], forward["nonlinear"]) == (9, 9 * nonlinearities)
    assert (train["recurrent"], train["hoisted"]) == (18, hoisted)
    assert train["elementwise"] > forward["elementwise"] > 9


def test_operators_and_assignments_are_timed_and_plain_python_is_not():
    text, last = instrument.rewritten('"""Doc."""\n\ndef f(a, n):\n    k = n + 1\n    b = a @ a + a\n    b += a\n'
                                      '    b[0] = 7\n    d = {}\n    d["x"] = k\n    return b.copy()\n')
    space: dict = {}
    exec(compile(text, "f", "exec"), space)
    instrument.take()
    a = np.arange(4.0).reshape(2, 2)
    got, right = space["f"](a, 3), a @ a + a + a
    right[0] = 7
    np.testing.assert_array_equal(got, right)
    found = instrument.take()
    assert sorted(kind for _, kind in found) == ["copy", "copy", "elementwise", "elementwise", "product"]
    assert all(f.calls == 1 and f.seconds > 0 for f in found.values())
    assert last >= len(found)


def test_kept_products_are_all_of_them_and_can_be_run_again():
    config = square("lstm", 5, 4, 6)
    subject = Subject(COPY, config, "train")
    with instrument.keeping_products() as products:
        subject.call()
    assert len(products) == 5 + 5 + 4
    f, args, named = products[0]
    first = f(*args, **named).copy()
    np.testing.assert_array_equal(f(*args, **named), first)


def test_what_the_clock_costs_is_subtracted_and_the_rest_is_what_is_left():
    found = [{(1, "product"): instrument.Found(5, 2.0), (2, "product"): instrument.Found(1, 1.0),
              (3, "nonlinear"): instrument.Found(5, 0.5)}]
    made = profile.kinds(found, 5, profile.Clock(0.1, {"product": 0.2, "nonlinear": 0.3, "elementwise": 0, "copy": 0}), 4.0)
    assert [made[k]["seconds"] for k in ("recurrent", "hoisted", "nonlinear")] == pytest.approx([1.5, 0.9, 0.0])
    assert made["rest"]["seconds"] == pytest.approx(1.6)
    assert made["recurrent"]["least"] == pytest.approx(1.0)


def test_a_profile_is_written_read_and_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(profile, "GRID", ((5, 4, 6),))
    monkeypatch.setattr(study.limits, "measure", lambda *_: LIMITS["cpu"])
    out = tmp_path / "a.json"
    assert profile.main(["--cell", "gru", "--seconds", "1e-9", "--out", str(out)]) == 0
    found = study.read(out, "profile", profile.RULE)
    assert [r["phase"] for r in found["rows"]] == ["forward", "train"]
    assert all(0 < r["parity"] <= 1 for r in found["rows"])
    assert found["command"] == "python -m benchmarks profile --cell gru --out a.json"
    for r in found["rows"]:
        assert sum(v["seconds"] for v in r["kinds"].values()) == pytest.approx(r["seconds"]["numpy.fast"]["median"])
    text = capsys.readouterr().out
    assert "| T5 B4 H6 |" in text and "products at each step" in text
    with pytest.raises(results.ResultError, match="is no file of python -m benchmarks other"):
        study.read(out, "other", profile.RULE)
    out.write_text(out.read_text().replace('"kinds"', '"kind"'))
    with pytest.raises(results.ResultError, match="rows\\[0\\] has no 'kinds'"):
        study.read(out, "profile", profile.RULE)


@pytest.mark.parametrize("trick", tricks.TRICKS, ids=lambda t: f"{t.name}-{'-'.join(t.cells)}-{t.phases[0]}")
def test_without_a_trick_the_result_is_right(trick):
    """And what it changes is really there (else LookupError), in the cells that it is said of."""
    implementation = numpy_implementation(trick.name, tricks.variant(trick), "fast")
    for cell in trick.cells:
        for B in {1 if size in tricks.ALONE else 4 for size in trick.sizes}:
            config = square(cell, 9, B, 6)
            for phase in trick.phases:
                assert check.judge(Subject(implementation, config, phase), config.case()) <= 1


def test_a_trick_whose_line_is_gone_is_an_error():
    with pytest.raises(LookupError, match="must contain 'no such line'"):
        tricks.variant(tricks.TRICKS[0]._replace(changes=(("common/arrays.py", "no such line", ""),)))


def test_every_case_has_the_whole_and_something_without():
    for config, phase in tricks.jobs(("rnn", "lstm", "gru"), ("forward", "train")):
        names = [i.name for i in tricks.implementations(config, phase)]
        assert names[0] == tricks.WHOLE
        assert len(names) == len(set(names)) > 1
    assert set(tricks.ALONE + tricks.TOGETHER + tricks.LARGE) <= set(GRID)


def test_a_factor_is_over_all_pairs():
    assert tricks.factor([2.0, 2.0], [1.0, 1.0]) == (2.0, 2.0, 2.0)
    assert tricks.factor([3.0, 1.0, 2.0], [1.0]).median == 2.0


def test_tricks_are_written_as_a_result_file_and_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tricks.limits, "measure", lambda *_: LIMITS["cpu"])
    monkeypatch.setattr(tricks, "jobs", lambda cells, phases: [(square("rnn", 50, 16, 64), "train")])
    out = tmp_path / "a.json"
    assert tricks.main(["--seconds", "1e-9", "--out", str(out)]) == 0
    rows = results.read(out)["rows"]
    assert {r["status"] for r in rows} == {"ok"}
    assert len(rows) > 3
    assert all(r["peak_bytes"] > 0 for r in rows)
    assert "| memory is used again | rnn | train | **" in capsys.readouterr().out


def test_the_readme_shows_one_grid_of_each_machine():
    def of(preset, threads, **case_options):
        case = square("lstm", 5, 4, 6).as_dict() | case_options
        made = result([row(case, name, 1e-3) for name in ("numpy.fast", "torch.library")], preset)
        made["environment"] = made["environment"] | {"torch_threads": threads}
        return made

    files = [of("cliffs", 2), of("grid", 1), of("grid", 2, dtype="float64"), of("grid", 2), of("grid", 2)]
    found = tables.load([(f"{k}.json", f) for k, f in enumerate(files)])
    assert {e.run.number for e in headline(found)} == {3}
    assert headline([e for e in found if e.run.preset != "grid"]) == [e for e in found if e.run.preset != "grid"]


@pytest.mark.parametrize("command", [profile, tricks])
@pytest.mark.parametrize(("option", "value", "message"), [
    ("--seconds", "0", "must be above 0 and finite, got 0.0"), ("--seconds", "nan", "must be above 0 and finite, got nan"),
    ("--out", "{folder}/file/a.json", "a.json'|file'")])
def test_what_cannot_be_is_said_before_anything_is_timed(command, option, value, message, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    for work in ("group", "enter"):
        monkeypatch.setattr(command.grouping, work, None)
    monkeypatch.setattr(study.limits, "measure", lambda *_: LIMITS["cpu"])
    if option == "--seconds":
        with pytest.raises(SystemExit, match="2"):
            command.main([option, value])
    else:
        assert command.main([option, value.format(folder=tmp_path)]) == 2
    assert re.search(message, " ".join(capsys.readouterr().err.split()))


@pytest.mark.parametrize(("command", "work"), [(profile, "row"), (tricks, "implementations")])
def test_an_interruption_keeps_what_was_measured(command, work, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, work, interrupt)
    monkeypatch.setattr(study.limits, "measure", lambda *_: LIMITS["cpu"])
    assert command.main(["--out", str(tmp_path / "a.json")]) == 130
    assert (tmp_path / "a.json").exists()
    assert "interrupted" in capsys.readouterr().err
