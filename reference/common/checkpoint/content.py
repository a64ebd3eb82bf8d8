"""What a checkpoint holds, and what its JSON must look like."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..arrays import Array
from . import schema
from .file import PARTS as PARTS
from .schema import NAME, fields, named, or_null, whole


class Stateful(Protocol):
    """A model or an optimiser of either backend."""

    def state_dict(self) -> Mapping[str, Any]: ...

    def load_state_dict(self, state_dict: Any, /) -> object: ...


class Checkpoint(NamedTuple):
    model: str  # name of the model's class
    weights: dict[str, Array]  # its state_dict
    optimizer: dict[str, Any] | None  # {"name": ..., "options": ..., "state": ...}
    generators: dict[str, Any]  # states of numpy.random.Generators, by name
    counters: dict[str, Any]  # epoch, step, best loss, ...
    config: dict[str, Any]  # whatever the user wants to find again
    vocabulary: list | None  # what the tokens mean
    carried: dict[str, Array]  # the state that a model keeps between two windows
    file: Path | None = None  # where it was read from

    @property
    def place(self) -> str:
        """What a sentence about it begins with"""
        return "the checkpoint" if self.file is None else str(self.file)


# The state of a PCG64, numpy's default; those of other bit generators hold arrays, which JSON does not.
GENERATOR = fields(
    {
        "bit_generator": NAME,
        "state": fields({"state": whole(0, 2**128 - 1), "inc": whole(0, 2**128 - 1)}),
        "has_uint32": whole(0, 1),
        "uinteger": whole(0, 2**32 - 1),
    }
)
OPTIMIZER = fields({"name": NAME, "options": schema.ANYTHING, "steps": named(or_null(schema.COUNT))})
META = fields(
    {
        "model": NAME,
        "counters": schema.ANYTHING,
        "config": schema.ANYTHING,
        "vocabulary": {"type": ["array", "null"]},
        "generators": named(GENERATOR),
        "optimizer": or_null(OPTIMIZER),
    }
)
