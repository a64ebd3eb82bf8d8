"""The processes of one run: here it is one.  torch_impl/training/processes.py has those that torchrun starts."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from ..common.checks import UsageError

V = TypeVar("V")


class Alone:
    """The one process of a run."""

    rank, world, leader = 0, 1, True
    start = "python -m"     # how a person starts it

    def agreed(self, value: V) -> V:
        """The value, once every process has come here with the same; of several, UsageError if they differ."""
        return value

    def first(self, value: V) -> V:
        """The value of the first process."""
        return value

    def wrap(self, model: Any) -> Any:
        """The model as ``train`` takes it."""
        return model


def none_but_one(processes: int, module: str, arguments: list[str]) -> int:
    """UsageError: NumPy trains in one process."""
    raise UsageError(f"--processes {processes} is for the other side, python -m torch_impl.{module.rpartition('.')[2]}")


def alone(options: dict) -> AbstractContextManager[Alone]:
    """The group that a command with these options is one of, as a context."""
    return nullcontext(Alone())
