"""The character model end to end: the same files, figures and text on both sides; what goes wrong is one sentence."""

import json
import re
import shutil
import signal
import sys
from collections import Counter

import numpy as np
import pytest

from reference.char_lm import compare, data, evaluate, generate
from reference.char_lm import train as char_train
from reference.char_lm.options import DEFAULTS
from reference.common import checkpoint, sampling, schedules
from reference.common.run import BEST, LAST, LOG, PICTURE, picture, read_log
from reference.models.language_model import LanguageModel

from ..helpers import assert_close, assert_equal
from .runs import SIDES, SMALL, both_sides, call, refused, spawn, weights, write_text

CELLS = {
    "rnn": ["--cell", "rnn", "--layers", "2", "--dropout", "0.2"],
    "lstm": ["--cell", "lstm", "--tied", "--size", "8", "--optimizer", "adamw", "--forget-bias", "1"],
    "gru": ["--cell", "gru", "--schedule", "step", "--init", "orthogonal", "--clip", "0.3"],
}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return write_text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def runs(text, tmp_path_factory):
    """The same 100 steps in float64 on both sides, of each cell: {(side, cell): folder}"""
    folders = {}
    for cell, options in CELLS.items():
        small = [o for o in SMALL if not (cell == "lstm" and o in ("--embedding", "5"))]
        for backend in SIDES:
            folder = folders[backend, cell] = tmp_path_factory.mktemp(f"{backend}-{cell}")
            assert call(backend, "train", "--text", text, "--run", folder, "--steps", 100, *small, *options) == 0
    return folders


def stdout(capsys):
    return capsys.readouterr().out


@pytest.mark.parametrize("cell", CELLS)
def test_both_sides_leave_the_same_run(runs, cell):
    one, two = (runs[backend, cell] for backend in SIDES)
    assert (
        sorted(p.name for p in one.iterdir())
        == sorted(p.name for p in two.iterdir())
        == [BEST, "config.json", LAST, LOG, "training.png"]
    )
    assert json.loads((one / "config.json").read_text()) == json.loads((two / "config.json").read_text())
    for name in (BEST, LAST):
        for k, v in weights(one, name).items():
            assert_close(weights(two, name)[k], v, k)
    logs = [read_log(folder / LOG) for folder in (one, two)]
    assert [e["step"] for e in logs[0] if "validation" in e] == list(range(10, 101, 10))
    for a, b in zip(*logs, strict=True):
        del a["time"], b["time"]
        assert a == pytest.approx(b, rel=1e-8)
    losses = [e["loss"] for e in logs[0] if "loss" in e]
    assert len(losses) == 100 and np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--temperature", 1.3),
        ("--top-k", 3, "--seed", 9),
        ("--top-p", 0.7),
        ("--temperature", 0),
        ("--prime", "a s"),
        ("--temperatures", "0.2,1,1.5", "--width", 80),
    ],
)
@pytest.mark.parametrize("cell", CELLS)
def test_the_same_checkpoint_and_seed_say_the_same_on_both_sides(runs, cell, options, capsys):
    said = []
    for backend in SIDES:
        assert call(backend, "generate", "--run", runs["reference", cell], "--length", 300, *options) == 0
        said.append(stdout(capsys))
    assert said[0] == said[1] and len(said[0]) >= 301


def test_a_checkpoint_in_float32_says_the_same_too(text, tmp_path, capsys):
    small = ["float32" if o == "float64" else o for o in SMALL]
    assert call("torch_impl", "train", "--text", text, "--run", tmp_path, "--steps", 30, *small) == 0
    assert weights(tmp_path)["head.bias"].dtype == np.float32
    capsys.readouterr()
    said = [(call(backend, "generate", "--run", tmp_path), stdout(capsys))[1] for backend in SIDES]
    assert said[0] == said[1] and len(said[0]) == 1001


def test_seeds_and_temperatures_make_a_difference(runs, capsys):
    said = set()
    for options in (("--seed", 1), ("--seed", 2), ("--temperature", 0.3), ("--top-k", 2)):
        assert call("reference", "generate", "--run", runs["reference", "gru"], "--length", 200, *options) == 0
        said.add(stdout(capsys))
    assert len(said) == 4


@pytest.mark.parametrize("part", ["train", "validation", "test", "all"])
@pytest.mark.parametrize("cell", CELLS)
def test_both_sides_print_the_same_figures(runs, cell, part, capsys):
    said = []
    for backend in SIDES:
        assert call(backend, "evaluate", "--run", runs["torch_impl", cell], "--part", part) == 0
        said.append(stdout(capsys))
    assert said[0].splitlines()[0] == said[1].splitlines()[0]
    numbers = [[float(v) for v in re.findall(r"\d+\.\d{6}", s)] for s in said]
    assert numbers[0] == pytest.approx(numbers[1], abs=1.01e-6)
    nats, bits, perplexity = numbers[0]
    assert bits == pytest.approx(nats / np.log(2), abs=2e-6) and perplexity == pytest.approx(np.exp(nats), rel=1e-5)


def test_the_validation_figure_is_the_one_of_the_log(runs, capsys):
    assert call("reference", "evaluate", "--run", runs["reference", "rnn"], "--part", "validation") == 0
    best = min(e["validation"] for e in read_log(runs["reference", "rnn"] / LOG) if "validation" in e)
    assert f"{best:.6f} nats" in stdout(capsys)


def test_evaluation_is_of_every_character_once():
    for count in (2, 30, 1000, 20_000):
        windows = evaluate.held_out(np.arange(count))
        targets = np.concatenate([w.targets.T.ravel() for w in windows])
        assert len(set(targets)) == len(targets) and count - evaluate.STREAMS <= len(targets) < count
        assert all((w.targets == w.tokens + 1).all() for w in windows)


def test_parts_are_contiguous_and_share_nothing(text):
    corpus = data.corpus([text])
    parts = [corpus.part(p) for p in ("train", "validation", "test")]
    assert_equal(np.concatenate(parts), corpus.tokens)
    assert "".join(corpus.vocabulary.symbols[k] for k in corpus.tokens) == text.read_text(encoding="utf-8")
    assert len(parts[1]) == pytest.approx(0.05 * len(corpus.tokens), abs=1) == len(parts[2])


def test_the_state_is_carried_from_one_evaluation_to_the_next():
    windows = data.passes(np.arange(400), {"batch": 3, "window": 5})
    ends = data.boundaries({"steps": 64, "every": 10})
    assert ends == [0, 10, 20, 30, 40, 50, 60, 64]
    span = data.spans(windows, ends)
    order = [id(w) for k in range(7) for w in span(k)]
    assert order == [id(windows[n % len(windows)]) for n in range(64)]
    assert [w.first for w in span(0)] == [True] + [False] * 9


@both_sides
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_what_it_says_goes_on_to_the_same_end(asked, backend, runs, text, tmp_path, monkeypatch, capsys):
    make = char_train.figures

    def figures(nats):
        if not (tmp_path / "seen").exists():
            (tmp_path / "seen").touch()
            signal.raise_signal(asked)
        return make(nats)

    monkeypatch.setattr(char_train, "figures", figures)
    folder = tmp_path / "run"
    assert call(backend, "train", "--text", text, "--run", folder, "--steps", 100, *SMALL, *CELLS["rnn"]) == 130
    said = capsys.readouterr()
    assert (
        f"stopped after step 10: saved in {folder / LAST}; to go on, run: python -m {backend}.char_lm train --resume "
        f"--run {folder}\n"
    ) in said.err
    assert call(backend, "train", "--resume", "--run", folder, "--quiet") == 0
    for k, v in weights(runs[backend, "rnn"]).items():
        assert_equal(weights(folder)[k], v, k)


HUGE = ["--cell", "rnn", "--size", 10**7, "--embedding", 1]  # 10¹⁴ weights are more than there are addresses


@both_sides
def test_what_cannot_be_done_is_one_sentence(backend, runs, text, tmp_path, capsys):
    run = runs[backend, "gru"]
    bad, empty, tiny = (tmp_path / n for n in ("bad.txt", "empty.txt", "tiny.txt"))
    bad.write_bytes("né".encode() + b"\n\xe9t\xe9")
    empty.write_bytes(b"")
    tiny.write_text("too short")
    new = tmp_path / "new"
    too_large = {
        "reference": "hidden_size 10000000, num_layers 1: more than the ",
        "torch_impl": "there is not enough memory for a model of this size",
    }[backend]
    for arguments, sentence in {
        ("train", "--text", bad, "--run", new): "byte 0xe9 at position 4 cannot be decoded",
        ("train", "--text", text, "--encoding", "no-such", "--run", new): "--encoding must be an encoding",
        ("train", "--text", tmp_path / "none", "--run", new): "none cannot be read: No such file or directory",
        ("train", "--text", tmp_path, "--run", new): "cannot be read: Is a directory",
        ("train", "--text", empty, "--run", new): "there is no text",
        ("train", "--text", tiny, "--run", new): "the text is too short",
        ("train", "--text", text, "--run", run): "holds a run already",
        ("train", "--resume", "--run", new): "there is no run in",
        ("train", "--resume", "--run", run, "--size", 9): "has --size 7, not 9",
        ("train", "--text", text, "--steps", 5, "--run", text / "below"): "cannot be made: Not a directory",
        ("train", "--text", text, "--run", new, "--cell", "gru", "--forget-bias", 1): "a gru has no forget gate",
        ("train", "--text", text, "--run", new, "--tied", "--embedding", 9): "--tied makes the embedding as large",
        ("train", "--text", text, "--run", new, "--device", "abacus"): "--device abacus",
        ("train", "--text", text, "--run", new, *HUGE): too_large,
        ("generate", "--run", new): "new does not exist; train a model first",
        ("generate", "--run", tmp_path): "has no checkpoint",
        ("generate", "--run", run, "--prime", "naïve"): "--prime: character 'ï' at position 2",
        ("generate", "--run", run, "--top-p", 1.5): "--top-p must be above 0 and at most 1, got 1.5",
        ("evaluate", "--run", run, "--text", bad): "byte 0xe9",
        ("evaluate", "--run", run, "--encoding", "latin-1"): "--encoding is that of the files of --text",
    }.items():
        assert sentence in refused(backend, capsys, *arguments), arguments
    assert not new.exists()


@both_sides
def test_options_of_the_wrong_kind_exit_with_2(backend, capsys):
    for command, *options in (
        ("generate", "--length", "0"),
        ("generate", "--temperature", "-1"),
        ("generate", "--temperatures", "1,x"),
        ("generate", "--seed", "-1"),
        ("generate", "--what"),
        ("train", "--forget-bias", "nan"),
        ("train", "--lr", "inf"),
        ("train", "--dropout", "1.1"),
        ("train", "--steps", "3", "--seconds", "3"),
        ("train", "--resume", "--overwrite"),
        ("generate", "--temperature", "1", "--temperatures", "1,2"),
    ):
        with pytest.raises(SystemExit) as e:
            call(backend, command, *options)
        assert e.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@both_sides
def test_checkpoints_that_are_not_whole_or_not_ours_are_refused(backend, runs, tmp_path, capsys):
    good = (runs[backend, "lstm"] / BEST).read_bytes()
    flipped = bytearray(good)
    flipped[-100] ^= 1
    for content, sentence in (
        (good[: len(good) // 2], "truncated"),
        (b"", "is no checkpoint"),
        (bytes(flipped), "damaged or changed"),
        (b"\x80\x04K\x01.", "is no checkpoint"),
        (good.replace(b"forget_bias", b"forgot_bias"), "damaged or changed"),
    ):
        (tmp_path / BEST).write_bytes(content)
        for command in ("generate", "evaluate"):
            assert sentence in refused(backend, capsys, command, "--run", tmp_path)
    shutil.copytree(runs[backend, "lstm"], tmp_path / "copy")
    (tmp_path / "copy" / LAST).write_bytes(good[:1000])
    assert "truncated" in refused(backend, capsys, "train", "--resume", "--run", tmp_path / "copy")
    (tmp_path / "copy" / "config.json").write_text("{")
    assert "damaged" in refused(backend, capsys, "train", "--resume", "--run", tmp_path / "copy")


def test_a_checkpoint_of_another_program_is_refused(tmp_path, capsys):
    checkpoint.save(tmp_path / BEST, LanguageModel(5, 3, 4))
    assert "not one that char_lm wrote" in refused("reference", capsys, "generate", "--run", tmp_path)


def test_a_text_that_changed_is_noticed(tmp_path, capsys):
    file = write_text(tmp_path)
    call("reference", "train", "--text", file, "--run", tmp_path / "run", "--steps", 10, *SMALL)
    file.write_text(file.read_text(encoding="utf-8").replace("a", "e", 1), encoding="utf-8")
    assert "the text has changed" in refused("reference", capsys, "evaluate", "--run", tmp_path / "run")
    assert "the text has changed" in refused("reference", capsys, "train", "--resume", "--run", tmp_path / "run")


def test_a_run_on_a_text_that_was_named_by_a_link_goes_on(text, tmp_path):
    (tmp_path / "link.txt").symlink_to(text)
    assert call("reference", "train", "--text", tmp_path / "link.txt", "--run", tmp_path / "run", "--steps", 4, *SMALL) == 0
    assert call("reference", "train", "--resume", "--run", tmp_path / "run", "--steps", 6, "--quiet") == 0
    assert call("reference", "evaluate", "--run", tmp_path / "run") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@both_sides
def test_a_full_disk_is_one_sentence_and_the_last_checkpoint_stays(backend, text, tmp_path, capsys):
    """The temporary file is on a device that is always full."""
    folder = tmp_path / "run"
    call(backend, "train", "--text", text, "--run", folder, "--steps", 20, *SMALL)
    before = (folder / LAST).read_bytes()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"steps": 40}))
    (folder / f"{LAST}.tmp").symlink_to("/dev/full")
    said = refused(backend, capsys, "train", "--resume", "--run", folder, "--quiet")
    assert "last.safetensors cannot be written: No space left on device" in said
    assert (folder / LAST).read_bytes() == before


def test_without_matplotlib_a_sentence_says_so(text, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert call("reference", "train", "--text", text, "--run", tmp_path / "run", "--steps", 10, *SMALL) == 0
    assert "matplotlib is not installed" in stdout(capsys) and not (tmp_path / "run" / PICTURE).exists()


def test_samples_are_shown_and_change_nothing(runs, text, tmp_path, capsys):
    loud = [o for o in SMALL if o != "--quiet"]
    assert call("reference", "train", "--text", text, "--run", tmp_path / "run", "--steps", 100, *loud, *CELLS["rnn"]) == 0
    assert len(stdout(capsys)) > 1500
    for k, v in weights(runs["reference", "rnn"]).items():
        assert_equal(weights(tmp_path / "run")[k], v, k)


def test_begun_on_one_side_continued_on_the_other(runs, text, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(runs["reference", "gru"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"steps": 130}))
    ends = []
    for backend in SIDES:
        shutil.copytree(folder, tmp_path / backend)
        assert call(backend, "train", "--resume", "--run", tmp_path / backend, "--quiet") == 0
        ends.append(weights(tmp_path / backend))
    for k, v in ends[0].items():
        assert_close(ends[1][k], v, k)


def test_columns_lose_nothing():
    texts = ["short\n\nlines", "a line that is longer than its column\nand another"]
    rows = generate.side_by_side(["one", "two"], texts, 25)
    assert max(map(len, rows)) <= 25
    columns = [[r.ljust(25)[:11].rstrip() for r in rows], [r.ljust(25)[14:].rstrip(" ") for r in rows]]
    for title, text, column in zip(("one", "two"), texts, columns, strict=True):
        assert column[0] == title and "".join(column[2:]).replace(" ", "") == re.sub(r"\s", "", text)


def test_the_running_mean_is_one():
    y = np.random.default_rng(0).standard_normal(200)
    expected = [y[max(0, k - 3) : k + 1].mean() for k in range(200)]
    assert_close(picture.smooth(y), np.array(expected))


def test_every_default_is_an_option():
    done = spawn("reference", "train", "--help")
    out, _ = done.communicate()
    assert done.returncode == 0 and all(f"--{k.replace('_', '-')}" in out for k in DEFAULTS)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 0.1])
def test_temperature_raises_the_odds_to_a_power(temperature):
    """CH4, CH5 of the note."""
    z = np.array([1.0, 1.0 - np.log(9), -0.7])
    p, hot = (np.exp(sampling.log_probabilities(z, t)) for t in (1.0, temperature))
    assert hot[0] / hot[1] == pytest.approx(9 ** (1 / temperature), rel=1e-12)
    assert_close(hot, p ** (1 / temperature) / (p ** (1 / temperature)).sum())


def test_sizes_of_equal_parameters():
    for cell in ("rnn", "lstm", "gru"):
        model = LanguageModel(11, 6, 9, cell=cell)
        assert compare.parameters(cell, 9, 6, 11) == sum(v.size for v in model.params.values())
    target = compare.parameters("lstm", 64, 32, 74)
    for cell in ("rnn", "gru"):
        size = compare.equal_size(cell, target, 32, 74)
        assert compare.parameters(cell, size, 32, 74) == pytest.approx(target, rel=0.01)


def test_tables_of_counts(text):
    """By hand, with dictionaries."""
    corpus = data.corpus([text])
    train, test = ("".join(corpus.vocabulary.symbols[k] for k in corpus.part(p)) for p in ("train", "test"))
    for before in (0, 1, 2):
        counts = Counter(train[k - before : k + 1] for k in range(before, len(train)))
        total = Counter(train[k - before : k] for k in range(before, len(train)))
        p = [
            (counts[test[k - before : k + 1]] + 1) / (total[test[k - before : k]] + len(corpus.vocabulary))
            for k in range(before, len(test))
        ]
        assert compare.counted(corpus, before) == pytest.approx(-np.mean(np.log(p)), rel=1e-12)


@both_sides
@pytest.mark.parametrize(("begun", "every"), [(25, 10), (20, 10), (14, 40)])
def test_a_run_that_is_prolonged_goes_on(backend, begun, every, text, tmp_path, monkeypatch):
    """At the same rates, as one that was as long from the start: no window is left out or read twice."""
    monkeypatch.setattr(char_train, "schedule", lambda config: schedules.constant(0.02))
    options = [*SMALL, *CELLS["rnn"], "--every", every]
    for name, steps in (("once", [60]), ("twice", [begun, begun + 3, 60])):
        for k, n in enumerate(steps):
            more = ["--resume"] if k else ["--text", text, *options]
            assert call(backend, "train", "--run", tmp_path / name, "--steps", n, *more, "--quiet") == 0
    losses = [[(e["step"], e["loss"]) for e in read_log(tmp_path / name / LOG) if "loss" in e] for name in ("once", "twice")]
    assert losses[0] == losses[1] and [n for n, _ in losses[0]] == list(range(1, 61))
    for k, v in weights(tmp_path / "once").items():
        assert_equal(weights(tmp_path / "twice")[k], v, k)
    assert json.loads((tmp_path / "twice" / "config.json").read_text())["steps"] == 60


def test_fewer_steps_than_were_taken_are_refused(runs, tmp_path, capsys):
    shutil.copytree(runs["reference", "gru"], tmp_path / "run")
    said = refused("reference", capsys, "train", "--resume", "--run", tmp_path / "run", "--steps", 50)
    assert "has done 100 steps; --steps is how many in all, so it must be more, not 50" in said


def test_a_model_that_has_gone_astray_has_figures():
    assert evaluate.figures(1e9) == {"nats": 1e9, "bits": 1e9 / np.log(2), "perplexity": np.inf}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "argument --steps: must be at least 1, got 0"),
        (["--seconds", "-1"], "argument --seconds: must be above 0 and finite, got -1.0"),
        (["--steps", "1", "--seconds", "1"], "not allowed with argument --steps"),
        (["--write", "--text", "own.txt"], "--write goes without --text"),
        (["--text", "none.txt", "--steps", "2"], "error: none.txt cannot be read"),
    ],
)
def test_a_comparison_that_cannot_be_is_one_sentence(arguments, message, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        compare.main([*arguments, "--out", str(tmp_path)])
    assert message in capsys.readouterr().err


def test_a_comparison_is_a_table(text, tmp_path, capsys):
    options = ["--size", "6", "--embedding", "4", "--steps", "2", "--text", str(text), "--out", str(tmp_path / "runs")]
    assert compare.main(options) == 0
    rows = [line.split(" | ")[0][2:] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert rows == ["model", "lstm", "gru", "rnn", "counts of characters", "counts of pairs", "counts of triples"]
