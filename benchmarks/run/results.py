"""The rows of a result file, and the file: written atomically, validated against schema.json on read."""

import gzip
import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from numbers import Real
from pathlib import Path
from types import NoneType
from typing import Any

from reference.common.command import is_out_of_memory
from reference.common.output import about

from ..what.config import Config
from . import clock
from .roofline import Limits, fraction_of_limit

FORMAT, VERSION = "bptt-benchmark", 1
SCHEMA = Path(__file__).parents[1] / "schema.json"
KINDS = {"object": dict, "array": list, "string": str, "integer": int, "number": Real, "boolean": bool, "null": NoneType}
KEYWORDS = {"type", "const", "enum", "minimum", "required", "properties", "additionalProperties", "items", "title", "description"}

Result = dict[str, Any]  # what a file holds
Row = dict[str, Any]  # one of its rows


class ResultError(ValueError):
    """A result file that cannot be read, is broken, or is not one."""


def new(preset: str, command: str, machine: Mapping, environment: Mapping) -> Result:
    """A result file's contents before anything was measured."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "preset": preset,
        "command": command,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "environment": environment,
        "limits": {},
        "rows": [],
    }


def row(
    config: Config, implementation: str, phase: str, samples: Sequence[float], limits: Mapping[str, Limits], **known: object
) -> Row:
    """A row, with a time if there are samples; what is not known is None."""
    own = {"case": asdict(config), "implementation": implementation, "phase": phase, "status": "ok", "reason": ""}
    flops, traffic = config.flops(phase), config.bytes(phase)
    cells: Row = own | dict.fromkeys(("parity", "kernel", "compile_s", "seconds", "rounds", "peak_bytes", "joules"))
    cells |= {"flops": flops, "bytes": traffic, "gflops": None, "fraction_of_limit": None, "limit": None} | known
    if cells["parity"] is not None and not math.isfinite(cells["parity"]):
        cells["parity"] = None  # JSON has no infinity
    if samples:
        cells["seconds"] = clock.summary(samples)
        if median := cells["seconds"]["median"]:
            fraction, limit = fraction_of_limit(flops, traffic, median, config.dtype, limits[config.device])
            cells |= {"gflops": flops / median / 1e9, "fraction_of_limit": fraction, "limit": limit}
    return cells


def failure(e: BaseException) -> Row:
    """The status and reason of a row without a time."""
    reason = " ".join(f"{type(e).__name__}: {e}".split())
    return {"status": "out of memory" if is_out_of_memory(e) else "error", "reason": reason[:300]}


def identity(row: Row) -> tuple[str, str, str]:
    """What makes a row one and the same: implementation, phase and all of case."""
    return row["implementation"], row["phase"], json.dumps(row["case"], sort_keys=True)


def write(path: Path, result: Result) -> None:
    """Replace the file in one step: whoever reads it, or is killed here, has the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    content = text(result).encode()
    try:
        with about(path), temporary.open("wb") as f:
            f.write(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def text(result: Result) -> str:
    """The file: a line for each row, so that files can be compared and merged."""
    head = json.dumps({k: v for k, v in result.items() if k != "rows"}, indent=1, allow_nan=False)
    rows = ",\n".join("  " + json.dumps(row, allow_nan=False) for row in result["rows"])
    return head.removesuffix("\n}") + ',\n "rows": [\n' + rows + "\n ]\n}\n"


def read(path: Path) -> Result:
    """Read and validate a result file; one whose name ends in .gz is unpacked.

    ResultError, with a line that says where: it cannot be read, is no JSON, no result file, of another version, or not as
    the schema says.
    """
    try:
        content = path.read_bytes()
        result = json.loads((gzip.decompress(content) if path.suffix == ".gz" else content).decode())
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as e:
        raise ResultError(f"{path}: cannot be read: {getattr(e, 'strerror', None) or e}") from e
    except json.JSONDecodeError as e:
        raise ResultError(f"{path}: is broken: no JSON from line {e.lineno}, column {e.colno} on") from e
    validate(result, str(path))
    return result


def validate(result: object, name: str) -> None:
    """Raise ResultError, in one line that begins with ``name``, if this is not what the schema says."""
    if not isinstance(result, dict) or result.get("format") != FORMAT:
        raise ResultError(f"{name}: is not a result file of python -m benchmarks run")
    if result.get("version") != VERSION:
        raise ResultError(f"{name}: has version {result.get('version')!r} of the format; this program reads {VERSION}")
    for problem in problems(result, schema()):
        raise ResultError(f"{name}: is broken: {problem}")
    seen = set()
    for number, row in enumerate(result["rows"]):
        if identity(row) in seen:
            raise ResultError(f"{name}: is broken: rows[{number}] was there before: {row['implementation']}, {row['phase']}")
        seen.add(identity(row))


@cache
def schema() -> dict[str, Any]:
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def problems(value: object, rule: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """What is not as a schema says, of the schema language just what schema.json uses: a library for all of it is not
    everywhere, and all must see the same errors."""
    here = where or "the file"
    kinds = [rule["type"]] if isinstance(rule.get("type"), str) else rule.get("type", [])
    fits = (isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in kinds)
    if kinds and not any(fits):
        yield f"{here} must be {' or '.join(kinds)}, is {brief(value)}"
        return
    if "const" in rule and value != rule["const"]:
        yield f"{here} must be {rule['const']!r}, is {brief(value)}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{here} must be one of {', '.join(map(str, rule['enum']))}, is {brief(value)}"
    if "minimum" in rule and isinstance(value, (int, float)) and value < rule["minimum"]:
        yield f"{here} must be at least {rule['minimum']}, is {brief(value)}"
    if isinstance(value, dict):
        for key in rule.get("required", ()):
            if key not in value:
                yield f"{here} has no {key!r}"
        for key, inner in value.items():
            below = rule.get("properties", {}).get(key) or rule.get("additionalProperties")
            if isinstance(below, dict):
                yield from problems(inner, below, f"{where}.{key}".lstrip("."))
    if isinstance(value, list) and "items" in rule:
        for i, inner in enumerate(value):
            yield from problems(inner, rule["items"], f"{where}[{i}]")


def brief(value: object) -> str:
    """A value in an error's line."""
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
