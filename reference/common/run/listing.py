"""``runs``: the runs below a folder with their figures, whichever application and side they are of."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..checkpoint import schema
from ..checks import UsageError
from ..screen.prose import columns
from .files import BEST, CONFIG, LAST, LOCK, LOG, read_config, read_log

FIGURE = schema.or_null(schema.number())
SUMMARY = {"type": "object", "required": ["summary"], "properties": {"summary": schema.named(FIGURE)}}
SYNCHRONIZE, NO_SUCH_PROCESS = 0x100000, 87  # of Windows
COLUMNS = {
    "run": "run",
    "application": "application",
    "about": "what",
    "steps": "steps",
    "validation": "validation",
    "state": "state",
}


def runs(folder: Path) -> list[dict[str, Any]]:
    """One entry for each run at or below a folder.  UsageError: there is no such folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name one that holds runs")
    return list(entries(folder))


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.rglob(CONFIG)):
        with suppress(UsageError, OSError):  # what cannot be read hides none of the others
            config = read_config(file.parent) or {}
            if "application" in config:
                yield entry(file.parent, config)


def entry(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Where it is, what it is, how far, its lowest validation loss, and the figures that ``evaluate`` left."""
    log = read_log(folder / LOG)
    losses = [e["validation"] for e in log if "validation" in e]
    return {
        "run": str(folder),
        "application": config["application"],
        "about": config.get("about", ""),
        "steps": log[-1]["step"] if log else 0,
        "validation": min(losses) if losses else None,
        "state": state(folder),
        "seconds": round(log[-1]["time"] - log[0]["time"], 1) if log else None,
        "figures": {part: figures for part in ("validation", "test") if (figures := evaluated(folder / f"{part}.json"))},
    }


def state(folder: Path) -> str:
    if in_use(folder / LOCK):
        return "in use"
    return "trained" if (folder / BEST).exists() else "begun" if (folder / LAST).exists() else "no checkpoint"


def in_use(lock: Path) -> bool:
    """Whether somebody has it: a process of another machine is believed to be there, one of this machine is looked for."""
    try:
        pid, host, *_ = lock.read_text(encoding="utf-8").split("\n")
        if host != socket.gethostname() or int(pid) <= 0:
            return True
        look_for(int(pid))
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, ValueError, OverflowError):
        return True
    return True


def look_for(pid: int) -> None:
    """ProcessLookupError: no process of this machine has the number."""
    if sys.platform != "win32":
        return os.kill(pid, 0)
    import ctypes  # there signal 0 is Ctrl-C

    kernel = ctypes.windll.kernel32
    process = kernel.OpenProcess(SYNCHRONIZE, False, pid)
    if not process and kernel.GetLastError() == NO_SUCH_PROCESS:
        raise ProcessLookupError(pid)
    if process:
        ended = kernel.WaitForSingleObject(process, 0) == 0
        kernel.CloseHandle(process)
        if ended:
            raise ProcessLookupError(pid)
    return None


def evaluated(file: Path) -> dict[str, Any]:
    """The summary of an evaluation; empty where there is none, or something else."""
    try:
        found = schema.parsed(file.read_bytes())
        schema.check(found, SUMMARY)
    except (OSError, ValueError):
        return {}
    return found["summary"]


def answer(folder: Path | str) -> list[dict[str, Any]]:
    """The verb of both applications."""
    found = runs(Path(folder))
    show(found)
    return found


def show(found: list[dict[str, Any]]) -> None:
    """The runs as a table on the terminal."""
    from rich.console import Console  # only the table needs it

    from ..screen.table import Fitting

    table = Fitting(box=None, header_style="bold")
    for title in (*COLUMNS.values(), "test"):
        table.add_column(title, justify="right" if title in ("steps", "validation") else "left", overflow="fold")
    for e in found:
        test = "  ".join(f"{k} {v:.4g}" for k, v in e["figures"].get("test", {}).items() if v is not None)
        table.add_row(*("" if e[k] is None else f"{e[k]:.4f}" if isinstance(e[k], float) else str(e[k]) for k in COLUMNS), test)
    width = None if columns(sys.stdout) else 200  # a file or a pipe breaks no lines
    Console(width=width).print(table if found else "no runs", highlight=False)
