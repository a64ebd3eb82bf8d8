"""A trained forecaster as an ONNX graph.  What it must compute: reference/forecast/export.py"""

import json

from reference.common.checkpoint import Checkpoint
from reference.forecast.export import answers, inputs, restored

from ..export import onnx_graph
from .backend import BACKEND

__all__ = ["answers", "graph", "inputs"]


def graph(saved: Checkpoint) -> onnx_graph.ModelProto:
    """past (T, B, F)  ->  forecast (K, B), both scaled; every mode, free running"""
    about = {"series": json.dumps(saved.config["series"]), "horizon": str(saved.config["horizon"])}
    return onnx_graph.forecaster(restored(BACKEND, saved, "float32"), about)
