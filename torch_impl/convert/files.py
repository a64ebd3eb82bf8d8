""".pt and .pth: a state_dict, alone or within what was saved with it.  What else there is: reference/convert/files.py"""

import pickle
import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reference.common.arrays import Array, as_array
from reference.common.checks import UsageError
from reference.convert.files import Contents, Kind, numbered


def read(path: Path) -> Contents:
    """UsageError: it is damaged, or holds more than tensors and plain values, which is not loaded."""
    try:
        with warnings.catch_warnings():  # about pickles that it goes on to refuse
            warnings.simplefilter("ignore")
            held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as e:
        raise UsageError(f"{path} is damaged, or holds more than tensors and plain values: save model.state_dict()") from e
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as e:
        raise UsageError(f"{path} is damaged, or no file of torch.save: {e}") from e
    return Contents(numbered(dict(tensors(held))))


def tensors(held: Any, within: str = "") -> Iterator[tuple[str, Array]]:
    """Every tensor that NumPy can hold, by its names from the outside in: ``state_dict.rnn.weight_ih_l0``"""
    if isinstance(held, Mapping):
        for name, v in held.items():
            yield from tensors(v, f"{within}.{name}" if within else str(name))
    elif isinstance(held, torch.Tensor) and not held.is_sparse:
        yield within, as_array(held.float() if held.dtype in (torch.bfloat16,) else held)


def encoded(stack: object, arrays: Mapping[str, Array]) -> bytes:
    buffer = BytesIO()
    torch.save({name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in arrays.items()}, buffer)
    return buffer.getvalue()


KINDS = dict.fromkeys((".pt", ".pth"), Kind(read, encoded))
