"""The bytes of a checkpoint: a safetensors file whose header was held against the file's length before an array is read."""

import hashlib
import math
import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..arrays import Array
from . import schema
from .schema import short

FORMAT = "bptt checkpoint 1"
PARTS = ("weights", "optimizer", "carried")
MOST = 2**24  # bytes of a header: a vocabulary of a million words is smaller
SIZES = {"F64": 8, "F32": 4, "F16": 2, "C64": 8, "BOOL": 1}  # bytes of a number, by safetensors' names
SIZES |= {f"{kind}{8 * size}": size for kind in "IU" for size in (1, 2, 4, 8)}
TENSOR = schema.fields(
    {
        "dtype": schema.one_of(*SIZES),
        "shape": schema.several(schema.whole(0, 2**40), most=32),
        "data_offsets": schema.several(schema.whole(0, 2**62), 2, 2),
    }
)
HEADER = schema.named(TENSOR) | {
    "required": ["__metadata__"],
    "properties": {"__metadata__": schema.fields(dict.fromkeys(("format", "meta", "sha256"), schema.TEXT))},
}


class CheckpointError(Exception):
    """A file that cannot be written, is no whole checkpoint, or does not belong to this model."""


def read(path: str | Path) -> tuple[str, dict[str, Array]]:
    """The JSON and the arrays of a file.

    FileNotFoundError, OSError, or CheckpointError: it is truncated, was changed, is of another version, or none of ours.
    """
    from safetensors import SafetensorError, numpy

    with opened(Path(path)) as file:
        size = os.fstat(file.fileno()).st_size
        metadata = header(path, file, size)
        file.seek(0)
        data = file.read(size)
    try:
        arrays = numpy.load(data)
    except (SafetensorError, ValueError, KeyError) as e:
        raise CheckpointError(f"{path} is damaged: {e}") from e
    if digest(metadata["meta"], arrays) != metadata["sha256"]:
        raise CheckpointError(f"{path} was damaged or changed after it was written: its SHA-256 does not fit")
    return metadata["meta"], arrays


def opened(path: Path) -> BinaryIO:
    """A file, and no pipe or device, which may have no end.  OSError, CheckpointError."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise CheckpointError(f"{path} is no checkpoint of this project: it is no file")
    return path.open("rb")


def header(path: str | Path, file: BinaryIO, size: int) -> dict[str, str]:
    """The metadata of a file of so many bytes, all of whose header is as it must be.  CheckpointError."""
    foreign = f"{path} is no checkpoint of this project"
    begin = file.read(9)
    (length,) = struct.unpack("<Q", begin[:8]) if len(begin) == 9 else (0,)
    if not length or begin[8:] != b"{":
        raise CheckpointError(foreign + (": it is empty" if not begin else ""))
    if length > MOST:
        raise CheckpointError(f"{foreign}: its header would have {length} bytes, and may have {MOST}")
    if length > size - 8:
        raise CheckpointError(f"{path} is truncated: it ends after {size} bytes, within its header")
    try:
        head = schema.parsed((begin[8:] + file.read(length - 1)).decode())
    except ValueError as e:
        raise CheckpointError(f"{foreign}: its header is malformed: {e}") from e
    metadata = head.get("__metadata__")
    if not isinstance(metadata, dict) or "format" not in metadata:
        raise CheckpointError(foreign)
    if metadata["format"] != FORMAT:
        raise CheckpointError(f"{foreign}: its format is {short(metadata['format'])}, this program reads {FORMAT!r}")
    try:
        schema.check(head, HEADER)
        end = 8 + length + extent({name: tensor for name, tensor in head.items() if name != "__metadata__"})
    except schema.SchemaError as e:
        raise CheckpointError(f"{path} is damaged: its header is malformed: {e}") from e
    if size < end:
        raise CheckpointError(f"{path} is truncated: it has {size} of {end} bytes")
    if size > end:
        raise CheckpointError(f"{path} is damaged: it has {size - end} bytes after its last array")
    return metadata


def extent(tensors: Mapping[str, Any]) -> int:
    """How many bytes arrays take that lie one after another.  SchemaError: they don't, or one has a name or size of its own."""
    at = 0
    for name, tensor in sorted(tensors.items(), key=lambda named: named[1]["data_offsets"]):
        part, *rest = name.split("/")
        if part not in PARTS or not rest or {"", ".", ".."} & {*rest} or not name.isprintable() or "\\" in name:
            raise schema.SchemaError(f"{short(name)} is no name of an array")
        begin, end = tensor["data_offsets"]
        needed = math.prod(tensor["shape"]) * SIZES[tensor["dtype"]]
        if begin != at or end - begin != needed:
            raise schema.SchemaError(
                f"data_offsets of {short(name)} must be [{at}, {short(at + needed)}] by its shape and dtype and what stands before "
                f"it, got [{begin}, {end}]"
            )
        at = end
    return at


def digest(meta: str, arrays: Mapping[str, Array]) -> str:
    """SHA-256 of the JSON and of every array's name, type, shape and bytes."""
    h = hashlib.sha256(meta.encode())
    for name in sorted(arrays):
        v = arrays[name]
        h.update(f"\n{name} {v.dtype} {v.shape}\n".encode())
        h.update(np.ascontiguousarray(v).data if v.size else b"")
    return h.hexdigest()
