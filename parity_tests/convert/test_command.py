"""``python -m reference.convert`` and ``python -m torch_impl.convert``: what they write and say, and what is a sentence."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from reference.convert import files, ours
from reference.convert.command import main
from torch_impl.convert.files import KINDS

from .test_files import case, read, same

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder, the current one, with a model of two recurrent layers, and a run of the first."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"rnn": torch.nn.LSTM(4, 5, 2, bidirectional=True).double(), "head": torch.nn.Linear(10, 3)})
    model["other"] = torch.nn.GRU(4, 6)
    torch.save(model.state_dict(), "m.pt")
    x = torch.randn(7, 3, 4).double()
    y, (h_n, c_n) = model["rnn"](x)
    held = {"x": x, "y": y, "h_n": h_n, "c_n": c_n}
    np.savez("run.npz", **{k: v.detach().numpy() for k, v in held.items()})
    np.savez("w.npz", **{k: v.numpy() for k, v in model["rnn"].state_dict().items()})
    return tmp_path


def torch_main(words):
    return main(words, "torch_impl", KINDS)


def test_a_model_goes_from_library_to_library_and_back(folder, capsys):
    chain = [("m.pt", "onnx", "m.onnx", "--at", "rnn."), ("m.onnx", "jax", "j.npz"), ("j.npz", "torch", "b.safetensors")]
    for file, library, out, *more in chain:
        assert torch_main([file, "--to", library, "--out", out, *more]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "read m.pt: torch.nn.LSTM, rnn.*_l0, rnn.*_l0_reverse, rnn.*_l1, rnn.*_l1_reverse"
    assert lines[1] == "wrote m.onnx: LSTM, 6 arrays"
    same(read(Path("b.safetensors")), read(Path("w.npz")))


def test_what_is_in_a_file_is_listed(folder, capsys):
    assert torch_main(["list", "m.pt"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:6] for line in lines] == [
        ["other.*_l0", "torch.nn.GRU", "I", "4", "H", "6"],
        ["rnn.*_l0", "torch.nn.LSTM", "I", "4", "H", "5"],
        ["rnn.*_l0_reverse", "torch.nn.LSTM", "I", "4", "H", "5"],
        ["rnn.*_l1", "torch.nn.LSTM", "I", "10", "H", "5"],
        ["rnn.*_l1_reverse", "torch.nn.LSTM", "I", "10", "H", "5"],
    ]
    np.savez("n.npz", a=np.ones(3))
    assert main(["list", "n.npz"]) == 0
    assert capsys.readouterr().out == "no recurrent layer among 1 arrays\n"


def test_names_are_chosen(folder):
    files.write("k.npz", case("torch.nn.LSTM").stack, "keras")
    assert main(["k.npz", "--to", "torch", "--out", "t.npz", "--as", "decoder.*_l0"]) == 0
    with np.load("t.npz") as arrays:
        assert set(arrays) == {f"decoder.{name}_l0" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    assert main(["t.npz", "--from", "torch", "--at", "decoder.*_l0", "--to", "keras", "--out", "b.npz", "--as", "lstm/*"]) == 0
    with np.load("k.npz") as a, np.load("b.npz") as b:
        assert all((a[name] == b[f"lstm/{name}"]).all() for name in a)


def test_the_reset_is_told_or_in_the_file(folder, capsys):
    p = case("torch.nn.GRU", reset_after=False)
    files.write("g.keras", p.stack, "keras")
    assert main(["g.keras", "--to", "onnx", "--out", "g.onnx"]) == 0
    assert not read(Path("g.onnx")).reset_after
    assert main(["g.onnx", "--to", "reference", "--out", "g.npz"]) == 0
    assert main(["g.npz", "--from", "reference", "--reset", "before", "--to", "haiku", "--out", "h.npz"]) == 0
    with np.load("h.npz") as arrays:
        assert not ours(dict(arrays)).reset_after
    capsys.readouterr()
    assert main(["g.keras", "--to", "torch", "--out", "t.npz"]) == 2
    assert "torch.nn.GRU resets after the recurrent product, this GRU before it" in capsys.readouterr().err
    assert main(["g.keras", "--reset", "after", "--to", "torch", "--out", "t.npz"]) == 2
    assert "the reset of gru_0/* is not the same in all, or not what was asked for" in capsys.readouterr().err
    assert not Path("t.npz").exists()


def test_an_rnn_keeps_its_nonlinearity(folder):
    p = case("torch.nn.RNN")
    files.write("r.onnx", p.stack._replace(nonlinearity="relu"), "onnx")
    assert main(["r.onnx", "--to", "haiku", "--out", "h.npz"]) == 0
    files.write("w.npz", p.stack, "torch")
    assert main(["w.npz", "--to", "haiku", "--out", "h.npz"]) == 2
    assert main(["w.npz", "--nonlinearity", "relu", "--to", "haiku", "--out", "h.npz"]) == 0


def test_two_layers_or_two_directions_is_asked(folder, capsys):
    stack = case("torch.nn.LSTM", directions=2).stack
    square = stack._replace(weights={k: np.resize(v, (20, 5)) if k.startswith("weight") else v for k, v in stack.weights.items()})
    files.write("j.npz", square, "jax")
    assert main(["j.npz", "--to", "torch", "--out", "t.npz"]) == 2
    assert "can be two layers or two directions of one: say which" in capsys.readouterr().err
    assert main(["j.npz", "--to", "torch", "--out", "t.npz", "--bidirectional"]) == 0
    assert "weight_ih_l0_reverse" in files.read("t.npz").arrays
    assert main(["j.npz", "--to", "torch", "--out", "t.npz", "--no-bidirectional"]) == 0
    assert "weight_ih_l1" in files.read("t.npz").arrays


# --- diagnose and compare ---------------------------------------------------------------------------------------------


def test_weights_that_give_the_outputs_agree(folder, capsys):
    assert main(["diagnose", "w.npz", "run.npz"]) == 0
    assert capsys.readouterr().out.startswith("they agree as they are: error ")
    assert torch_main(["diagnose", "m.pt", "run.npz", "--at", "rnn."]) == 0


def test_a_confusion_is_said_in_words(folder, capsys):
    """The arrays of ONNX under the names of torch, and a y that is batch first."""
    stack = read(Path("w.npz"))
    order = {k: np.concatenate([np.split(v, 4)[n] for n in (0, 3, 1, 2)]) for k, v in stack.weights.items()}
    np.savez("wrong.npz", **order)
    assert main(["diagnose", "wrong.npz", "run.npz"]) == 0
    assert capsys.readouterr().out.startswith("these are iofc weights (ONNX) read as ifgo: error ")
    with np.load("run.npz") as run:
        np.savez("first.npz", x=run["x"], y=run["y"].swapaxes(0, 1))
    assert main(["diagnose", "wrong.npz", "first.npz"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("these are iofc weights (ONNX) read as ifgo; y is batch first, (B, T, ·), and x is not: error ")


def test_what_nothing_explains_has_exit_status_1(folder, capsys):
    with np.load("run.npz") as run:
        held = dict(run)
    np.savez("other.npz", **held | {"y": np.random.default_rng(0).standard_normal(held["y"].shape)})
    assert main(["diagnose", "w.npz", "other.npz"]) == 1
    assert "nothing that is known explains the difference" in capsys.readouterr().out
    assert main(["diagnose", "w.npz", "other.npz", "--tolerance", "10"]) == 0
    assert main(["compare", "run.npz", "other.npz"]) == 1


def test_a_state_that_is_not_whole_is_refused(folder, capsys):
    """It must not be compared with another, or be passed over."""
    with np.load("run.npz") as run:
        held = dict(run)
    h = held["h_n"]
    for changed, sentence in (
        ({"h_n": None}, "bad.npz has c_n, but no h_n"),
        ({"h_0": h}, "a state of this lstm is h and c, got 1 of them"),
        ({"h_0": h[0], "c_0": h[0]}, "h of the state must be (4, B, ·), a row for each layer and direction, got (3, 5)"),
        ({"c_n": h[:, :2]}, "c of the state must be (4, B, ·), a row for each layer and direction, got (4, 2, 5)"),
        ({"y": np.full_like(held["y"], np.nan)}, "bad.npz: y must be finite, and holds NaN or infinity"),
    ):
        np.savez("bad.npz", **{k: v for k, v in (held | changed).items() if v is not None})
        assert main(["diagnose", "w.npz", "bad.npz"]) == 2
        assert sentence in capsys.readouterr().err


def test_two_outputs_are_compared(folder, capsys):
    with np.load("run.npz") as run:
        y = run["y"]
    np.save("a.npy", y)
    np.save("b.npy", y.swapaxes(0, 1))
    assert main(["compare", "a.npy", "a.npy"]) == main(["compare", "a.npy", "run.npz"]) == 0
    assert main(["compare", "a.npy", "b.npy"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("the first two axes are exchanged (batch and time): error ")


# --- what a person does wrong -----------------------------------------------------------------------------------------

TO = ("--to", "keras", "--out", "o.npz")
WRONG = [
    (["w.npz", "--to", "caffe", "--out", "o.npz"], "no library 'caffe' is known; there are reference, torch, keras"),
    (["w.npz", "--from", "caffe", *TO], "no library 'caffe' is known"),
    (["none.npz", *TO], "none.npz: No such file or directory"),
    (["m.pt", *TO], "m.pt is PyTorch's: python -m torch_impl.convert takes the same words"),
    (["run.npz", *TO], "no recurrent layer was found by its names and shapes"),
    (["w.npz", "--from", "haiku", *TO], "no recurrent layer of haiku was found"),
    (["w.npz", "--at", "lstm", *TO], "no recurrent layer's names begin with 'lstm'"),
    (["w.npz", "--at", "lstm/*", *TO], "whose layer is at 'lstm/*'? name the library"),
    (["w.npz", "--to", "keras", "--out", "o.bin"], "o.bin must end in .safetensors, .npz, .keras, .onnx"),
    (["w.npz", "--to", "keras", "--out", "o.pt"], "o.pt is PyTorch's"),
    (["w.npz", "--to", "keras", "--out", "o.onnx"], "a .onnx file holds a model of ONNX, not of keras"),
    (["w.npz", "--to", "keras", "--out", "none/o.npz"], "cannot be written: No such file or directory"),
    (["w.npz", "--to", "keras", "--out", "o.npz", "--as", "a/*"], "4 places are needed, one for each layer and direction, got 1"),
    (["w.npz", "--nonlinearity", "relu", *TO], "torch.nn.LSTM has no nonlinearity='relu'"),
    (["list", "none.npz"], "none.npz: No such file or directory"),
    (["list", "bad.npz"], "bad.npz is damaged"),
    (["diagnose", "w.npz", "w.npz"], "w.npz has no x"),
    (["diagnose", "w.npz", "whole.npz"], "whole.npz: x must be floating-point numbers, got int64"),
    (["diagnose", "w.npz", "narrow.npz"], "x has 3 features, the weights take 4"),
    (["compare", "w.npz", "run.npz"], "w.npz has no y"),
    (["compare", "bad.npy", "run.npz"], "bad.npy is damaged"),
]


@pytest.mark.parametrize(("words", "sentence"), WRONG, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_what_is_wrong_is_one_sentence_and_status_2(folder, capsys, words, sentence):
    for name in ("bad.npz", "bad.npy"):
        Path(name).write_bytes(b"no numbers")
    np.savez("whole.npz", x=np.ones((2, 2, 2), int), y=np.ones((2, 2, 2)))
    np.savez("narrow.npz", x=np.ones((2, 2, 3)), y=np.ones((2, 2, 10)))
    assert main(words) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert not list(folder.glob("o.*"))


@pytest.mark.parametrize("words", [[], ["w.npz"], ["diagnose", "w.npz"], ["list"], ["compare", "a", "b", "--tolerance", "0"]])
def test_words_that_are_missing_are_argparse_s(folder, capsys, words):
    with pytest.raises(SystemExit) as e:
        main(words)
    assert e.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("package", ["reference", "torch_impl"])
def test_both_commands_are_there(folder, package):
    words = [sys.executable, "-m", f"{package}.convert", "list", "m.pt"]
    done = subprocess.run(words, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[:6]) == ((2, "error:") if package == "reference" else (0, ""))


@pytest.mark.parametrize("name", ["", "list", "diagnose", "compare"])
def test_help_says_which_libraries_there_are(capsys, name):
    with pytest.raises(SystemExit):
        torch_main([name, "--help"] if name else ["--help"])
    said = capsys.readouterr().out
    assert " ".join(said.split()).startswith(f"usage: python -m torch_impl.convert {name}".strip())
    assert "reference, torch, keras, onnx, jax, flax.linen, flax.nnx, equinox, haiku, mlx, paddle" in " ".join(said.split())
