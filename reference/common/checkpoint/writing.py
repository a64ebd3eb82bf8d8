"""Writing a checkpoint, all of it or nothing."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array, as_array
from .content import Stateful
from .file import FORMAT, MOST, CheckpointError, digest


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

    CheckpointError: the file cannot be written, or what is no array takes more room than a header has; an older one is
    still there then.
    """
    from safetensors import numpy  # only who writes or reads a file needs it

    arrays = flat("weights", {k: as_array(v) for k, v in model.state_dict().items()})
    if carried is None:
        carried = model.carried_state() if hasattr(model, "carried_state") else {}
    arrays |= flat("carried", carried)
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
        arrays |= flat("optimizer", {f"{slot}/{k}": v for slot, k, v in slots if slot != "step"})
        steps = {k: own.get("step") for k, own in held["state"].items()}
        meta["optimizer"] = {"name": type(optimizer).__name__, "options": held["options"], "steps": steps}
    text = json.dumps(meta)
    header = {"format": FORMAT, "meta": text, "sha256": digest(text, arrays)}
    if len(json.dumps(header)) + sum(len(name) + 200 for name in arrays) > MOST:
        raise CheckpointError(f"{path} cannot be written: config, vocabulary and what else is no array take more than {MOST} bytes")
    write(Path(path), numpy.save(arrays, header))


def write(path: Path, data: bytes) -> None:
    """Put ``data`` under this name, all of it or, if anything goes wrong, nothing; what is no file, as a pipe, is written to."""
    special = path.exists() and not path.is_file()
    temporary = path if special else path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            if not special:
                os.fsync(file.fileno())
        if not special:
            temporary.replace(path)
    except OSError as e:
        if not special:
            temporary.unlink(missing_ok=True)
        raise CheckpointError(f"{path} cannot be written: {e.strerror or e}") from e


def flat(part: str, arrays: Mapping[str, Any]) -> dict[str, Array]:
    return {f"{part}/{k}": np.array(v, order="C") for k, v in arrays.items()}
