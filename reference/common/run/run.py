"""What a training loop asks and tells a run, the same for both backends: counters, log, checkpoints, stopping."""

import json
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import KW_ONLY, dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from .. import checks
from ..output import about
from ..screen.prose import say
from .files import BEST, LAST, LOG, Entry, cut_log

SIGNALS = signal.SIGINT, signal.SIGTERM  # Ctrl-C, and what asks a program to end


class NonFiniteError(FloatingPointError):
    """The loss, a gradient or a weight is inf or NaN."""


class Counters(NamedTuple):
    epoch: int = 0  # passes over the data that are complete
    batch: int = 0  # batches of this pass that are done
    step: int = 0  # optimiser steps so far
    best: float = math.inf  # lowest validation loss
    waited: int = 0  # evaluations since then


class Result(NamedTuple):
    losses: list[float]  # of each step of this call
    norms: list[float]  # of the gradients, before clipping
    evaluations: list[float]  # validation loss after each epoch of this call
    counters: Counters
    stopped: str  # "finished", "steps", "patience" or "interrupted"


@dataclass
class Run:
    """One run, as a context: inside it, Ctrl-C or SIGTERM asks for a stop after the step; a second one stops at once.

    A run that has no folder then ends by KeyboardInterrupt: nothing was saved, and nobody should take it for a whole one.
    """

    write: Callable[[Path, Counters], None]  # a checkpoint of everything; called in all processes
    place: str | Path | None  # the folder, None for a run that leaves nothing
    counters: Counters  # where to go on
    count: int  # of epochs
    _: KW_ONLY
    save_every: int | None = None  # a checkpoint after each so many steps, besides the one after each epoch
    steps: int | None = None  # stop when so many have been taken in all
    patience: int | None = None  # stop after so many evaluations without a lower loss
    progress: bool = False  # draw a bar on the terminal; needs rich
    how: str = "call train again with resume=True"  # what to tell a person who wants to go on
    leader: bool = True  # whether this process writes the log and talks; of several processes one does
    agree: Callable[[bool], bool] = bool  # whether any process was asked to stop, so that all stop after the same step
    tell: Callable[[Entry], None] = lambda entry: None  # is given each entry of the log, {"stopped": ...} at the end

    def __post_init__(self) -> None:
        checks.positive_or_zero("epochs", self.count)
        checks.positive_or_zero("steps", 0 if self.steps is None else self.steps)
        checks.positive_int("save_every", 1 if self.save_every is None else self.save_every)
        checks.positive_int("patience", 1 if self.patience is None else self.patience)
        self.folder = None if self.place is None else Path(self.place)
        self.losses: list[float] = []
        self.norms: list[float] = []
        self.evaluations: list[float] = []
        self.stopped, self._interrupted = "", False
        self._bar = bar() if self.progress and self.leader else None
        if self.folder is not None and self.leader:
            self.folder.mkdir(parents=True, exist_ok=True)
            cut_log(self.folder / LOG, self.counters)

    # The loop asks.

    def epochs(self) -> Iterator[int]:
        """The passes that are still to do."""
        while not self.stopped and self.counters.epoch < self.count:
            if self._stop_now():
                break
            yield self.counters.epoch
        self.stopped = self.stopped or "finished"

    def batches(self, batches: Iterable) -> Iterator:
        """Those of this pass that are still to do; ends early where the run stops.  ValueError: the pass has none at all."""
        total = len(batches) if isinstance(batches, Sized) else None
        epoch = f"epoch {self.counters.epoch + 1}/{self.count}"
        task = self._bar and self._bar.add_task(epoch, total=total, completed=self.counters.batch)
        for batch in islice(batches, self.counters.batch, None):
            yield batch
            if self._bar:
                self._bar.update(task, advance=1, description=f"{epoch}  loss {self.losses[-1]:.4f}")
            if self._stop_now():
                break
        if not self.counters.batch:
            raise ValueError(f"batches({self.counters.epoch}) must give at least one batch, got none")
        if self._bar:
            self._bar.remove_task(task)

    def _stop_now(self) -> bool:
        if self.agree(self._interrupted):
            self.stopped = "interrupted"
        elif self.steps is not None and self.counters.step >= self.steps:
            self.stopped = "steps"
        elif self.patience is not None and self.counters.waited >= self.patience:
            self.stopped = "patience"
        return bool(self.stopped)

    # The loop tells.

    def check(self, loss: float, norm: float, culprits: Callable[[], list[str]]) -> None:
        """NonFiniteError if the loss or the norm of the gradients is not finite; ``culprits`` names the gradients."""
        n = self.counters.step + 1
        if not math.isfinite(loss):
            raise NonFiniteError(f"step {n}: the loss is {loss}{self._last_good()}")
        if not math.isfinite(norm):
            names = ", ".join(culprits())
            what = f"the gradient of {names} is not finite" if names else "the norm of the gradients overflows"
            raise NonFiniteError(f"step {n}: {what}{self._last_good()}")

    def stepped(self, loss: float, norm: float, lr: float, clipped: bool) -> None:
        """A step was taken."""
        self.counters = self.counters._replace(batch=self.counters.batch + 1, step=self.counters.step + 1)
        self.losses.append(loss)
        self.norms.append(norm)
        self._log(loss=loss, norm=norm, clipped=bool(clipped), lr=lr)
        if self.save_every and self.counters.step % self.save_every == 0:
            self.save(LAST)

    def epoch_done(self, validation: float | None) -> None:
        """A pass is complete; ``validation`` is its loss on other data, if there are any."""
        c = self.counters = self.counters._replace(epoch=self.counters.epoch + 1, batch=0)
        if validation is not None:
            self.evaluations.append(validation)
            better = validation < c.best
            c = self.counters = c._replace(best=validation if better else c.best, waited=0 if better else c.waited + 1)
            self._log(validation=validation)
            if better:
                self.save(BEST)
        self.save(LAST)

    def save(self, name: str) -> None:
        """A checkpoint of this name, if the run has a folder."""
        if self.folder is not None:
            self.write(self.folder / name, self.counters)

    def result(self) -> Result:
        return Result(self.losses, self.norms, self.evaluations, self.counters, self.stopped)

    def _last_good(self) -> str:
        path = None if self.folder is None else self.folder / LAST
        return f"; the last good checkpoint is {path}" if path is not None and path.exists() else ""

    # The log.

    def _log(self, **values: float) -> None:
        entry = {"step": self.counters.step, "epoch": self.counters.epoch, **values, "time": round(time.time(), 3)}
        if self.leader and self.folder is not None:
            with about(self.folder / LOG), (self.folder / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        if self.leader:
            self.tell(entry)

    # The context.

    def __enter__(self) -> "Run":
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = {s: signal.signal(s, self._ask) for s in SIGNALS}
        if self._bar:
            self._bar.start()
        return self

    def _ask(self, *_: object) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        if self.leader:
            self.tell({"stopped": self.stopped})
        if self._main:
            for s, before in self._before.items():
                signal.signal(s, before)
        if kind is not None or self.stopped not in ("interrupted", "steps"):
            return
        self.save(LAST)
        if self.stopped == "interrupted":
            if self.folder is None:
                raise KeyboardInterrupt
            if self.leader:
                place = f"step {self.counters.step}: saved in {self.folder / LAST}"
                say(f"stopped after {place}; to go on, {self.how}", file=sys.stderr)


def bar() -> Any:
    """rich's progress bar, on stderr.  ModuleNotFoundError: rich is not installed."""
    from rich.console import Console  # only the bar needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)
