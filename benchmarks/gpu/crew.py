"""Work in processes of their own, where one thing that crashes or hangs costs itself and nothing else.

Tasks that share something costly, such as what is right on one case, are a group: a process does them one after another.
A process that dies, takes too long, or has lost its device (after an illegal access nothing works there any more) is
replaced by a new one.  Processes are spawned: a CUDA context does not survive a fork.
"""

import multiprocessing
import time
import traceback
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

FINE = ("ok", "declined")
LOST = ("crashed", "timeout")
PATIENCE = 2  # of these, after which nothing more is asked of an implementation
STARTUP_S = 60.0  # in which a process must have loaded torch and found the device
Row = dict[str, Any]


def with_torch(alone: bool) -> None:
    """Load torch, without TF32, and without what it says of the CPU; on one processor if there are other processes."""
    import torch

    from torch_impl.common.precision import allow_tf32

    warnings.filterwarnings("ignore", "TF32 acceleration on top of oneDNN")
    warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")
    if not alone:
        torch.set_num_threads(1)
    allow_tf32(False)


def gone(device: str) -> str:
    """Why nothing can be computed on the device any more; empty if it can."""
    if not device.startswith("cuda"):
        return ""
    import torch

    try:
        torch.cuda.synchronize()
        torch.ones(1, device=device).add_(1).cpu()
    except Exception as e:
        return str(e).splitlines()[0]
    return ""


class Task(NamedTuple):
    """One implementation on one thing."""

    about: Row  # what is known beforehand; "implementation" says of whom
    arguments: tuple


@dataclass
class Setting:
    """How the work is done."""

    work: Callable[..., Row]  # of a module, as processes find it by its name; may raise
    device: str = "cpu"
    processes: int = 1
    seconds: float = 20.0  # for each task
    until: float = float("inf")  # by time.monotonic()
    prepare: Callable[[bool], object] = with_torch  # in each process, first of all; told whether it is the only one
    gone: Callable[[str], str] = gone  # asked after each failure: why the device is, if it is
    lost: Counter[str] = field(default_factory=Counter)  # how often an implementation was


class Worker:
    """A process, the tasks of its group, and the one that it is at."""

    def __init__(self, setting: Setting):
        self.setting, self.tasks = setting, deque[Task]()
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, setting), daemon=True)
        self.process.start()
        theirs.close()
        self.extra = STARTUP_S

    def begin(self) -> None:
        self.task = self.tasks.popleft()
        self.deadline = time.monotonic() + self.setting.seconds + self.extra
        with suppress(OSError):  # if it is dead already, heard() says so
            self.pipe.send(self.task.arguments)

    def heard(self) -> Row | None:
        """What became of its task; None: it is still at it."""
        alive = self.process.is_alive()  # asked first: what it sent before it died counts
        try:
            if self.pipe.poll():
                answer = self.pipe.recv()
                if answer is not None:
                    return self.task.about | answer
                self.deadline, self.extra = time.monotonic() + self.setting.seconds, 0.0  # it is ready
        except (EOFError, OSError):
            alive = False
        if not alive:
            self.process.join(1)
            return self.task.about | {"status": "crashed", "reason": f"its process ended with {self.process.exitcode}"}
        if time.monotonic() >= self.deadline:
            return self.task.about | {"status": "timeout", "reason": f"longer than {self.setting.seconds + self.extra:g} s"}
        return None

    def stop(self) -> None:
        self.process.kill()
        self.process.join(1)
        self.pipe.close()


def judged(groups: Iterable[Iterable[Task]], setting: Setting) -> Iterator[Row]:
    """A row for each task, as they come, until all is done or the time is over."""
    waiting, workers = deque(map(deque, groups)), list[Worker]()
    try:
        while (waiting or workers) and time.monotonic() < setting.until:
            while waiting and len(workers) < setting.processes:
                workers.append(Worker(setting))
                yield from moved_on(workers[-1], waiting, workers)
            until = min([setting.until, *(w.deadline for w in workers)])
            wait([h for w in workers for h in (w.pipe, w.process.sentinel)], max(0.0, until - time.monotonic()))
            for worker in list(workers):
                if (row := worker.heard()) is None:
                    continue
                yield row
                if row["status"] in LOST:
                    setting.lost[row["implementation"]] += 1
                    waiting.appendleft(worker.tasks)
                    worker.stop()
                    workers.remove(worker)
                else:
                    yield from moved_on(worker, waiting, workers)
    finally:
        for worker in workers:
            worker.stop()


def moved_on(worker: Worker, waiting: deque[deque[Task]], workers: list[Worker]) -> Iterator[Row]:
    """Give a process its next task, or let it go; the rows of tasks that are left out."""
    while worker.tasks or waiting:
        worker.tasks = worker.tasks or waiting.popleft()
        if not worker.tasks:
            continue
        if worker.setting.lost[worker.tasks[0].about["implementation"]] < PATIENCE:
            worker.begin()
            return
        yield worker.tasks.popleft().about | {"status": "skipped", "reason": f"it was lost {PATIENCE} times before"}
    worker.stop()
    workers.remove(worker)


def serve(pipe: Connection, setting: Setting) -> None:
    """What a process does, until there is nobody at the other end."""
    setting.prepare(setting.processes == 1)
    with suppress(EOFError, BrokenPipeError):
        pipe.send(None)
        while True:
            row = done(setting.work, pipe.recv())
            if row["status"] not in FINE and (why := setting.gone(setting.device)):
                pipe.send(row | {"status": "crashed", "reason": f"{row.get('reason', '')}; then the device was gone: {why}"})
                return
            pipe.send(row)


def done(work: Callable[..., Row], arguments: tuple) -> Row:
    """The row of one task; what it raises is kept whole, for whoever mends it."""
    try:
        return work(*arguments)
    except Exception as e:
        return raised(e)


def raised(e: BaseException) -> Row:
    """A row's status, reason and traceback."""
    text = "".join(traceback.format_exception(e))
    return {"status": "error", "reason": " ".join(f"{type(e).__name__}: {e}".split())[:300], "traceback": text[-4000:]}
