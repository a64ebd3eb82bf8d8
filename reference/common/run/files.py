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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import checkpoint, checks
from ..checkpoint import schema
from ..checkpoint.schema import COUNT, TEXT, SchemaError

if TYPE_CHECKING:
    from .run import Counters

CONFIG, LOG, LAST, BEST = "config.json", "log.jsonl", "last.safetensors", "best.safetensors"
PICTURE, BOARD, LOCK = "training.png", "tensorboard", "run.lock"
Entry = dict[str, Any]  # of the log, as JSON has it
OF_ANY_RUN = {"application": TEXT, "about": TEXT}
MOST = 2**24  # bytes of config.json
NUMBER = schema.number(-1e300, 1e300)  # so that a mean of some can be drawn
ENTRY = {
    "type": "object",
    "required": ["step", "epoch", "time"],
    "properties": {"step": COUNT, "epoch": COUNT, "validation": schema.number(), "clipped": schema.FLAG}
    | dict.fromkeys(("time", "loss", "norm", "lr"), NUMBER),
    "dependencies": {"loss": ["norm", "clipped", "lr"]},
}


def read_config(folder: Path, wanted: schema.Schema | None = None) -> dict[str, Any] | None:
    """What config.json says; None where there is none.  UsageError: it is damaged, or not as it is wanted."""
    path = folder / CONFIG
    if not path.exists():
        return None
    try:
        if path.stat().st_size > MOST:
            raise SchemaError(f"it has more than {MOST} bytes")
        config = schema.parsed(path.read_bytes())
        schema.check(config, {"type": "object", "properties": OF_ANY_RUN})
        if wanted:
            schema.check(config, wanted)
            schema.finite(config, long=("seed",))
    except ValueError as e:
        raise checks.UsageError(
            f"{path} is damaged, or of another program: {e}; delete it, or begin a new run in another folder"
        ) from None
    return config


def read_log(path: str | Path, whole: bool = False) -> list[Entry]:
    """The entries of a log up to the first line that is none: the last one may have been cut off.

    UsageError: if it must be ``whole``, another line than the last one is none.
    """
    lines = Path(path).read_bytes().split(b"\n") if Path(path).exists() else []
    entries: list[Entry] = []
    check = schema.checker(ENTRY)
    for k, line in enumerate(lines[:-1] if lines and not lines[-1] else lines, 1):
        try:
            entries.append(as_entry(line, check))
        except ValueError as e:
            if whole and k < len(lines):
                raise checks.UsageError(f"{path}, line {k}, is none that a run wrote: {e}; delete the line, or the file") from None
            break
    return entries


def as_entry(line: bytes, check: Any) -> Entry:
    """ValueError: it is none."""
    entry = schema.parsed(line)
    check(entry, "")
    schema.finite({k: v for k, v in entry.items() if k != "validation"})  # which of a model that has gone astray is none
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
