"""The cells as kernels of our own in Triton: a room for each cell, forward and backward, in two forms.

    step         two launches a step: torch's product, then one kernel for everything that is elementwise
    persistent   one launch for all steps: a program for each sequence keeps W_hh in registers; for a small H

A room chooses persistent where W_hh fits (blocks.py says when), and step elsewhere.  Nothing here has run on a GPU yet: it is
judged in Triton's interpreter, on the CPU, and its speed has not been measured.
"""

import importlib.util
import os
from types import ModuleType

DTYPES = ("float32", "float64", "bfloat16", "float16")
NOT_INSTALLED = "Triton is not installed; it is for Linux"
NO_GPU = "Triton needs a CUDA device, or its interpreter: TRITON_INTERPRET=1 in the environment from the start"


def refusal(device: str, dtype: str) -> str | None:
    """Why there is no kernel for this device and dtype, or None."""
    if dtype not in DTYPES:
        return f"the Triton kernels compute in {', '.join(DTYPES)}"
    if importlib.util.find_spec("triton") is None:
        return NOT_INSTALLED
    if device.partition(":")[0] != "cuda" and os.environ.get("TRITON_INTERPRET") != "1":
        return NO_GPU
    return None


def room(cell: str) -> ModuleType:
    """The kernels of "rnn", "lstm" or "gru"; only now is Triton imported, since hardly anybody asks for it."""
    from . import gru, lstm, rnn

    return {"rnn": rnn, "lstm": lstm, "gru": gru}[cell]
