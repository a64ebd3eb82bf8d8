"""Where a run goes on: its last checkpoint, and what it has counted, held against one another before anything is used."""

from pathlib import Path

from .. import checkpoint
from ..checkpoint import Checkpoint, CheckpointError
from ..checkpoint.schema import COUNT, fields, number
from .files import LAST, LOG, read_log
from .run import Counters

COUNTERS = fields({"epoch": COUNT, "batch": COUNT, "step": COUNT, "best": number(), "waited": COUNT})


def last(folder: str | Path) -> tuple[Checkpoint, Counters] | None:
    """The last checkpoint of a folder and its counters; None where there is none.

    CheckpointError: it is damaged.  UsageError: the log is.
    """
    path = Path(folder) / LAST
    if not path.exists():
        return None
    saved = checkpoint.load(path)
    read_log(Path(folder) / LOG, whole=True)
    return saved, counters(saved)


def counters(saved: Checkpoint) -> Counters:
    """CheckpointError: they are none, or do not fit each other."""
    checkpoint.require(saved, counters=COUNTERS)
    c = Counters(**saved.counters)
    for name, least in (("step", c.epoch + c.batch), ("epoch", c.waited)):
        if getattr(c, name) < least:
            raise CheckpointError(f"{saved.place} is damaged: counters.{name} must be at least {least}, got {getattr(c, name)}")
    return c
