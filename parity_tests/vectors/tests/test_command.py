"""``python -m parity_tests.vectors``: what it writes, what it leaves out, and what it says."""

import json
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from ...judge.cases import table
from ...judge.contracts import CONTRACTS
from ...judge.oracle import truth
from .. import calls, folder
from ..command import main
from .conftest import CHECKERS, find

SMALL = ("--cases", "rnn-T4B1I1H1-size1", "--cases", "rnn-T5B4I3H6-2layers-backwards", "--dtype", "float64")


def test_what_is_written_and_what_is_left_out(tmp_path, capsys):
    out = tmp_path / "a" / "vectors"
    assert main([*SMALL, "--out", str(out)]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert f"wrote 1 cases to {out}" in lines
    assert f"left out 1: {calls.MEMORY}" in lines
    index = json.loads((out / "index.json").read_text(encoding="utf-8"))
    assert index["cases"] == ["rnn-T4B1I1H1-size1.float64"]
    assert index["left_out"] == {calls.MEMORY: ["rnn-T5B4I3H6-2layers-backwards.float64"]}
    assert {p.name for p in out.iterdir()} == {
        "index.json",
        *(f"rnn-T4B1I1H1-size1.float64{suffix}" for suffix in folder.SUFFIXES),
        *(p.name for p in CHECKERS.iterdir()),
    }


@pytest.mark.slow
def test_several_processes_write_the_same(tmp_path):
    for n in "12":
        assert main([*SMALL, "--dtype", "float32", "--out", str(tmp_path / n), "-j", n]) == 0
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in "12")
    assert one == two


def test_another_folder_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").write_text("")
    assert main([*SMALL, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: --out: {tmp_path} is not empty, and holds no vectors\n"
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_vectors_are_put_in_the_place_of_others_only_when_told_so(tmp_path, capsys):
    assert main([*SMALL, "--out", str(tmp_path)]) == 0
    other = ["--cases", "gru-T4B1I1H1-size1", "--dtype", "float32", "--out", str(tmp_path)]
    capsys.readouterr()
    assert main(other) == 2
    assert capsys.readouterr().err == f"error: --out: {tmp_path} holds vectors already; --overwrite puts others in their place\n"
    assert main([*other, "--overwrite"]) == 0
    assert {p.name for p in tmp_path.glob("*size1*")} == {f"gru-T4B1I1H1-size1.float32{suffix}" for suffix in folder.SUFFIXES}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "--out DIR writes vectors, --onnx DIR node tests for ONNX: say one, or both"),
        (["--out", "{0}", "--cases", "nothing"], "--cases: no case is named 'nothing'"),
        (["--out", "{0}/file/out", "--cases", "rnn-T4B1I1H1-size1"], "{0}/file/out: Not a directory"),
        (["answer", "{0}", "--impl", "numpy", "--out", "{0}/a"], "{0}/index.json: No such file or directory"),
        (["answer", "{0}/of", "--impl", "numpy", "--out", "{0}/a"], "{0}/of/index.json has format 7, not 1"),
        (["answer", "{0}/no", "--impl", "numpy", "--out", "{0}/a"], "{0}/no/index.json holds no JSON object"),
    ],
)
def test_what_a_person_did_wrong_is_a_sentence_and_status_2(words, sentence, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for name, content in (("of", '{"format": 7}'), ("no", "[]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.json").write_text(content)
    assert main([word.format(tmp_path) for word in words]) == 2
    assert capsys.readouterr().err.startswith(f"error: {sentence.format(tmp_path)}")


def test_every_contract_has_files_or_a_reason():
    assert {*calls.CONTRACTS} | {*calls.LEFT_OUT} == {*CONTRACTS}
    assert {*calls.CONTRACTS} & {*calls.LEFT_OUT} == set()


def test_nothing_is_left_out_but_for_memory_and_chance():
    """By number: four of five cases, and all that are no contract and lie row by row."""
    cases = table()
    kept = [case for case in cases if not calls.left_out(case)]
    assert len(kept) > 0.8 * len(cases)
    assert all(case in kept for case in cases if not case.memory and not case.contract)


def test_names_are_file_names():
    names = [f"{folder.name_of(case)}{suffix}" for case in table(tier=2) for suffix in folder.SUFFIXES]
    assert max(map(len, names)) < 256
    assert not any(set(name) & set('/\\:*?"<>|') for name in names)
    assert len({name.lower() for name in names}) == len(names)


def test_expected_values_are_the_oracle_to_its_last_bit(vectors):
    """float64 holds 53 of its bits, the rest another number."""
    case = find("lstm-T5B4I3H6-nostate", "float64")
    expected = load_file(vectors / f"{folder.name_of(case)}.expected.safetensors")
    for name, exact in truth(case).oracle.items():
        assert (expected[name].astype(np.longdouble) + expected[f"{name}.rest"] == exact).all()
        assert (expected[name] == exact.astype(np.float64)).all()


def test_answers_of_a_module(tmp_path, monkeypatch, capsys, check):
    """Answered, declined, and raised: the last is told, has no answer, and is none to the checkers."""
    vectors, answers = tmp_path / "vectors", tmp_path / "answers"
    globs = [word for name in ("rnn", "lstm", "gru") for word in ("--cases", f"{name}-T4B1I1H1-size1")]
    assert main([*globs, "--dtype", "float64", "--out", str(vectors)]) == 0
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "some_adapter.py").write_text(
        "from parity_tests.judge.implementations import BUILTIN\n\n"
        "def declines(spec):\n    return 'no GRU' if spec.cell == 'gru' else None\n\n"
        "def load(spec, weights):\n    if spec.cell == 'rnn':\n        raise ValueError('no RNN either')\n"
        "    return BUILTIN['numpy'].load(spec, weights)\n"
    )
    words = ["answer", str(vectors), "--impl", "some_adapter", "--out", str(answers)]
    capsys.readouterr()
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "rnn-T4B1I1H1-size1.float64: ValueError: no RNN either (" in out
    assert f"wrote 1 answers to {answers}; 1 declined, 1 raised" in out
    said = check(vectors, answers)
    assert said.status == 1
    assert said.of("rnn-T4B1I1H1-size1.float64") == ["has no answer, and is not declined"]
    assert "declined 1: no GRU" in said.lines
    del sys.modules["some_adapter"]


def test_who_computes_in_less_declines(tmp_path, monkeypatch, capsys):
    """Limits are those of the dtype: float64 in float32 is judged by the vectors of float32."""
    assert main([*SMALL, "--out", str(tmp_path / "vectors")]) == 0
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "narrow_adapter.py").write_text(
        "computes = {'float64': 'float32'}\n\ndef load(spec, weights):\n    raise ValueError\n"
    )
    assert main(["answer", str(tmp_path / "vectors"), "--impl", "narrow_adapter", "--out", str(tmp_path / "answers")]) == 0
    assert "computes float64 in float32" in (tmp_path / "answers" / "declined.json").read_text()
    del sys.modules["narrow_adapter"]
