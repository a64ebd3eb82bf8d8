"""A run's log for TensorBoard, as tensorboardX writes it: ``tensorboard --logdir FOLDER``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..checks import UsageError
from ..extras import lacking
from .files import BOARD, Entry, read_log

SCALARS = {"loss": "loss/training", "validation": "loss/validation", "norm": "gradients/norm", "lr": "learning_rate"}
Tell = Callable[[Entry], None]


@contextmanager
def board(log: Path, wanted: bool, tell: Tell = lambda entry: None) -> Iterator[Tell]:
    """``tell``, which besides writes each entry of the log to ``tensorboard/`` beside it, with what the log holds already.

    UsageError: tensorboardX is not installed.
    """
    if not wanted:
        yield tell
        return
    if sentence := lacking("tensorboard", "tensorboardX"):
        raise UsageError(f"--tensorboard: {sentence}")
    from tensorboardX import SummaryWriter  # only who asks needs it

    for file in (log.parent / BOARD).glob("events.*"):
        file.unlink()
    with SummaryWriter(str(log.parent / BOARD)) as writer:
        begun = False

        def both(entry: Entry) -> None:
            nonlocal begun
            for e in [entry] if begun else read_log(log):  # the first time, all that a run which goes on has kept
                for name in SCALARS.keys() & e.keys():
                    writer.add_scalar(SCALARS[name], e[name], e["step"], walltime=e["time"])
            begun = True
            tell(entry)

        yield both
