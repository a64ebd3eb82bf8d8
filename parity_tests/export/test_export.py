"""ONNX export: every cell and mode, checked with ONNX Runtime against NumPy; what is wrong or foreign is refused."""

import csv
import json

import numpy as np
import pytest
import torch

import torch_impl.forecast.backend
from reference.char_lm.options import DEFAULTS
from reference.char_lm.run import build
from reference.common import checkpoint
from reference.common.run import Counters
from reference.forecast import backend as numpy_forecast
from reference.forecast import options as forecast_options
from reference.forecast import train
from reference.forecast.series.calendar import circle
from reference.models.classifier import Classifier
from torch_impl.export import command as export

from ..char_lm.runs import SIDES
from ..forecast import runs as forecasts
from ..helpers import assert_close

onnx = pytest.importorskip("onnx", reason="extra 'apps' is not installed")
runtime = pytest.importorskip("onnxruntime", reason="extra 'apps' is not installed")

CELLS, VOCABULARY = ("rnn", "lstm", "gru"), list("abcdefg")
CORPUS = {"name": "x", "characters": 9, "distinct": len(VOCABULARY), "sha256": "0" * 64, "begin": "a"}
COUNTERS = Counters()._asdict()
FORECAST = forecast_options.DEFAULTS | {
    "validation": 6,
    "test": 6,
    "epochs": 1,
    "horizon": 3,
    "hidden": 6,
    "layers": 1,
    "dropout": 0.0,
    "dtype": "float32",
    "seed": 1,
    "window": 5,
    "quantiles": None,
    "level": False,
}
FORECAST["series"] = {
    **{"columns": ["x", "y"], "known": 0, "names": ["own"], "parts": [[20, 26, 32]], "scaling": [[[0.0] * 2, [1.0] * 2]]},
    **{"frequency": "day", "season": 1, "zone": ""},
}
PROMOTED = FORECAST["series"] | {"columns": ["x", "promo"], "known": 1}
FORECAST_SIDES = {"reference": numpy_forecast.BACKEND, "torch_impl": torch_impl.forecast.backend.BACKEND}


def characters(folder, backend="reference", **options):
    """A checkpoint of a character model that has not learned anything -> its path"""
    config = DEFAULTS | {"size": 6, "embedding": 5, "corpus": CORPUS, "seed": 2, "steps": 1} | options
    given = {"engine": SIDES[backend].engines[0], "device": "cpu", "compile": False}
    path = folder / "best.safetensors"
    model = build(SIDES[backend], config, given, symbols=len(VOCABULARY))
    checkpoint.save(path, model, counters=COUNTERS, config=config, vocabulary=VOCABULARY)
    return path


def series(folder, backend="reference", **options):
    config = FORECAST | options
    path = folder / "best.safetensors"
    checkpoint.save(path, train.build(FORECAST_SIDES[backend], config), counters=COUNTERS, config=config)
    return path


def session(path):
    return runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("backend", SIDES)
@pytest.mark.parametrize("more", [{}, {"layers": 3}, {"tied": True, "embedding": 6}, {"dtype": "float64", "dropout": 0.3}], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_characters(cell, more, backend, tmp_path, capsys):
    characters(tmp_path, backend, cell=cell, **more)
    assert export.main([str(tmp_path), "--out", str(tmp_path / "m.onnx")]) == 0
    outputs = ["logits", "h_n", "c_n"][: 3 if cell == "lstm" else 2]
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == [*outputs, "wrote"]
    onnx.checker.check_model(onnx.load(tmp_path / "m.onnx"), full_check=True)


@pytest.mark.parametrize("backend", SIDES)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("mode", ["direct", "recursive", "encdec"])
@pytest.mark.parametrize("cell", CELLS)
def test_forecast(cell, mode, layers, backend, tmp_path):
    series(tmp_path, backend, cell=cell, mode=mode, layers=layers)
    assert export.main([str(tmp_path), "--out", str(tmp_path / "m.onnx")]) == 0
    onnx.checker.check_model(onnx.load(tmp_path / "m.onnx"), full_check=True)


@pytest.mark.parametrize("backend", SIDES)
@pytest.mark.parametrize(
    "more",
    [
        *(
            {"mode": mode, "series": FORECAST["series"] | {"columns": ["x", "promo"], "known": 1}}
            for mode in ("direct", "recursive", "encdec")
        ),
        {"mode": "direct", "quantiles": [0.1, 0.5, 0.9]},
    ],
    ids=["direct-known", "recursive-known", "encdec-known", "quantiles"],
)
def test_forecast_with_known_columns_and_quantiles(more, backend, tmp_path):
    series(tmp_path, backend, cell="gru", **more)
    assert export.main([str(tmp_path), "--out", str(tmp_path / "m.onnx")]) == 0


@pytest.mark.parametrize(("mode", "known"), [("direct", True), ("recursive", True), ("recursive", False)])
def test_the_file_says_how_raw_values_are_fed(mode, known, tmp_path, capsys):
    """Columns, scaling and horizon from the metadata alone, values from the CSV file: what predict writes."""
    file, run = forecasts.write(tmp_path / "own.csv", forecasts.wave()), tmp_path / "run"
    more = ["--mode", mode, *(["--calendar"] if known else [])]
    assert forecasts.command("reference", *forecasts.asked(file, *more), "--run", run) == 0
    assert forecasts.command("reference", "predict", "--run", run, "--no-plots") == 0
    assert export.main([str(run), "--out", str(tmp_path / "m.onnx")]) == 0
    graph = session(tmp_path / "m.onnx")
    about = graph.get_modelmeta().custom_metadata_map
    series, K = json.loads(about["series"]), int(about["horizon"])
    assert series["columns"] == ["x", "y"] + ["sin of year", "cos of year"] * known
    mean, deviation = np.array(series["scaling"][0])
    raw = np.array([row[1:] for row in forecasts.wave()], float)
    if known:
        months = np.datetime64("2000-01", "M") + np.arange(160 + K)
        raw = np.column_stack([np.vstack([raw, np.zeros((K, 2))]), circle(months.astype("datetime64[us]"), "year")])
    past = ((raw[:160] - mean) / deviation)[-int(about["window"]) :, None].astype(np.float32)
    fed = {"past": past} | ({"known": ((raw[160:] - mean) / deviation)[:, None, 2:].astype(np.float32)} if known else {})
    ahead = graph.run(None, fed)[0][:, 0] * deviation[0] + mean[0]
    rows = list(csv.DictReader((run / "forecast.csv").read_text().splitlines()))
    # the graph computes in float32, the run in float64
    np.testing.assert_allclose(ahead, [float(r["x"]) for r in rows], rtol=1e-5, atol=1e-5)


def test_the_file_computes_what_the_torch_model_does(tmp_path):
    """Not only what NumPy does; in two pieces with the state carried over, of another T and B than those checked."""
    path = characters(tmp_path, cell="lstm", layers=2)
    assert export.main([str(path), "--out", str(tmp_path / "m.onnx")]) == 0
    saved = checkpoint.load(path)
    given = {"engine": "library", "device": "cpu", "compile": False}
    model = build(SIDES["torch_impl"], saved.config, given, symbols=len(VOCABULARY))
    SIDES["torch_impl"].restore(saved, model)
    model.eval()
    tokens = np.random.default_rng(0).integers(0, 7, (9, 4))
    state = [np.zeros((2, 4, 6), np.float32)] * 2
    pieces = []
    for piece in (tokens[:5], tokens[5:]):
        z, *state = session(tmp_path / "m.onnx").run(None, {"tokens": piece, "h_0": state[0], "c_0": state[1]})
        pieces.append(z)
    with torch.no_grad():
        expected, state_n = model.logits(tokens)
    assert_close(np.concatenate(pieces), expected)
    for ours, theirs in zip(state, state_n, strict=True):
        assert_close(ours, theirs)


def test_the_file_says_what_its_tokens_mean(tmp_path):
    characters(tmp_path)
    export.main([str(tmp_path), "--out", str(tmp_path / "m.onnx")])
    about = session(tmp_path / "m.onnx").get_modelmeta().custom_metadata_map
    assert about["vocabulary"] == '["a", "b", "c", "d", "e", "f", "g"]'


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_wrong_graph_is_not_kept(cell, tmp_path, monkeypatch, capsys):
    """Gates in torch's order, which ONNX reads as another one."""
    from torch_impl.export import onnx_graph

    characters(tmp_path, cell=cell)
    monkeypatch.setattr(onnx_graph, "ORDER", {"LSTM": [0, 1, 2, 3], "GRU": [0, 1, 2]})
    assert export.main([str(tmp_path), "--out", str(tmp_path / "m.onnx")]) == 1
    said = capsys.readouterr()
    assert "WRONG" in said.out and "was not written" in said.err
    assert not (tmp_path / "m.onnx").exists()


def refused(capsys, *arguments):
    assert export.main([str(a) for a in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    return said


def test_what_cannot_be_exported_is_one_sentence(tmp_path, capsys):
    assert "does not exist" in refused(capsys, tmp_path / "nothing")
    assert "has no checkpoint" in refused(capsys, tmp_path)
    other = tmp_path / "other.safetensors"
    checkpoint.save(other, Classifier(5, 2, 3, 4))
    assert "a checkpoint of a Classifier; only runs of char_lm and forecast" in refused(capsys, other)
    other.write_bytes(b"nonsense")
    assert "no checkpoint of this project" in refused(capsys, other)
    characters(tmp_path)
    assert "cannot be written" in refused(capsys, tmp_path, "--out", tmp_path / "no" / "m.onnx")
