"""A trained forecaster as an ONNX graph.  What it must compute: reference/forecast/export.py"""

import json

from reference.common.checkpoint import Checkpoint
from reference.forecast.export import answers, checked, inputs, restored

from ..export import onnx_graph
from .backend import BACKEND

ABOUT = "window", "horizon", "quantiles", "level"
__all__ = ["answers", "checked", "graph", "inputs"]


def graph(saved: Checkpoint) -> onnx_graph.ModelProto:
    """past (T, B, F), known (K, B, known) if there are such columns  ->  forecast (K, B), with quantiles (K, B, Q); all scaled

    What raw values need is in the metadata: columns, mean and deviation of each series' columns, window and horizon, and
    whether the target is read, and said, less its last value.
    """
    about = {"series": json.dumps(saved.config["series"])} | {k: json.dumps(saved.config[k]) for k in ABOUT}
    return onnx_graph.forecaster(restored(BACKEND, saved, "float32"), about)
