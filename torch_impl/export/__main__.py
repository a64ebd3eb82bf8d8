"""``python -m torch_impl.export RUN --out model.onnx``: a trained model as ONNX, checked against NumPy before it is kept.

RUN is the folder of a char_lm or forecast run, or a checkpoint in one, whichever side trained it.

    char_lm     tokens (T, B) int64, h_0, c_0 (L, B, H)  ->  logits (T, B, V), h_n, c_n     rnn and gru have no c
    forecast    past (T, B, F)  ->  forecast (K, B)     both scaled; every mode, free running

T and B are free.  Weights and numbers are float32, for ONNX Runtime's LSTM and GRU know nothing else.  What tokens mean
and how a series is scaled stand in the model's metadata.  Here alone this package asks NumPy to compute: it is the judge.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("apps,torch", "torch", "safetensors", "onnx", "onnxruntime")

import numpy as np

from reference.char_lm import __main__ as numpy_char_lm
from reference.char_lm.data import UsageError
from reference.char_lm.options import DEFAULTS
from reference.char_lm.run import build, find
from reference.common import checkpoint
from reference.common.checkpoint import Checkpoint, CheckpointError
from reference.forecast import __main__ as numpy_forecast
from reference.forecast import train
from reference.models.recurrent import as_state, fields

from ..char_lm import __main__ as char_lm
from ..forecast import __main__ as forecast


class Export(NamedTuple):
    model: Any                                  # onnx.ModelProto
    inputs: list[dict[str, np.ndarray]]         # to check it with, of two sizes
    numpy: Callable                             # (dtype, inputs) -> outputs of NumPy's model, in the order of ONNX's


def export(saved: Checkpoint, what: str) -> Export:
    """The graph of a checkpoint.  UsageError: it is of another application."""
    saved = saved._replace(weights={k: v.astype(np.float32) for k, v in saved.weights.items()})
    if {"mode", "series"} <= saved.config.keys():
        return of_forecast(saved)
    if DEFAULTS.keys() <= saved.config.keys() and saved.vocabulary:
        return of_characters(saved)
    raise UsageError(f"{what} is a checkpoint of a {saved.model}; only runs of char_lm and forecast can be exported")


def of_characters(saved: Checkpoint) -> Export:
    from . import onnx_graph

    def model(side: Any, dtype: str) -> Any:
        given = {"engine": side.engines[0], "device": "cpu", "compile": False}
        return restored(build(side, saved.config, given, dtype, len(saved.vocabulary or ())), saved, side.restore, dtype)

    def numpy(dtype: str, inputs: dict) -> list:
        state = as_state([inputs[f"{v}_0"].astype(dtype) for v in letters])
        z, state = model(numpy_char_lm.SIDE, dtype).logits(inputs["tokens"], state)
        return [z, *fields(state)]

    rng, (L, H, V) = np.random.default_rng(0), (saved.config["layers"], saved.config["size"], len(saved.vocabulary or ()))
    letters = "hc" if saved.config["cell"] == "lstm" else "h"
    inputs = [{"tokens": rng.integers(0, V, (T, B))} | {
        f"{v}_0": rng.uniform(-1, 1, (L, B, H)).astype(np.float32) for v in letters} for T, B in ((40, 3), (1, 2))]
    about = {"vocabulary": json.dumps(saved.vocabulary)}
    return Export(onnx_graph.language_model(model(char_lm.SIDE, "float32"), about), inputs, numpy)


def of_forecast(saved: Checkpoint) -> Export:
    from . import onnx_graph

    def model(side: Any, dtype: str) -> Any:
        return restored(train.build(side, saved.config | {"dtype": dtype}, F), saved, side.restore, dtype)

    def numpy(dtype: str, inputs: dict) -> list:
        return [model(numpy_forecast.SIDE, dtype).forecast(inputs["past"].astype(dtype))]

    rng, F = np.random.default_rng(0), saved.weights["rnn.weight_ih_l0"].shape[1]
    inputs = [{"past": rng.standard_normal((T, B, F)).astype(np.float32)}
              for T, B in ((saved.config["window"], 3), (2, 1))]
    about = {"series": json.dumps(saved.config["series"]), "horizon": str(saved.config["horizon"])}
    return Export(onnx_graph.forecaster(model(forecast.SIDE, "float32"), about), inputs, numpy)


def restored(model: Any, saved: Checkpoint, restore: Callable, dtype: str) -> Any:
    """A model with the weights of the checkpoint, for evaluation.  CheckpointError: they are not its own."""
    weights = {k: v.astype(dtype) for k, v in saved.weights.items()}
    restore(saved._replace(weights=weights, carried={}), model)
    model.eval()
    return model


def check(made: Export) -> dict[str, tuple[float, float]]:
    """Of each output the error of ONNX Runtime and what T1 allows (notes/tolerances.md), at the worst of the inputs.

    The oracle is NumPy in float64, the baseline NumPy in float32, all with the same weights.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    found: dict[str, tuple[float, float]] = {}
    for inputs in made.inputs:
        oracle, baseline = (made.numpy(dtype, inputs) for dtype in ("float64", "float32"))
        for name, y, o, b in zip(names, session.run(None, inputs), oracle, baseline, strict=True):
            error, noise = (float(abs(v - o).max()) if v.shape == o.shape else np.inf for v in (y, b))
            allowed = 4 * noise + 16 * float(np.finfo(np.float32).eps) * float(abs(o).max())
            worst = found.get(name)
            if worst is None or error / allowed > worst[0] / worst[1] or not np.isfinite(error):
                found[name] = error, allowed
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m torch_impl.export", description="A trained model as an ONNX file.")
    parser.add_argument("run", metavar="RUN", help="folder of a char_lm or forecast run, or a checkpoint in one")
    parser.add_argument("--out", type=Path, default=Path("model.onnx"), help="the file to write (default: %(default)s)")
    given = parser.parse_args(arguments)
    if not Path(given.run).exists():
        return failed(f"{given.run} does not exist: name the folder of a char_lm or forecast run, or a checkpoint in one")
    try:
        path = find(given.run)
        made = export(checkpoint.load(path), str(path))
        found = check(made)
        for name, (error, allowed) in found.items():
            print(f"{name:10} error {error:.1e}   allowed {allowed:.1e}   {'equal' if error <= allowed else 'WRONG'}")
        if not all(error <= allowed for error, allowed in found.values()):
            print(f"error: ONNX Runtime does not compute what NumPy does, so {given.out} was not written", file=sys.stderr)
            return 1
        checkpoint.write(given.out, made.model.SerializeToString())
    except (UsageError, CheckpointError) as e:
        return failed(str(e))
    except OSError as e:
        return failed(f"{e.filename or given.run}: {e.strerror or e}")
    print(f"wrote {given.out}")
    return 0


def failed(sentence: str) -> int:
    print(f"error: {' '.join(sentence.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
