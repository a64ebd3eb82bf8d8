"""Whose folder it is: one run lives in it, and one process at a time writes there."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from .. import checkpoint
from ..checks import UsageError
from .files import BEST, BOARD, CONFIG, LAST, LOCK, LOG, PICTURE, read_config, read_log

FILES = CONFIG, LOG, LAST, BEST, f"{LAST}.*", f"{BEST}.*", PICTURE, f"{BOARD}/events.*"  # of every run


class Application(NamedTuple):
    """Whose runs they are, and what else it writes into their folders."""

    name: str
    results: Sequence[str] = ()  # patterns of file names


class Folder(NamedTuple):
    """A folder that this process has for itself."""

    path: Path
    application: Application

    def begin(self, config: dict[str, Any], *, resume: bool, first: Callable[[Path], None] | None = None) -> None:
        """Drop what an earlier run left there, unless that goes on; write a ``first`` checkpoint, if any, and config.json."""
        for file in () if resume else held(self.path, self.application):
            file.unlink(missing_ok=True)
        if first:
            first(self.path / LAST)
        text = json.dumps({"application": self.application.name, **config}, indent=1, ensure_ascii=False) + "\n"
        checkpoint.write(self.path / CONFIG, text.encode(errors="backslashreplace"))  # names of files that are no text


def held(folder: Path, application: Application) -> list[Path]:
    """The files of a run of this application that a folder holds."""
    return sorted(file for pattern in (*FILES, *application.results) for file in folder.glob(pattern))


@contextmanager
def claimed(folder: Path, application: Application, *, resume: bool = False, overwrite: bool = False) -> Iterator[Folder]:
    """The folder of a run, made if need be, for this process alone; nothing of a run in it has been touched yet.

    UsageError: it cannot be made, another process has it, or it holds a run that nobody asked to go on with or to drop.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UsageError(f"{folder} cannot be made: {e.strerror}") from None
    try:
        with locked(folder):
            check(folder, application, resume, overwrite)
            yield Folder(folder, application)
    finally:
        if made:
            with suppress(OSError):  # what could not begin leaves nothing
                folder.rmdir()


def check(folder: Path, application: Application, resume: bool, overwrite: bool) -> None:
    """UsageError: the folder holds a run that this one must not go on with, or must not drop; or files that only look like it.

    So does a log that no run wrote, where one is to go on.
    """
    there = held(folder, application)
    config = read_config(folder) or {}
    whose = config.get("application", application.name)
    if there and "application" not in config and not {LOG, LAST, BEST} & {file.name for file in there}:
        raise UsageError(f"{folder} holds a {there[0].name} and no run: delete it, or name another folder by --run")
    if whose != application.name:
        raise UsageError(f"{folder} holds a run of {whose}, not of {application.name}: name another folder by --run")
    if there and not (resume or overwrite):
        raise UsageError(
            f"{folder} holds a run already ({there[0].name}): go on with it by --resume, drop it by --overwrite, "
            "or name another folder by --run"
        )
    if resume:
        read_log(folder / LOG, whole=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone in a folder.  UsageError: another process is there, with its number and machine; one that is gone is not."""
    from filelock import SoftFileLock, Timeout  # only an application needs it

    lock = SoftFileLock(folder / LOCK)
    try:
        acquire(lock, folder / LOCK)
    except Timeout:
        raise UsageError(f"{folder} is in use{holder(folder / LOCK)}; wait for its end, or name another folder by --run") from None
    except OSError as e:
        raise UsageError(f"{folder} cannot be written to: {e.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def acquire(lock: Any, file: Path) -> None:
    """Timeout: another process has it.  One that is gone has not, also if it was killed before its number was in the file."""
    from filelock import Timeout

    try:
        lock.acquire(timeout=0.5, poll_interval=0.05)  # the first try takes away what a dead process left
    except Timeout:
        if file.exists() and file.read_bytes():
            raise
        file.unlink(missing_ok=True)
        lock.acquire(timeout=0.5, poll_interval=0.05)


def holder(lock: Path) -> str:
    """Who has a lock, in words."""
    with suppress(OSError, ValueError):
        pid, host, *_ = lock.read_text(encoding="utf-8").split("\n")
        return f" by process {int(pid)} on {host} (if that is gone, delete {lock})"
    return f" by another process (if that is gone, delete {lock})"
