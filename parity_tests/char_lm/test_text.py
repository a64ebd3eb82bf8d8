"""What is read: files of any kind and name, a prime from a file, characters that the model does not know, bytes, separators."""

import json
import os
import re
import shutil
import sys

import numpy as np
import pytest

from reference.char_lm.data import corpus
from reference.char_lm.options import escaped
from reference.char_lm.text import BYTES, encode, listed, quoted, readable, shown
from reference.common import checkpoint
from reference.common.run import LAST
from reference.common.vocabulary import Vocabulary

from ..helpers import assert_close, assert_equal
from .runs import SIDES, SMALL, both_sides, call, refused, spawn, weights, write_text


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return write_text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def run(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert call("reference", "train", "--text", text, "--run", folder, "--steps", 30, *SMALL) == 0
    return folder


@pytest.fixture(scope="module")
def binary(text):
    """Every byte there is, among text in UTF-8 with \\r\\n."""
    file = text.with_name("any.bin")
    lines = text.read_bytes().replace(b"\n", b"\r\n")
    file.write_bytes(lines[:1500] + bytes(range(256)) + lines[1500:])
    return file


@pytest.fixture(scope="module")
def of_bytes(binary, tmp_path_factory):
    """Runs of bytes on both sides"""
    folders = {}
    for backend in SIDES:
        folders[backend] = tmp_path_factory.mktemp(f"{backend}-bytes")
        assert call(backend, "train", "--text", binary, "--bytes", "--run", folders[backend], "--steps", 30, *SMALL) == 0
    return folders


def said(capsys, backend, *arguments):
    """What a command writes"""
    capsys.readouterr()
    assert call(backend, *arguments) == 0
    return capsys.readouterr()


# A prime from a file.


@both_sides
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_prime_from_a_file_is_the_same_prime(backend, encoding, run, tmp_path, capsys):
    (tmp_path / "prime").write_text("sé\nt", encoding=encoding)
    more = ["--encoding", encoding] if encoding != "utf-8" else []
    options = ["generate", "--run", run, "--length", 60]
    by_file = said(capsys, backend, *options, "--prime-file", tmp_path / "prime", *more)
    assert by_file == said(capsys, backend, *options, "--prime", "sé\nt") and by_file.out.startswith("sé\nt")
    columns = ["--temperatures", "0.5,1", "--width", 60]
    by_file = said(capsys, backend, *options, *columns, "--prime-file", tmp_path / "prime", *more)
    assert by_file == said(capsys, backend, *options, *columns, "--prime", "sé\nt")


@both_sides
def test_a_prime_that_cannot_be_is_one_sentence(backend, run, tmp_path, capsys):
    (tmp_path / "latin").write_bytes(b"\xe9t\xe9")
    generate = ["generate", "--run", run]
    for arguments, sentence in {
        ("--prime-file", tmp_path / "none"): "none cannot be read: No such file",
        ("--prime-file", tmp_path / "latin"): "latin is not utf-8: byte 0xe9 at position 0",
        ("--prime", "a", "--encoding", "latin-1"): "--encoding is that of --prime-file: give both",
    }.items():
        assert sentence in refused(backend, capsys, *generate, *arguments)
    assert said(capsys, backend, *generate, "--prime-file", tmp_path / "latin", "--encoding", "latin-1").out.startswith("été")
    with pytest.raises(SystemExit, match="2"):
        call(backend, *generate, "--prime", "a", "--prime-file", "b")


@both_sides
def test_a_text_of_one_character_is_learned_without_a_warning(backend, tmp_path, capsys):
    (tmp_path / "a").write_text("a" * 3000)
    options = ["train", "--text", tmp_path / "a", "--run", tmp_path / "run", "--steps", 10, *SMALL]
    assert said(capsys, backend, *options).err == ""
    assert said(capsys, backend, "generate", "--run", tmp_path / "run", "--length", 5).out == "a" * 5 + "\n"


# Characters that the model does not know.


@pytest.mark.parametrize(
    ("symbols", "unknown", "tokens", "sentence"),
    [
        ("abc", "skip", [0, 2], "x: 3 of 5 characters are unknown to the model and were skipped"),
        ("abc", "replace", [0, 0, 0, 2, 0], "x: 3 of 5 characters are unknown to the model and were replaced by 'a'"),
        ("abc ", "replace", [0, 3, 3, 2, 3], "were replaced by ' '"),
        ("abc ?", "replace", [0, 4, 4, 2, 4], "were replaced by '?'"),
        ("abc ?\ufffd", "replace", [0, 5, 5, 2, 5], "were replaced by '\ufffd'"),
    ],
)
def test_what_is_done_with_unknown_characters(symbols, unknown, tokens, sentence):
    done = encode("axycz", Vocabulary(symbols, special=False), "x", unknown)
    assert done.tokens.tolist() == tokens and done.tokens.dtype == np.int64
    assert done.unknown.endswith(sentence)
    assert encode("ab", Vocabulary(symbols, special=False), "x", unknown).unknown == ""


def test_a_large_vocabulary_is_not_printed_whole():
    many = [chr(0x4E00 + k) for k in range(3000)]
    message = r"'x' at position 1 is none of the 3000 that the model knows: '一.{39}' and 2960 more; --unknown skip"
    with pytest.raises(ValueError, match=message):
        encode("一x", Vocabulary(many, special=False), "it")
    assert listed("abc") == "'abc'" and listed(many[:40]) == repr("".join(many[:40])) and listed([]) == ""


@both_sides
@pytest.mark.parametrize(("unknown", "instead", "sentence"), [("skip", "nae", "skipped"), ("replace", "na  e", "replaced by ' '")])
def test_a_prime_with_unknown_characters(backend, unknown, instead, sentence, run, capsys):
    """It is shown as it was given, and the model reads it without them."""
    options = ["generate", "--run", run, "--length", 50]
    assert "--prime: character 'ï' at position 2" in refused(backend, capsys, *options, "--prime", "naïve", "--unknown", "error")
    given = said(capsys, backend, *options, "--prime", "naïve", "--unknown", unknown)
    without = said(capsys, backend, *options, "--prime", instead)
    assert given.out == "naïve" + without.out[len(instead) :]
    assert given.err == f"--prime: 2 of 5 characters are unknown to the model and were {sentence}\n"


@pytest.mark.parametrize(("options", "what"), [([], "characters"), (["--bytes"], "bytes")])
def test_a_character_that_was_not_in_the_text_of_a_run_has_changed_it(options, what, tmp_path, capsys):
    """Whether the run goes on or is evaluated: that is said, and not that the character is unknown."""
    file, run = write_text(tmp_path), tmp_path / "run"
    assert call("reference", "train", "--text", file, "--run", run, "--steps", 10, *SMALL, *options) == 0
    before = json.loads((run / "config.json").read_text())["corpus"]["characters"]
    file.write_text(file.read_text(encoding="utf-8") + "☃", encoding="utf-8")
    for command in (["evaluate"], ["train", "--resume", "--steps", 20]):
        sentence = f"words.txt: the text has changed since the run began: it had {before} {what}, SHA-256"
        assert sentence in refused("reference", capsys, *command, "--run", run)


@both_sides
def test_a_text_with_unknown_characters_is_evaluated_without_them(backend, run, text, tmp_path, capsys):
    clean, strange = tmp_path / "clean" / "a.txt", tmp_path / "a.txt"
    clean.parent.mkdir()
    clean.write_text(text.read_text(encoding="utf-8"), encoding="utf-8")
    strange.write_text(text.read_text(encoding="utf-8").replace("\n", "\nZ"), encoding="utf-8")
    assert "a.txt: character 'Z' at position" in refused(backend, capsys, "evaluate", "--run", run, "--text", strange)
    skipped = said(capsys, backend, "evaluate", "--run", run, "--text", strange, "--unknown", "skip").out
    first, rest = skipped.split("\n", 1)
    assert re.fullmatch(r"a.txt: 129 of 3,\d{3} characters are unknown to the model and were skipped", first)
    assert rest == said(capsys, backend, "evaluate", "--run", run, "--text", clean).out
    replaced = said(capsys, backend, "evaluate", "--run", run, "--text", strange, "--unknown", "replace", "--part", "test").out
    assert "were replaced by ' '\na.txt, test: " in replaced


# Bytes.


def test_bytes_are_the_same_run_on_both_sides(of_bytes, binary, capsys):
    one, two = of_bytes.values()
    assert (one / "config.json").read_text() == (two / "config.json").read_text()
    assert checkpoint.load(one / LAST).vocabulary == BYTES
    for k, v in weights(one).items():
        assert_close(weights(two)[k], v, k)
    for arguments in (["evaluate"], ["evaluate", "--part", "train"], ["evaluate", "--text", binary], ["generate", "--prime", "é"]):
        out = [said(capsys, backend, *arguments, "--run", one).out for backend in SIDES]
        assert out[0].splitlines()[0] == out[1].splitlines()[0] and len(out[0].splitlines()) == len(out[1].splitlines())
        if arguments[0] == "evaluate":
            assert re.search(r"[\d,]+ bytes, after 30 steps\n  cross-entropy  [\d.]+ nats a byte\n  .* bits a byte\n", out[0])


def test_bytes_are_taken_as_they_are(binary):
    content = corpus([binary, binary], separator="é\n", raw=True)
    assert bytes(content.tokens.astype(np.uint8)) == binary.read_bytes() + "é\n".encode() + binary.read_bytes()
    assert corpus([binary], raw=True).begin == "\n"


@both_sides
def test_bytes_are_written_as_text(backend, of_bytes, tmp_path, monkeypatch, capsys):
    """What the model draws: é in two steps, then a byte that is no UTF-8, and the first half of another é."""
    bytes_, drawn = iter("é".encode() + b"\xff" + "é".encode()[:1]), []
    monkeypatch.setattr(
        "reference.common.sampling.sample", lambda z, rng, temperature: drawn.append(z.shape) or np.array(next(bytes_))
    )
    out = said(capsys, backend, "generate", "--run", of_bytes[backend], "--prime", "tré", "--length", 4).out
    assert out == "tréé\ufffd\ufffd\n" and drawn == [(256,)] * 4
    (tmp_path / "half").write_bytes("tré".encode()[:-1])
    bytes_ = iter("é".encode()[1:])
    monkeypatch.setattr("reference.common.sampling.sample", lambda z, rng, temperature: np.array(next(bytes_)))
    options = ["--run", of_bytes[backend], "--prime-file", tmp_path / "half", "--length", 1]
    assert said(capsys, backend, "generate", *options).out == "tré\n"


def test_characters_come_as_soon_as_they_are_complete():
    symbols, seen = list("né€".encode().decode("latin-1")), []

    def slowly():
        for s in symbols:
            seen.append(s)
            yield s

    assert [(c, len(seen)) for c in readable(slowly(), raw=True) if c] == [("n", 1), ("é", 3), ("€", 6)]
    assert list(readable("ab", raw=False)) == ["a", "b"]


@both_sides
def test_a_run_of_bytes_is_shown_goes_on_and_is_begun_with(backend, of_bytes, binary, text, tmp_path, capsys):
    run = shutil.copytree(of_bytes[backend], tmp_path / "run")
    assert call(backend, "train", "--resume", "--run", run, "--steps", 40) == 0
    more = ["--steps", 12, "--batch", 4, "--window", 9]
    out = said(capsys, backend, "train", "--text", text, "--from", run, "--run", tmp_path / "new", *more).out
    assert "new characters: none" in out and f"{text.stat().st_size:,} bytes, 256 distinct" in out and "bits a byte" in out
    for arguments, sentence in {
        ("evaluate", "--run", run, "--text", text, "--encoding", "utf-8"): "and bytes are taken as they are",
        ("train", "--text", text, "--bytes", "--encoding", "utf-8", "--run", tmp_path / "x"): "--encoding is for characters",
        ("generate", "--run", run, "--prime-file", text, "--encoding", "utf-8"): "--encoding is for characters",
    }.items():
        assert sentence in refused(backend, capsys, *arguments)


def test_characters_are_not_begun_with_as_bytes(run, text, tmp_path, capsys):
    new = ("train", "--text", text, "--from", run, "--bytes", "--run", tmp_path / "new")
    assert "the model of that run has --bytes False, not True" in refused("reference", capsys, *new)


# Several files, and their names.


@both_sides
def test_files_with_a_separator(backend, text, tmp_path, capsys):
    (tmp_path / "b").write_text("Bé", encoding="utf-8")
    words = ["--text", text, tmp_path / "b", text, "--separator", r"\n\n*\t\\n"]
    assert call(backend, "train", *words, "--run", tmp_path / "run", "--steps", 12, *SMALL) == 0
    whole = tmp_path / "whole.txt"
    whole.write_text("\n\n*\t\\n".join(f.read_text(encoding="utf-8") for f in (text, tmp_path / "b", text)), encoding="utf-8")
    assert call(backend, "train", "--text", whole, "--run", tmp_path / "one", "--steps", 12, *SMALL) == 0
    for k, v in weights(tmp_path / "one").items():
        assert_equal(weights(tmp_path / "run")[k], v, k)
    out = [
        said(capsys, backend, "evaluate", "--run", tmp_path / folder, *more).out.split("\n", 1)[1]
        for folder, more in (("run", words[:-2]), ("run", words), ("one", ["--text", whole]))
    ]
    assert out[0] != out[1] == out[2]
    assert call(backend, "train", "--resume", "--run", tmp_path / "run", "--steps", 15, "--quiet") == 0
    for arguments, sentence in {
        ("--run", tmp_path / "x", "--separator", "."): "--separator is what stands between the files of --text: give both",
        ("--run", tmp_path / "run", "--resume", "--separator", r"\n"): r"has --separator '\n\n*\t\\n', not '\n': leave it out",
    }.items():
        assert sentence in refused(backend, capsys, "train", *arguments)


def test_escapes_of_a_separator():
    assert escaped(r"a\n\t\\n\xé") == "a\n\t\\n\\xé"


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
@both_sides
def test_a_name_that_is_no_utf8_can_be_printed_and_read_again(backend, text, tmp_path):
    """In a terminal that is strict: the name of the text, of the folder, of the prime."""
    odd, run = (os.fsdecode(os.fsencode(tmp_path) + b"/" + name) for name in (b"caf\xe9.txt", b"r\xfcn"))
    shutil.copy(text, odd)
    out = ""
    for arguments in (
        ["train", "--text", odd, "--run", run, "--steps", 12, *SMALL],
        ["train", "--resume", "--text", odd, "--run", run, "--steps", 14, "--quiet"],
        ["train", "--text", odd, "--from", run, "--run", f"{run}2", "--steps", 12, "--batch", 4, "--window", 9, "--quiet"],
        ["evaluate", "--run", run],
        ["evaluate", "--run", run, "--text", odd],
        ["generate", "--run", run, "--prime-file", odd, "--length", 9],
    ):
        done = spawn(backend, *arguments)
        said, errors = done.communicate()
        assert done.returncode == 0, errors
        out += said
    assert out.count("caf\\xe9.txt") >= 4 and "r\\xfcn/best.safetensors has the lowest" in out
    assert json.loads((tmp_path / os.fsdecode(b"r\xfcn") / "config.json").read_bytes())["text"] == [odd]


def test_names_as_they_are_shown():
    odd = os.fsdecode(b"it's\xe9\\")
    assert shown(odd) == "it's\\xe9\\" and shown("é") == "é"
    assert quoted(odd) == r"$'it\'s\xe9\\'" and quoted("a b") == "'a b'"


def test_an_exported_model_says_what_its_tokens_are(run, of_bytes):
    onnx = pytest.importorskip("torch_impl.char_lm.export", reason="extra 'apps' is not installed")
    for folder, what in ((run, "characters"), (of_bytes["torch_impl"], "bytes")):
        about = {p.key: p.value for p in onnx.graph(checkpoint.load(folder / LAST)).metadata_props}
        assert about["tokens"] == what and len(json.loads(about["vocabulary"])) == len(checkpoint.load(folder / LAST).vocabulary)
