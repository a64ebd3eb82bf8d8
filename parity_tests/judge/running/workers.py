"""Judging in processes of their own, several at a time: a crash or a hang costs its case, and nothing else.

A worker is given one case at a time and answers with its Result.  One that dies or takes too long is replaced, and one
that has judged as many cases as it may is too.  ``forkserver`` where there is one: a process that has loaded the judge,
and no adapter, is copied for each worker.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

import torch

from .. import verdicts
from ..cases import Case
from ..implementations import Implementation, resolve
from ..suite import Result, run_case
from .options import exact

Job = tuple[Implementation, Case]
PATIENCE_S = 5.0  # for a process that is to end by itself
TORCH_LAZY = "torch.fx.experimental.symbolic_shapes"  # what torch loads, in a second, at its first gradient
STARTUP_S = 300.0  # with a time limit: how long a process may take to load the adapter, which is in no case's time


class Setting(NamedTuple):
    """How cases are spread over processes."""

    processes: int = 1
    chunk: int | None = None  # cases a process judges before it is replaced; None: as many as there are
    timeout: float | None = None  # seconds for each case


class Worker:
    """A process, and the case that it is at."""

    def __init__(self, context: Any, job: Job, setting: Setting):
        self.setting, self.count = setting, 0
        self.pipe, theirs = context.Pipe()
        told = (theirs, job[0].name, job[1].spec.device, setting.processes, dict(os.environ))
        self.process = context.Process(target=serve, args=told)  # not a daemon: an adapter may have processes of its own
        self.process.start()
        theirs.close()
        with suppress(OSError):  # if it is dead already, heard() says so
            self.begin(job)
        self.limit(STARTUP_S)

    def begin(self, job: Job) -> None:
        """Send it a case.  OSError: it is no more."""
        self.job, self.count, self.begun = job, self.count + 1, time.monotonic()
        self.limit(self.setting.timeout)
        self.pipe.send((job[0].name, job[1]))

    def limit(self, seconds: float | None) -> None:
        """It must be heard of within so long, if there is any time limit."""
        self.seconds = None if self.setting.timeout is None else seconds
        self.deadline = None if self.seconds is None else time.monotonic() + self.seconds

    def heard(self) -> Result | None:
        """What it has sent, or what became of it; None: it is still at its case."""
        alive = self.process.is_alive()  # asked first: what it sent before it died counts
        try:
            if self.pipe.poll():
                answer = self.pipe.recv()
                if answer is None:  # it has loaded what it is to judge
                    self.limit(self.setting.timeout)
                return answer
        except (EOFError, OSError):
            alive = False
        if not alive:
            self.process.join(PATIENCE_S)
            return self.failed("crashed", ended(self.process.exitcode))
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return self.failed("timeout", f"longer than {self.seconds:g} s")
        return None

    def failed(self, why: str, detail: str) -> Result:
        self.stop()
        verdict = verdicts.refused("-", why, detail)
        return Result(self.job[0].name, self.job[1], (verdict,), seconds=time.monotonic() - self.begun)

    @property
    def usable(self) -> bool:
        return self.process.is_alive() and self.count != self.setting.chunk

    def retire(self) -> None:
        """Let it go by itself, which it does once nobody is at the other end."""
        self.pipe.close()
        self.process.join(PATIENCE_S)
        self.stop()

    def stop(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def judged(jobs: Iterable[Job], setting: Setting) -> Iterator[Result]:
    """The result of each job, as they come."""
    jobs = deque(jobs)
    context, workers = prepared(), list[Worker]()
    try:
        while jobs or workers:
            while jobs and len(workers) < setting.processes:
                workers.append(Worker(context, jobs.popleft(), setting))
            deadlines = [w.deadline for w in workers if w.deadline is not None]
            until = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
            wait([handle for w in workers for handle in (w.pipe, w.process.sentinel)], until)
            for worker in list(workers):
                if (result := worker.heard()) is None:
                    continue
                if not (jobs and worker.usable and given(worker, jobs)):
                    workers.remove(worker)
                    worker.retire()
                yield result
    finally:
        for worker in workers:
            worker.stop()


def given(worker: Worker, jobs: deque[Job]) -> bool:
    """Whether it took the next job; if it died meanwhile, the job stays where it was."""
    try:
        worker.begin(jobs[0])
    except OSError:
        return False
    jobs.popleft()
    return True


def prepared() -> Any:
    """How processes are started."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver  # not everywhere

    context, before = multiprocessing.get_context("forkserver"), dict(os.environ)
    context.set_forkserver_preload([TORCH_LAZY, run_case.__module__])
    os.environ |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONSAFEPATH": "1"}  # so that it finds what we did
    ctrl_c = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which is not for the server, from its first moment
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, ctrl_c)
        changed(before)
    return context


def changed(environment: Mapping[str, str]) -> None:
    """Make this the environment."""
    os.environ.clear()
    os.environ.update(environment)


def serve(pipe: Connection, first: str, device: str, processes: int, environment: Mapping[str, str]) -> None:
    """What a worker does, until there is nobody at the other end: load the first implementation, say so, and judge."""
    changed(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    if processes > 1:
        torch.set_num_threads(max(1, torch.get_num_threads() // processes))
    exact(device)
    load = cache(resolve)
    load(first)
    with suppress(EOFError, BrokenPipeError):
        pipe.send(None)
        while True:
            name, case = pipe.recv()
            pipe.send(run_case(load(name), case))


def ended(status: int | None) -> str:
    """How a process came to its end: "signal 11 (SIGSEGV)", "exit status 3"; None: it has not, but is out of reach."""
    if status is None:
        return "it closed the connection to the judge"
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"signal {-status}"
