"""Files of weights: .safetensors and .npz hold arrays by name, .keras and .onnx a model.  Nothing in them is executed."""

import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..common import checks
from ..common.arrays import Array
from ..common.checkpoint import write as write_bytes
from ..common.checks import UsageError
from ..common.extras import lacking
from .finding import rows
from .stacks import Stack, checked, theirs


class Contents(NamedTuple):
    """What a file holds."""

    arrays: dict[str, Array]
    library: str | None = None  # whose names they are, where the kind of file says it
    resets: Mapping[str, bool] = {}  # of its GRUs reset_after, by the beginning of their names
    nonlinearities: Mapping[str, str] = {}  # of its RNNs likewise


# What safetensors calls a dtype; BF16, which NumPy has not, is the upper half of a float32.
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"}
DTYPES |= {f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)}
# What reading a zip that is not in order can raise.
DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, TypeError, NotImplementedError, OverflowError)


class Kind(NamedTuple):
    """One kind of file."""

    read: Callable[[Path], Contents]
    encoded: Callable[[Stack, Mapping[str, Array]], bytes]  # a stack, and its arrays as the library has them
    library: str | None = None  # the only one whose weights it can hold


def need(extra: str, *modules: str) -> None:
    """UsageError, with what to install, if a module is not there."""
    sentence = lacking(extra, *modules)
    if sentence:
        raise UsageError(sentence)


def read_safetensors(path: Path) -> Contents:
    need("apps", "safetensors")
    from safetensors import SafetensorError, deserialize

    try:
        held = deserialize(path.read_bytes())
        return Contents(numbered({name: tensor(**v) for name, v in held if v["dtype"] in DTYPES}))
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise UsageError(f"{path} is damaged, or no safetensors file: {e}") from e


def tensor(shape: Sequence[int], dtype: str, data: bytes) -> Array:
    """One of safetensors' tensors; of bfloat16, which NumPy has not, in float32, which holds the same number."""
    flat = np.frombuffer(data, DTYPES[dtype])
    return ((flat.astype("<u4") << 16).view("<f4") if dtype == "BF16" else flat).reshape(shape)


def read_npz(path: Path) -> Contents:
    data = BytesIO(path.read_bytes())  # NumPy leaves a file open in which it finds an error
    try:
        held = np.load(data, allow_pickle=False)
        if isinstance(held, np.ndarray):
            raise ValueError("it holds one array without a name")
        return Contents(numbered({name: held[name] for name in held.files}))
    except DAMAGED as e:
        why = "it holds pickled objects, or something else" if "pickle" in str(e) else str(e)
        raise UsageError(f"{path} is damaged, or no .npz file of plain arrays: {why}") from e


def numbered(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """By name, layer 10 after layer 2."""

    def key(name: str) -> list:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]

    return {name: arrays[name] for name in sorted(arrays, key=key)}


def read_keras(path: Path) -> Contents:
    need("apps", "h5py")
    from . import keras_file

    return keras_file.read(path)


def read_onnx(path: Path) -> Contents:
    need("apps", "onnx")
    from . import onnx_file

    return onnx_file.read(path)


def safetensors(stack: Stack, arrays: Mapping[str, Array]) -> bytes:
    need("apps", "safetensors")
    from safetensors import numpy

    return numpy.save(dict(arrays))


def npz(stack: Stack, arrays: Mapping[str, Array]) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def keras_model(stack: Stack, arrays: Mapping[str, Array]) -> bytes:
    need("apps", "h5py")
    from . import keras_file

    return keras_file.encoded(stack)


def onnx_model(stack: Stack, arrays: Mapping[str, Array]) -> bytes:
    need("apps", "onnx")
    from . import onnx_file

    return onnx_file.encoded(stack)


KINDS: dict[str, Kind] = {
    ".safetensors": Kind(read_safetensors, safetensors),
    ".npz": Kind(read_npz, npz),
    ".keras": Kind(read_keras, keras_model, "Keras"),
    ".onnx": Kind(read_onnx, onnx_model, "ONNX"),
}
NONE: Mapping[str, Kind] = {}


def kind_of(path: Path, more: Mapping[str, Kind]) -> Kind:
    """By the ending of a file's name.  UsageError: no such kind is known."""
    kinds = KINDS | dict(more)
    if path.suffix in (".pt", ".pth") and path.suffix not in kinds:
        raise UsageError(f"{path} is PyTorch's: python -m torch_impl.convert takes the same words, and such files")
    if path.suffix not in kinds:
        raise UsageError(f"{path} must end in {', '.join(kinds)}")
    return kinds[path.suffix]


def read(path: str | Path, more: Mapping[str, Kind] = NONE) -> Contents:
    """The arrays of a file, by the ending of its name; ``more`` are kinds beside those of this module.

    FileNotFoundError; UsageError: another ending, a package that is missing, a damaged file.
    """
    checks.place("path", path)
    path = Path(path)
    path.stat()  # a name that was mistyped is the likeliest mistake
    return kind_of(path, more).read(path)


def write(path: str | Path, stack: Stack, library: str, places: Sequence[str] = (), more: Mapping[str, Kind] = NONE) -> list[str]:
    """Write a stack as a library has it  ->  the names of its arrays

    UsageError: another ending, a package that is missing, or the kind of file is not the library's.  ValueError: as
    ``theirs``.  CheckpointError: the file cannot be written.
    """
    checks.place("path", path), checked("stack", stack)
    path = Path(path)
    kind = kind_of(path, more)
    if kind.library and kind.library != rows(library)[0].library:
        raise UsageError(f"a {path.suffix} file holds a model of {kind.library}, not of {library}")
    arrays = theirs(stack, library, places)
    write_bytes(path, kind.encoded(stack, arrays))
    return list(arrays)
