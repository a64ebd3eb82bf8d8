"""Claims: what is computed of which rows, what fails, and that the claims of this project hold."""

import json
import re
from dataclasses import replace

import pytest

from ..report.test_command import case, result, row
from .claim import FILE, Claim, ClaimError, Claims, Exempt, Files, read
from .command import ROOT, main
from .evidence import judged, measured, of_one_kind
from .sentences import NUMBER, PAGES, absent, unsupported

TIMES = {16: (1e-3, 2e-3), 32: (4e-3, 4e-3), 64: (4e-3, 1e-3)}  # by H, of torch.library and of ours: 2, 1 and 1/4
CLAIM = Claim("ours takes {at_most}", ("my.own",), "grid", 3, at_most=1.0)


def content(preset="grid", cores=4, started="2031-02-03T04:05:06Z", code=None, **more):
    rows = []
    for H, (library, ours) in TIMES.items():
        rows += [row(case(H=H, **more), "torch.library", library, peak_bytes=100), row(case(H=H, **more), "my.own", ours)]
        rows[-1] |= {"peak_bytes": 2 * H}
    made = result(rows, preset) | {"started": started}
    made["machine"]["cores"] = cores
    made["environment"]["code"] = code
    if code is None:
        del made["environment"]["code"]
    return made


@pytest.fixture
def folder(tmp_path):
    def save(name, made):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(made))
        return measured(tmp_path)

    return save


@pytest.mark.parametrize(
    ("figure", "statistic", "value"),
    [
        ("time", "geomean", 0.5 ** (1 / 3)),
        ("time", "max", 2),
        ("time", "min", 0.25),
        ("time", "median", 1),
        ("speed", "max", 4),
        ("memory", "max", 1.28),
        ("fraction", "min", 0.25),
    ],
)
def test_each_figure_and_statistic(folder, figure, statistic, value):
    claim = replace(CLAIM, figure=figure, statistic=statistic, at_most=value + 1e-9, at_least=value - 1e-9)
    machines = folder("box/box.json", content())
    verdict = judged(claim, machines)
    assert verdict.holds
    assert verdict.found[0].value == pytest.approx(value)
    assert not judged(replace(claim, at_most=value - 1e-3, at_least=None), machines).holds


def test_a_claim_that_no_file_supports_has_failed(folder):
    machines = folder("box/box.json", content())
    others = {
        "preset": "quick",
        "machine": ("elsewhere",),
        "dtype": "float64",
        "threads": 1,
        "cell": ("gru",),
        "phase": ("forward",),
    }
    for change in ({k: v} for k, v in others.items()):
        verdict = judged(replace(CLAIM, **change), machines)
        assert (verdict.holds, verdict.found, verdict.word) == (False, (), "no file supports it"), change
    assert judged(CLAIM, machines).holds


def test_all_cases_must_be_there(folder):
    """A mean over what was easy is no mean over all."""
    made = content()
    made["rows"][1] |= {"status": "error", "seconds": None}
    machines = folder("box/box.json", made)
    verdict = judged(CLAIM, machines)
    assert verdict.found[0][1:] == (None, "2 of 3 cases")
    assert not verdict.holds
    assert judged(replace(CLAIM, cases=2), machines).holds


def test_it_must_hold_in_every_file_that_has_its_rows(folder):
    folder("box/box.json", content())
    slow = content()
    for r in slow["rows"][1::2]:
        r["seconds"]["median"] *= 10
    machines = folder("box/box-again.json", slow)
    verdict = judged(CLAIM, machines)
    assert [f.value < 1 for f in verdict.found] == [False, True]
    assert verdict.word == "does not hold"


def test_a_model_is_no_layer(folder):
    """A file of models has rows of both cells and models; a claim is about the one or the other."""
    made = content("models")
    made["rows"] += content("models", model="char_lm", vocabulary=74, classes=2)["rows"]
    machines = folder("box/box.json", made)
    assert judged(replace(CLAIM, preset="models"), machines).holds
    assert judged(replace(CLAIM, preset="models", model=("char_lm",)), machines).holds
    assert judged(replace(CLAIM, preset="models", model=("forecast",)), machines).found == ()


def test_as_many_runs_are_wanted_as_it_says(folder):
    machines = folder("box/box.json", content())
    verdict = judged(replace(CLAIM, files=2), machines)
    assert (verdict.holds, verdict.word) == (False, "1 of 2 files")
    assert judged(replace(CLAIM, files=2), folder("box/box-again.json", content())).holds


def test_all_cores_are_those_of_the_machine(folder):
    """The file has four threads."""
    assert judged(CLAIM, folder("box/box.json", content(cores=8))).found == ()
    assert judged(replace(CLAIM, threads=4), folder("box/box.json", content(cores=8))).holds


def test_files_of_one_date_and_one_code(folder):
    folder("box/a.json", content(code={"reference/fast": "1"}))
    machines = folder("box/b.json", content(started="2031-02-05T04:05:06Z", code={"reference/fast": "2"}))
    assert list(of_one_kind(Files(), machines)) == []
    (text,) = of_one_kind(Files(days=1), machines)
    assert "2.0 days lie between box/a.json and box/b.json" in text
    assert list(of_one_kind(Files(days=2), machines)) == []
    (text,) = of_one_kind(Files(one_code=True), machines)
    assert "box/b.json is of other code than box/a.json" in text
    (text,) = of_one_kind(Files(one_code=True), folder("box/b.json", content()))
    assert "box/b.json does not say of which code it is" in text


ENTRY = 'said = "x"\nimplementation = "my.own"\npreset = "grid"\ncases = 3\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[claim]]\n" + ENTRY, "no bound"),
        ("[[claim]]\n" + ENTRY + 'at_most = 1\ncell = "lstn"', "cell must be one of"),
        ("[[claim]]\n" + ENTRY + "at_most = 1\nmaximum = 3", "no key 'maximum'"),
        ("[[claim]]\nat_most = 1\n" + ENTRY.replace("cases = 3", ""), "cases"),
        ("[[clam]]\n" + ENTRY, "no 'clam' here"),
        ("[[claim", "Expected"),
    ],
)
def test_a_broken_file_is_one_sentence_and_status_2(text, said, tmp_path, capsys):
    (tmp_path / "claims.toml").write_text(text)
    assert main(["--claims", str(tmp_path / "claims.toml")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_the_command_says_what_holds(folder, tmp_path, capsys):
    folder("box/box.json", content())
    file = tmp_path / "claims.toml"
    file.write_text("[[claim]]\n" + ENTRY + "at_most = 1")
    assert main(["--results", str(tmp_path), "--claims", str(file)]) == 0
    assert "1 of 1 claims hold" in capsys.readouterr().out
    file.write_text("[[claim]]\n" + ENTRY + "at_most = 0.7")
    assert main(["--results", str(tmp_path), "--claims", str(file)]) == 1
    assert "does not hold" in " ".join(capsys.readouterr().out.split())
    (tmp_path / "empty").mkdir()
    assert main(["--results", str(tmp_path / "empty")]) == 2
    assert "holds no result files" in capsys.readouterr().err


PAGE = """# Title

It takes 0.65 of the time, and in `x = 0.5` and ```
1.5
``` and $0.7 x$ nothing is said. Python 3.11.

<!--[[[cog ]]]-->
1.5×
<!--[[[end]]]-->

## Old

3 to 5 % of 12 GFLOP/s in 20 µs.
"""


def test_a_measured_number_needs_a_claim():
    (where,) = PAGES[:1]
    bare = [u.number for u in unsupported(where, PAGE, Claims(()))]
    assert bare == ["0.65", "3.11", "3 to 5 %", "12 GFLOP/s", "20 µs"]
    claim = replace(CLAIM, said="It takes {at_most} of the time", at_most=0.65, where=(where,))
    exempt = (Exempt(where, "versions", text="Python 3.11"), Exempt(where, "gone", heading="Old"))
    assert [u.number for u in unsupported(where, PAGE, Claims((claim,), exempt[:1]))] == ["3 to 5 %", "12 GFLOP/s", "20 µs"]
    assert list(unsupported(where, PAGE, Claims((claim,), exempt))) == []
    assert list(absent(where, PAGE, Claims((claim,), exempt))) == []
    wrong = Claims((replace(claim, at_most=0.7),), (Exempt(where, "gone", heading="Older"), Exempt(where, "x", text="Python 2")))
    assert list(absent(where, PAGE, wrong)) == ["It takes 0.7 of the time", "Older", "Python 2"]
    assert next(u.line for u in unsupported(where, PAGE, wrong)) == 3


@pytest.mark.parametrize("page", PAGES)
def test_every_measured_number_of_ours_has_a_claim(page):
    """If not: generate it from the files, or say in claims.toml which rows it is about."""
    text, claims = (ROOT / page).read_text(encoding="utf-8"), read()
    assert list(unsupported(page, text, claims)) == []
    assert list(absent(page, text, claims)) == []


def test_bounds_in_our_sentences_are_those_that_are_checked():
    """A number that is said is a bound of its claim, not typed beside it."""
    claims = read()
    assert claims.claims
    bare = [re.sub(r"\{(at_most|at_least|asked)\}", "", c.said) for c in claims.claims]
    assert [said for said in bare if NUMBER.search(said)] == []
    assert {page for c in claims.claims for page in c.where} <= set(PAGES)
    assert {e.file for e in claims.exempt} <= set(PAGES)


def test_our_claims_hold(capsys):
    """By the files of benchmarks/results; if not, either is to be corrected: ``python -m benchmarks claims``."""
    assert main([]) == 0, capsys.readouterr().out
    assert FILE.is_file()


def test_a_value_that_is_not_a_number_supports_nothing():
    assert not CLAIM.admits(float("nan"))
    with pytest.raises(ClaimError, match="preset"):
        replace(CLAIM, preset="grit")
