"""What the studies of numpy.fast, ``profile`` and ``tricks``, have in common; and the result files of those whose rows are
no benchmarks of implementations: the same head, a format of their own each.

A study is a JSON object with ``format``, ``version``, ``command``, ``started``, ``machine``, ``environment`` and ``limits``
as in a result file, and ``rows`` as its own rule says.  One file for each machine, in benchmarks/results/FORMAT/.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reference.char_lm.options import above_zero

from .run import limits, machine, results
from .run.results import ResultError, is_kind, problems
from .what.config import PHASES
from .what.presets import CELLS

FOLDER = Path(__file__).parent / "results"
HEAD = ("format", "version", "command", "started", "machine", "environment", "limits", "rows")


def parser(name: str, doc: str, seconds: float, of: str) -> argparse.ArgumentParser:
    """The options that the studies share; ``doc`` is the module's, ``of`` what ``--seconds`` is spent on."""
    first, _, rest = doc.partition("\n\n")
    made = argparse.ArgumentParser(prog=f"python -m benchmarks {name}", description=first.partition(": ")[2], epilog=rest,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--cell", action="append", choices=CELLS, help="may be repeated (default: all)")
    made.add_argument("--phase", action="append", choices=PHASES, help="may be repeated (default: both)")
    made.add_argument("--seconds", type=above_zero, default=seconds, help=f"of measuring, per {of} (default: %(default)s)")
    made.add_argument("--out", type=Path, metavar="FILE", default=Path(f"out/{name}.json"), help="(default: %(default)s)")
    return made


def command(name: str, args: argparse.Namespace, *more: str) -> str:
    """How to measure the same again."""
    words = [w for option in ("cell", "phase") for v in getattr(args, option) or () for w in (f"--{option}", v)]
    return " ".join([f"python -m benchmarks {name}", *words, *more, "--out", shown(args.out)])


def new(format_: str, command: str) -> dict[str, Any]:
    """A study before anything was measured, but for what the machine itself can do."""
    made = results.new("", command, machine.machine(), machine.environment())
    made |= {"format": f"bptt-{format_}", "version": 1, "limits": {"cpu": limits.measure("cpu", ["float32", "float64"])}}
    return {key: made[key] for key in HEAD}


def read(path: Path, format_: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    """A study from its file; ``rule`` is the schema of a row.

    Raises
    ------
    ResultError
        The file cannot be read, or is not a whole study of this format.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise ResultError(f"{path}: cannot be read: {' '.join(str(e).split())}") from e
    if not is_kind(found, "object") or (found.get("format"), found.get("version")) != (f"bptt-{format_}", 1):
        raise ResultError(f"{path}: is no file of python -m benchmarks {format_}, version 1")
    whole = {"type": "object", "required": list(HEAD), "properties": {"rows": {"type": "array", "items": rule}}}
    for problem in problems(found, whole):
        raise ResultError(f"{path}: is broken: {problem}")
    return found


def files(format_: str, rule: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(name of the machine, study) for each file of the repository."""
    return [(path.stem, read(path, format_, rule)) for path in sorted((FOLDER / format_).glob("*.json"))]


def place(name: str, found: Mapping[str, Any]) -> str:
    """Where a study was made, for the line above its table."""
    env, of = found["environment"], found["machine"]
    n, versions = env["torch_threads"], f"NumPy {env['numpy']}, torch {env['torch']}"
    return f"{name}: {of['processor']}, {of['cores']} core{'s' * (of['cores'] != 1)}, {n} thread{'s' * (n != 1)}, {versions}"


def shown(path: Path) -> str:
    """A path for a command that others will run: as it was given, but without the folders of this machine."""
    return path.name if path.is_absolute() else path.as_posix()
