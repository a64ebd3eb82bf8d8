"""What is wrong with a file or an option is one sentence, and what has no figure is null."""

import codecs
import json

import numpy as np
import pytest

from .runs import asked, command, days, small, wave, write


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('time,x\n2020-01-01,"1\n' + "2020-01-02,2\n" * 20_000, "cannot be cut into columns: EOF inside string"),
        ("time,x\n2020-01-01,1\n2020-01-02,2,3\n", "cannot be cut into columns: Expected 2 fields in line 3, saw 3"),
        (
            "time,x\n01/02/2020,1\n02/03/2020,2\n",
            "can be read in two ways; name its form by --date-format: '%d/%m/%Y' (day/month/year)",
        ),
        ("time,x\n2020-01-01,1\0\n", "has zero bytes, so it is no text"),
        ("time,x\n2020-01-01T10:00+01:00,1\n2020-01-01T11:00,2\n", "some times have an offset from UTC and some have none: row 2"),
        ("time,value, value\n2020,1,2\n", "two columns of one name: 'value'"),
        ("time,x,\n2020-01-01,1,7\n", "column 3 has values and no name in the header line"),
        ("time,x\n2020-01-01,1\n", "1 values of 'x' are too few to forecast anything"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(content, said, tmp_path, capsys):
    file = tmp_path / "own.csv"
    file.write_text(content, encoding="utf-8")
    target = "value" if "value" in content.partition("\n")[0] else "x"
    assert command("reference", *small(file, tmp_path / "run", target=target)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and said in error, error


def test_an_encoding_that_python_does_not_know_is_refused(tmp_path, capsys):
    """Also where a package has registered a codec that takes any name."""
    codecs.register(any_name := lambda name: codecs.lookup("utf-8") if name == "klingon" else None)
    try:
        assert command("reference", *small(write(tmp_path / "own.csv", wave()), tmp_path / "run"), "--encoding", "klingon") == 2
    finally:
        codecs.unregister(any_name)
    assert capsys.readouterr().err == "error: --encoding must be an encoding that Python knows, got 'klingon'\n"


def test_other_bad_words(tmp_path, capsys):
    file, run = write(tmp_path / "own.csv", wave()), tmp_path / "run"
    (tmp_path / "latin.csv").write_bytes("time,Wärme\n2020,1\n".encode("cp1252"))
    assert command("reference", *small(tmp_path / "latin.csv", run, target="Wärme")) == 2
    assert "is not utf-8: byte 0xe4 at position 6; name its encoding by --encoding" in capsys.readouterr().err
    assert command("reference", *asked(file), "--run", run) == 0
    with pytest.raises(SystemExit):
        command("reference", "evaluate", "--run", run, "--refits", "-3")
    assert "argument --refits: must be 0 or more, got -3" in capsys.readouterr().err
    assert command("reference", "evaluate", "--run", run, "--refits", "30") == 2
    assert "--refits must be from 1 to 8, the blocks of a horizon that the test part holds, got 30" in capsys.readouterr().err
    assert command("reference", "evaluate", "--run", run, "--refits", "0", "--no-plots") == 0  # the model as it was trained
    assert (run / "test.json").exists() and "fitted anew" not in capsys.readouterr().out


def test_figures_that_are_not_finite_are_null(tmp_path):
    """A test part that is constant has no variance, and a perfect persistence no skill beside it."""
    x = np.sin(np.arange(100.0))
    x[-25:] = 0.5
    file, run = write(tmp_path / "own.csv", days(x), ("time", "x")), tmp_path / "run"
    assert command("reference", *small(file, run)) == 0
    assert command("reference", "evaluate", "--run", run, "--no-plots") == 0
    figures = json.loads((run / "test.json").read_text(), parse_constant=pytest.fail)
    assert figures["overall"]["persistence"]["r2"] is None
