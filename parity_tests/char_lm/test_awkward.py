"""Small texts as people have them, in awkward/: what is understood of each, and that both sides go through with it."""

import json
import shlex
import tomllib
from pathlib import Path

import pytest

from .runs import SMALL, both_sides, call

FOLDER = Path(__file__).parent / "awkward"
CASES = tomllib.loads((FOLDER / "cases.toml").read_text(encoding="utf-8"))


@both_sides
@pytest.mark.parametrize("name", CASES)
def test_train_evaluate_generate(backend, name, tmp_path, capsys):
    case, run = CASES[name], tmp_path / "run"
    words = ["--text", FOLDER / name, *shlex.split(case["options"]), "--run", run, "--steps", 12, "--window", 5, *SMALL[:4]]
    assert call(backend, "train", *words, "--batch", 2, "--quiet") == 0, capsys.readouterr().err
    corpus = json.loads((run / "config.json").read_text(encoding="utf-8"))["corpus"]
    assert (corpus["characters"], corpus["distinct"]) == (case["characters"], case["distinct"])
    capsys.readouterr()
    assert call(backend, "evaluate", "--run", run, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert 0 < answer["perplexity"] < 2 * case["distinct"]
    assert call(backend, "generate", "--run", run, "--length", 20, "--json") == 0
    written = json.loads(capsys.readouterr().out)["text"]
    assert written if case["options"] == "--bytes" else len(written) == 20


def test_every_file_has_a_case():
    assert set(CASES) | {"cases.toml"} == {f.name for f in FOLDER.iterdir()}
