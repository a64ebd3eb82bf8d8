"""``python -m torch_impl.export RUN --out model.onnx``: a trained model as ONNX, checked against NumPy before it is kept.

RUN is the folder of a char_lm or forecast run, or a checkpoint in one, whichever backend trained it.

    char_lm     tokens (T, B) int64, h_0, c_0 (L, B, H)  ->  logits (T, B, V), h_n, c_n     rnn and gru have no c
    forecast    past (T, B, F)  ->  forecast (K, B)     both scaled; every mode, free running

T and B are free.  Weights and numbers are float32, for ONNX Runtime's LSTM and GRU know nothing else.  What tokens mean
and how a series is scaled stand in the model's metadata.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from reference.common import checkpoint
from reference.common.checkpoint import Checkpoint
from reference.common.checkpoint.schema import shown
from reference.common.command import Parser, UsageError, failed, guarded
from reference.common.run import find
from reference.common.screen.prose import say


def application(saved: Checkpoint, what: str) -> ModuleType:
    """What exports the application of a checkpoint.  UsageError: it is of another one."""
    if saved.model == "Forecaster":
        from ..forecast import export as forecast

        return forecast
    if saved.model == "LanguageModel":
        from ..char_lm import export as char_lm

        return char_lm
    raise UsageError(f"{what} is a checkpoint of a {shown(saved.model)}; only runs of char_lm and forecast can be exported")


def check(graph: bytes, export: ModuleType, saved: Checkpoint) -> dict[str, tuple[float, float]]:
    """Of each output the error of ONNX Runtime and what T1 allows (notes/judge/tolerances.md), at the worst of the inputs.

    The oracle is NumPy in float64, the baseline NumPy in float32, all with the same weights.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    worst: dict[str, tuple[float, float]] = {}
    for inputs in export.inputs(saved):
        oracle, baseline = (export.answers(saved, dtype, inputs) for dtype in ("float64", "float32"))
        for name, y, o, b in zip(names, session.run(None, inputs), oracle, baseline, strict=True):
            error, noise = (float(abs(v - o).max()) if v.shape == o.shape else np.inf for v in (y, b))
            allowed = 4 * noise + 16 * float(np.finfo(np.float32).eps) * float(abs(o).max())
            before = worst.get(name)
            if before is None or far(error, allowed) > far(*before) or not np.isfinite(error):
                worst[name] = error, allowed
    return worst


def far(error: float, allowed: float) -> float:
    """The share of what is allowed; of nothing, where all outputs are exactly 0, any error is too much."""
    return error / allowed if allowed else np.inf if error else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 1 where ONNX Runtime computes something else; else as reference/common/command.py says."""
    parser = Parser(prog="python -m torch_impl.export", description="A trained model as an ONNX file.")
    parser.add_argument("run", metavar="RUN", help="folder of a char_lm or forecast run, or a checkpoint in one")
    parser.add_argument("--out", type=Path, default=Path("model.onnx"), help="the file to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not Path(options.run).exists():
        return failed(f"{options.run} does not exist: name the folder of a char_lm or forecast run, or a checkpoint in one")
    return guarded(lambda: export(options.run, options.out), options.run)


def export(run: str, out: Path) -> int:
    """Write the file, unless a check fails  ->  exit status.  UsageError: not a run that can be exported."""
    path = find(run)
    saved = checkpoint.load(path)
    module = application(saved, str(path))
    saved = module.checked(saved)
    with np.errstate(over="ignore"):  # what becomes inf is refused
        saved = saved._replace(weights={k: v.astype(np.float32) for k, v in saved.weights.items()})
    graph = module.graph(saved).SerializeToString()
    errors = check(graph, module, saved)
    for name, (error, allowed) in errors.items():
        say(f"{name:10} error {error:.1e}   allowed {allowed:.1e}   {'equal' if error <= allowed else 'WRONG'}")
    if not all(error <= allowed for error, allowed in errors.values()):
        say(f"error: ONNX Runtime does not compute what NumPy does, so {out} was not written", file=sys.stderr)
        return 1
    checkpoint.write(out, graph)
    say(f"wrote {out}")
    return 0
