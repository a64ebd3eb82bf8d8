"""Reading a checkpoint, and what an application asks of its own parts of it."""

from pathlib import Path
from typing import Any

from ..arrays import Array
from . import schema
from .content import META, PARTS, Checkpoint
from .file import CheckpointError, read
from .schema import Schema, SchemaError, short


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint; nothing in it is executed, and all of it is held against its schema first.

    FileNotFoundError, or CheckpointError: it is truncated, was changed, is of another version, or is none of this project's.
    What an application keeps in ``counters``, ``config`` and ``vocabulary`` it checks by ``require``.
    """
    text, arrays = read(path)
    try:
        meta = schema.parsed(text)
        schema.check(meta, META)
        schema.finite(meta["optimizer"], "optimizer")
        return assembled(meta, arrays)._replace(file=Path(path))
    except ValueError as e:
        raise CheckpointError(f"{path} is no checkpoint of this project: its metadata is malformed: {e}") from e


def assembled(meta: dict[str, Any], arrays: dict[str, Array]) -> Checkpoint:
    """SchemaError: an array belongs to no parameter, or to no optimiser."""
    split: dict[str, dict] = {part: {} for part in PARTS}
    for name, v in arrays.items():
        part, _, rest = name.partition("/")
        split[part][rest] = v
    optimizer = meta.pop("optimizer")
    if optimizer is None and split["optimizer"]:
        raise SchemaError(f"optimizer is null, and there is an array {short('optimizer/' + next(iter(split['optimizer'])))}")
    if optimizer is not None:
        state: dict[str, dict] = {k: {} if n is None else {"step": n} for k, n in optimizer.pop("steps").items()}
        for name, v in split["optimizer"].items():
            slot, _, parameter = name.partition("/")
            if parameter not in state or slot in ("", "step"):
                raise SchemaError(f"optimizer.steps has no parameter for the array {short('optimizer/' + name)}")
            state[parameter][slot] = v
        optimizer["state"] = state
    return Checkpoint(weights=split["weights"], carried=split["carried"], optimizer=optimizer, **meta)


def require(checkpoint: Checkpoint, **parts: Schema) -> None:
    """Hold ``counters``, ``config`` or ``vocabulary`` against schemas.  Numbers are finite, but for ``counters.best``.

    CheckpointError, with the file, the field, what it must be and what it is.
    """
    for name, wanted in parts.items():
        try:
            schema.check(getattr(checkpoint, name), wanted, name)
            schema.finite(getattr(checkpoint, name), name, ("counters.best",), ("config.seed",))
        except SchemaError as e:
            raise CheckpointError(f"{checkpoint.place} is damaged, or of another program or version: {e}") from e
