"""torch.nn's layer with the weights of a spec, for what runs it in other ways, and what all of these decline."""

import numpy as np
import torch

from torch_impl.cells.adapters import TorchLayer as TorchLayer


def options(spec):
    """What torch.nn's layers, and those made like them, are built with besides the sizes."""
    own = {"rnn": ["nonlinearity"], "lstm": ["proj_size"] * bool(spec.proj_size), "gru": []}[spec.cell]
    names = ["num_layers", "bias", "batch_first", "bidirectional", "dropout", *own]
    return {name: getattr(spec, name) for name in names}


def module(spec, weights):
    """RNN, LSTM or GRU of torch.nn in the dtype of the spec."""
    m = getattr(torch.nn, spec.cell.upper())(spec.input_size, spec.hidden_size, **options(spec))
    return filled(m.to(getattr(torch, spec.dtype)), weights)


def filled(m, weights):
    """A module whose state_dict has torch.nn's names, with these weights."""
    m.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in weights.items()})
    return m


def declines(spec):
    """A reason, or None."""
    if spec.device != "cpu":
        return "this adapter runs torch on the CPU"
    return "torch.nn's GRU resets after the product only" if not spec.reset_after else None


def about():
    """Version and threads."""
    return f"torch {torch.__version__}, {torch.get_num_threads()} threads"
