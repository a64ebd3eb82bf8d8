"""Checkpoints of both backends: one safetensors file with the arrays, and everything else as JSON in its metadata.

Written to a temporary file beside it, flushed to the disk, then renamed: whatever happens, the name holds the old file
or the new one, whole.  Read without executing anything: arrays are bytes of a known type, the rest is JSON.  A SHA-256
over all of it shows what was damaged or changed; it is no signature, so it does not say who wrote the file.

torch_impl.common.checkpoint has the same functions for torch modules, and reads and writes the same files.
"""

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from .arrays import Array, as_array

FORMAT = "bptt checkpoint 1"
PARTS = ("weights", "optimizer", "carried")


class Stateful(Protocol):
    """A model or an optimiser of either backend."""

    def state_dict(self) -> Mapping[str, Any]: ...

    def load_state_dict(self, state_dict: Any, /) -> object: ...


class CheckpointError(Exception):
    """A file that cannot be written, is no whole checkpoint, or does not belong to this model."""


class Checkpoint(NamedTuple):
    model: str  # name of the model's class
    weights: dict[str, Array]  # its state_dict
    optimizer: dict[str, Any] | None  # {"name": ..., "options": ..., "state": ...}
    generators: dict[str, Any]  # states of numpy.random.Generators, by name
    counters: dict[str, Any]  # epoch, step, best loss, ...
    config: dict[str, Any]  # whatever the user wants to find again
    vocabulary: list | None  # what the tokens mean
    carried: dict[str, Array]  # the state that a model keeps between two windows


def save(
    path: str | Path,
    model: Stateful,
    optimizer: Stateful | None = None,
    *,
    generators: Mapping[str, Any] | None = None,
    counters: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    vocabulary: Sequence | None = None,
    carried: Mapping[str, Array] | None = None,
) -> None:
    """Write a checkpoint, atomically: what Checkpoint says, as far as it is given.

    What is not an array or a generator (or the state of one) must be JSON, or TypeError is raised.  ``carried`` is the
    model's own ``carried_state()``, if it has one, unless given.

    CheckpointError: the file cannot be written; an older one is still there then.
    """
    from safetensors import numpy  # only who writes or reads a file needs it

    arrays = _flat("weights", {k: as_array(v) for k, v in model.state_dict().items()})
    if carried is None:
        carried = model.carried_state() if hasattr(model, "carried_state") else {}
    arrays |= _flat("carried", carried)
    meta = {
        "model": type(model).__name__,
        "counters": dict(counters or {}),
        "config": dict(config or {}),
        "vocabulary": None if vocabulary is None else list(vocabulary),
        "generators": {k: g if isinstance(g, Mapping) else g.bit_generator.state for k, g in (generators or {}).items()},
        "optimizer": None,
    }
    if optimizer is not None:
        held = optimizer.state_dict()
        slots = ((slot, k, v) for k, own in held["state"].items() for slot, v in own.items())
        arrays |= _flat("optimizer", {f"{slot}/{k}": v for slot, k, v in slots if slot != "step"})
        steps = {k: own.get("step") for k, own in held["state"].items()}
        meta["optimizer"] = {"name": type(optimizer).__name__, "options": held["options"], "steps": steps}
    text = json.dumps(meta)
    header = {"format": FORMAT, "meta": text, "sha256": digest(text, arrays)}
    write(Path(path), numpy.save(arrays, header))


def write(path: Path, data: bytes) -> None:
    """Put ``data`` under this name, all of it or, if anything goes wrong, nothing."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as e:
        temporary.unlink(missing_ok=True)
        raise CheckpointError(f"{path} cannot be written: {e.strerror or e}") from e


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint; nothing in it is executed.

    FileNotFoundError, or CheckpointError: it is truncated, was changed, is of another version, or is none of this project's.
    """
    from safetensors import SafetensorError, numpy

    data = Path(path).read_bytes()
    header = _header(path, data)
    try:
        arrays = numpy.load(data)
    except (SafetensorError, ValueError, KeyError) as e:
        raise CheckpointError(f"{path} is damaged: {e}") from e
    if digest(header["meta"], arrays) != header["sha256"]:
        raise CheckpointError(f"{path} was damaged or changed after it was written: its SHA-256 does not fit")
    try:
        return _parse(json.loads(header["meta"]), arrays)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise CheckpointError(f"{path} is no checkpoint of this project: its metadata is malformed") from e


def _header(path: str | Path, data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file, after the checks that its length allows."""
    foreign = f"{path} is no checkpoint of this project"
    (length,) = struct.unpack("<Q", data[:8]) if len(data) >= 8 else (0,)
    if data[8:9] == b"{" and length > len(data) - 8:
        raise CheckpointError(f"{path} is truncated: it ends after {len(data)} bytes, within its header")
    try:
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__")
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
        kind, _ = metadata["format"], metadata["meta"] + metadata["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise CheckpointError(foreign + (": it is empty" if not data else "")) from e
    if kind != FORMAT:
        raise CheckpointError(f"{foreign}: its format is {kind!r}, this program reads {FORMAT!r}")
    if len(data) < end:
        raise CheckpointError(f"{path} is truncated: it has {len(data)} of {end} bytes")
    return metadata


def _parse(meta: dict[str, Any], arrays: dict[str, Array]) -> Checkpoint:
    split: dict[str, dict] = {part: {} for part in PARTS}
    for name, v in arrays.items():
        part, _, rest = name.partition("/")
        split[part][rest] = v
    optimizer = meta["optimizer"]
    if optimizer is not None:
        state: dict[str, dict] = {k: {} if n is None else {"step": n} for k, n in optimizer.pop("steps").items()}
        for name, v in split["optimizer"].items():
            slot, _, parameter = name.partition("/")
            state[parameter][slot] = v
        optimizer["state"] = state
    return Checkpoint(weights=split["weights"], carried=split["carried"], **meta)


def restore(
    checkpoint: Checkpoint,
    model: Stateful,
    optimizer: Stateful | None = None,
    *,
    generators: Mapping[str, np.random.Generator] | None = None,
    vocabulary: Sequence | None = None,
    weight: Callable[[Array], Any] = np.asarray,
) -> None:
    """Put a checkpoint into a model and, if given, its optimiser and generators.  All or nothing.

    ``weight`` makes of an array what ``model.load_state_dict`` takes.

    CheckpointError: it is of another model, other sizes, another dtype, vocabulary or optimiser, or lacks a generator.
    """
    check(checkpoint, model, optimizer, generators or {}, vocabulary)
    if optimizer is not None:  # which checks its own state before anything changes
        try:
            optimizer.load_state_dict(checkpoint.optimizer)
        except (RuntimeError, KeyError, TypeError) as e:
            raise CheckpointError(f"the checkpoint's optimiser does not fit: {e}") from e
    model.load_state_dict({k: weight(v) for k, v in checkpoint.weights.items()})
    for name, generator in (generators or {}).items():
        generator.bit_generator.state = checkpoint.generators[name]
    if hasattr(model, "load_carried_state"):
        model.load_carried_state(checkpoint.carried)


def check(
    checkpoint: Checkpoint, model: Stateful, optimizer: Stateful | None, generators: Iterable[str], vocabulary: Sequence | None
) -> None:
    """CheckpointError, with the reason, if something does not fit."""
    kind, another = type(model).__name__, f"the checkpoint is of another {checkpoint.model}"
    if checkpoint.model != kind:
        raise CheckpointError(f"the checkpoint is of a {checkpoint.model}, not of a {kind}")
    if vocabulary is not None and checkpoint.vocabulary != list(vocabulary):
        raise CheckpointError(_vocabularies(checkpoint.vocabulary, list(vocabulary)))
    own = {k: as_array(v) for k, v in model.state_dict().items()}
    for what, names in (("lacks", own.keys() - checkpoint.weights.keys()), ("has", checkpoint.weights.keys() - own.keys())):
        if names:
            raise CheckpointError(f"{another}: it {what} {', '.join(sorted(names))}")
    for k, here in own.items():
        there = checkpoint.weights[k]
        if there.shape != here.shape:
            raise CheckpointError(f"{another}: {k} has shape {there.shape} there, {here.shape} here")
        if there.dtype != here.dtype:
            raise CheckpointError(f"the checkpoint is in {there.dtype}, the model in {here.dtype}")
    saved = checkpoint.optimizer["name"] if checkpoint.optimizer else "no optimiser"
    if optimizer is not None and saved != type(optimizer).__name__:
        raise CheckpointError(f"the checkpoint has the state of {saved}, not of {type(optimizer).__name__}")
    missing = [name for name in generators if name not in checkpoint.generators]
    if missing:
        raise CheckpointError(f"the checkpoint has no generator {', '.join(missing)}")


def _vocabularies(saved: list | None, own: list) -> str:
    if saved is None:
        return "the checkpoint has no vocabulary"
    if len(saved) != len(own):
        return f"the checkpoint's vocabulary has {len(saved)} entries, not {len(own)}"
    k = next(k for k, pair in enumerate(zip(saved, own, strict=True)) if pair[0] != pair[1])
    return f"the checkpoint's vocabulary is another: entry {k} is {saved[k]!r} there, {own[k]!r} here"


def digest(meta: str, arrays: Mapping[str, Array]) -> str:
    """SHA-256 of the JSON and of every array's name, type, shape and bytes."""
    h = hashlib.sha256(meta.encode())
    for name in sorted(arrays):
        v = arrays[name]
        h.update(f"\n{name} {v.dtype} {v.shape}\n".encode())
        h.update(np.ascontiguousarray(v).data if v.size else b"")
    return h.hexdigest()


def _flat(part: str, arrays: Mapping[str, Any]) -> dict[str, Array]:
    return {f"{part}/{k}": np.array(v, order="C") for k, v in arrays.items()}
