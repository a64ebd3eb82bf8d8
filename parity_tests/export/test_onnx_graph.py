"""The graphs themselves, of models that no run has to make first: every option of the forecaster, run by ONNX Runtime."""

from types import SimpleNamespace

import numpy as np
import pytest

from reference.common.batches import Windowed
from reference.models.forecaster import MODES
from torch_impl.export import command

from ..models.cases import CELLS, pair

onnx = pytest.importorskip("onnx", reason="extra 'apps' is not installed")
runtime = pytest.importorskip("onnxruntime", reason="extra 'apps' is not installed")
F, K = 4, 3


def graph_of(mode, cell, **options):
    """The graph of a forecaster, and NumPy's own of the same weights by dtype."""
    from torch_impl.export.onnx_graph import forecaster

    ours, theirs = pair("forecaster", F, K, 5, 2, mode=mode, cell=cell, dtype="float32", **options)
    exact, _ = pair("forecaster", F, K, 5, 2, mode=mode, cell=cell, **options)
    exact.load_state_dict(ours.state_dict())
    model = forecaster(theirs.eval(), {"what": "test"})
    onnx.checker.check_model(model, full_check=True)
    return model, {"float32": ours.eval(), "float64": exact.eval()}


def checked(mode, cell, **options):
    """The error of its one output and what is allowed, at the worst of three sizes of T and B."""
    model, numpy = graph_of(mode, cell, **options)
    known = {"known": options["known"]} if options.get("known") else {}

    def inputs(_):
        rng = np.random.default_rng(0)
        for T, B in ((6, 3), (2, 1), (9, 5)):
            shapes = {"past": (T, B, F)} | {k: (K, B, n) for k, n in known.items()}
            yield {k: rng.standard_normal(shape).astype(np.float32) for k, shape in shapes.items()}

    def answers(_, dtype, given):
        f = numpy[dtype].ahead(**{k: v.astype(dtype) for k, v in given.items()})
        return [f if options.get("quantiles") else f[..., 0]]

    return command.check(model.SerializeToString(), SimpleNamespace(inputs=inputs, answers=answers), None)


@pytest.mark.parametrize("known", [0, 1, 3])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cell", CELLS)
def test_a_forecaster_of_every_mode(cell, mode, known):
    [(name, (error, allowed))] = checked(mode, cell, known=known).items()
    assert name == "forecast" and error <= allowed


@pytest.mark.parametrize("known", [0, 2])
@pytest.mark.parametrize("quantiles", [(0.1, 0.5, 0.9), (0.5,)])
def test_a_forecaster_of_quantiles(quantiles, known):
    [(name, (error, allowed))] = checked("direct", "lstm", known=known, quantiles=quantiles).items()
    assert name == "forecast" and error <= allowed


def test_its_inputs_and_outputs_are_named_and_shaped_as_the_models():
    model, _ = graph_of("direct", "gru", known=2, quantiles=(0.1, 0.5))
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert {v.name: v.shape for v in session.get_inputs()} == {"past": ["T", "B", F], "known": [K, "B", 2]}
    assert {v.name: v.shape for v in session.get_outputs()} == {"forecast": [K, "B", 2]}


def test_the_quantiles_come_sorted():
    model, numpy = graph_of("direct", "gru", quantiles=(0.1, 0.5, 0.9))
    past = np.random.default_rng(1).standard_normal((5, 4, F)).astype(np.float32)
    learned, _ = numpy["float32"]._outputs(Windowed(past, np.zeros((K, 4, F))), None)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    [f] = session.run(None, {"past": past})
    assert (np.diff(learned) < 0).any() and (np.diff(f) >= 0).all()
