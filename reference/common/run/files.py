"""The files of a run's folder.

config.json          the application, the options, and what the data were
log.jsonl            a line for each step and each evaluation
last.safetensors     the newest checkpoint, from which a run goes on
best.safetensors     the one with the lowest validation loss
training.png         losses, norms, share of clipped steps
tensorboard/         the same for TensorBoard, if asked
run.lock             whose it is while it trains
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import checkpoint, checks

if TYPE_CHECKING:
    from .run import Counters

CONFIG, LOG, LAST, BEST = "config.json", "log.jsonl", "last.safetensors", "best.safetensors"
PICTURE, BOARD, LOCK = "training.png", "tensorboard", "run.lock"
Entry = dict[str, Any]  # of the log, as JSON has it


def read_config(folder: Path) -> dict[str, Any] | None:
    """What config.json says; None where there is none.  UsageError: it is damaged."""
    path = folder / CONFIG
    if not path.exists():
        return None
    try:
        config = json.loads(path.read_bytes())
        assert isinstance(config, dict)
    except (ValueError, AssertionError):
        raise checks.UsageError(f"{path} is damaged, or of another program: delete it, or name another folder") from None
    return config


def read_log(path: str | Path) -> list[Entry]:
    """The entries of a log up to the first line that is none: the last one may have been cut off."""
    lines = Path(path).read_bytes().splitlines() if Path(path).exists() else []
    entries: list[Entry] = []
    with suppress(ValueError):
        for line in lines:
            entries.append(as_entry(line))
    return entries


def as_entry(line: bytes) -> Entry:
    """ValueError: it is none."""
    entry = json.loads(line)
    if not (isinstance(entry, dict) and all(isinstance(entry.get(k), (int, float)) for k in ("step", "epoch", "time"))):
        raise ValueError
    return entry


def cut_log(path: Path, counters: "Counters") -> None:
    """Drop what a run that went further than its last checkpoint has written, or all if this run is a new one."""
    kept = [e for e in read_log(path) if (e["step"], e["epoch"]) <= (counters.step, counters.epoch)]
    if path.exists():
        checkpoint.write(path, "".join(json.dumps(e) + "\n" for e in kept if e["step"]).encode())


def find(path: str) -> Path:
    """The checkpoint of a run: the best one, or the last if none was evaluated.  UsageError: there is none."""
    p = Path(path)
    if not p.exists():
        raise checks.UsageError(f"{p} does not exist; train a model first, or name its folder by --run")
    for file in (p / BEST, p / LAST) if p.is_dir() else (p,):
        if file.exists():
            return file
    raise checks.UsageError(f"{p} has no checkpoint: neither {BEST} nor {LAST}")
