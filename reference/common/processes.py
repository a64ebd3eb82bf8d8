"""The processes of one run.  Here there is one; torch_impl/common/processes.py has the same for several.  notes/training/loop.md"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any


class SilentError(Exception):
    """Something went wrong, and another process of the run says what."""


class Alone:
    """The one process of a run."""

    rank, world, leader = 0, 1, True
    start = "python -m"     # how a person starts it

    def agreed(self, value: Any) -> Any:
        """The value, once every process has come here with the same; of several, UsageError if they differ."""
        return value

    def first(self, value: Any) -> Any:
        """The value of the first process."""
        return value

    def wrap(self, model: Any) -> Any:
        """The model as ``train`` takes it."""
        return model


def alone(given: dict) -> AbstractContextManager[Alone]:
    """The group that a command with these options is one of, as a context."""
    return nullcontext(Alone())
