"""A trained character model as an ONNX graph.  What it must compute: reference/char_lm/export.py"""

import json

from reference.char_lm.export import answers, checked, inputs, restored
from reference.common.checkpoint import Checkpoint

from ..export import onnx_graph
from .backend import BACKEND

__all__ = ["answers", "checked", "graph", "inputs"]


def graph(saved: Checkpoint) -> onnx_graph.ModelProto:
    """tokens (T, B) int64, h_0, c_0 (L, B, H)  ->  logits (T, B, V), h_n, c_n; rnn and gru have no c"""
    about = {"vocabulary": json.dumps(saved.vocabulary), "tokens": "bytes" if saved.config.get("bytes") else "characters"}
    return onnx_graph.language_model(restored(BACKEND, saved, "float32"), about)
