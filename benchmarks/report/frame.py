"""Result files as one DataFrame, a line for each row of a file; and how a figure of it is written."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..run.clock import UNITS, duration, three
from ..what.presets import CELLS

LIBRARY = "torch.library"
GROUP = ["run", "device", "dtype", "kind", "phase"]  # what a table of times is about
COPIED = (
    "implementation",
    "phase",
    "status",
    "reason",
    "parity",
    "kernel",
    "compile_s",
    "peak_bytes",
    "flops",
    "bytes",
    "gflops",
    "limit",
)
NUMBERS = ("parity", "compile_s", "median", "q1", "q3", "outliers", "peak_bytes", "joules", "flops", "gflops", "fraction")

Content = Mapping[str, Any]  # what a file holds, or a part of it
File = tuple[str, Content]  # its name, what it holds


def load(files: Iterable[File]) -> pd.DataFrame:
    """Every row of every file, in the order of the files and, in each, by device, dtype, cell and phase.

    Beside what a row of a file holds there are: run, the number of the file; name, unique among the files and fit for the
    name of a file; what a report says of the machine (where, threads); kind and size of the case; key, the phase and
    all of the case; ratio, peak_ratio and joules_ratio, time, peak memory and energy over those of torch.nn's layer in the
    same file, phase and case.  Times are in seconds; NaN where there is none.
    """
    lines: list[dict[str, Any]] = []
    names: list[str] = []
    for run, (source, content) in enumerate(files):
        stem = Path(source).name.removesuffix(".gz").removesuffix(".json").lower()
        name = re.sub(r"[^a-z0-9]+", "-", stem).strip("-") or "x"  # can name a file or an element
        names.append(name if name not in names else f"{name}-{run + 1}")
        about = {"run": run, "file": source, "name": names[-1], "preset": content["preset"], "started": content["started"]}
        about |= {"processor": content["machine"]["processor"], "threads": content["environment"]["torch_threads"]}
        about["caches"] = tuple(content["machine"].get("caches", {}).items())
        lines += [about | line(row, content["machine"]) for row in content["rows"]]
    rows = pd.DataFrame(lines)
    if rows.empty:
        return rows
    rows = rows.assign(kernel=rows.kernel.fillna(""), **{column: pd.to_numeric(rows[column]) for column in NUMBERS})
    for column, of in (("ratio", "median"), ("peak_ratio", "peak_bytes"), ("joules_ratio", "joules")):
        library = rows[rows.implementation == LIBRARY].set_index(["run", "key"])[of]
        rows[column] = rows[of] / library.reindex(pd.MultiIndex.from_frame(rows[["run", "key"]])).to_numpy()
    rows["order"] = rows.cell.map({cell: i for i, cell in enumerate(CELLS)}).fillna(len(CELLS))
    return rows.sort_values(["run", "device", "dtype", "order", "kind", "phase"], kind="stable", ignore_index=True)


def line(row: Content, machine: Content) -> dict[str, Any]:
    """One row of a file."""
    case, seconds = row["case"], row["seconds"] if row["status"] == "ok" and row["seconds"] else {}
    return {
        **dict.fromkeys(("model", "vocabulary", "classes")),
        **case,
        **{k: row[k] for k in COPIED},
        "joules": row.get("joules"),
        **{k: positive(seconds.get(k)) for k in ("median", "q1", "q3")},
        "samples": len(seconds.get("samples", ())),
        "outliers": seconds.get("outliers"),
        "fraction": row["fraction_of_limit"],
        "kind": kind_of(case),
        "size": " ".join(parts(case)),
        "where": where(machine, case["device"]),
        "key": f"{row['phase']} {json.dumps(case, sort_keys=True)}",
    }


def positive(seconds: float | None) -> float:
    """NaN if this is no length of time."""
    return float(seconds) if seconds and 0 < seconds < math.inf else math.nan


def kind_of(case: Content) -> str:
    """The cell, with the option that makes it another function; or the model, with its cell."""
    cell = str(case["cell"])
    if case.get("model"):
        return str(case["model"]) + ("" if cell == "none" else f" {cell}")
    if cell == "rnn" and case["nonlinearity"] == "relu":
        return "rnn relu"
    return "gru reset before" if cell == "gru" and not case["reset_after"] else cell


def parts(case: Content) -> list[str]:
    """The parts of a size: T, B, H, and what is not as usual."""
    words = [f"T{case['T']}", f"B{case['B']}", f"H{case['hidden_size']}"]
    words += [f"I{case['input_size']}"] * (case["input_size"] != case["hidden_size"])
    words += [f"V{case['vocabulary']}"] if case.get("model") else []
    words += [f"P{case['proj_size']}"] * bool(case["proj_size"]) + [f"L{case['num_layers']}"] * (case["num_layers"] > 1)
    words += ["bi"] * bool(case["bidirectional"])
    return words + ([] if case["fill"] is None else [f"fill{100 * case['fill']:.3g}%"])


def where(machine: Content, device: str) -> str:
    """The processor, or the GPU if that computed."""
    gpu = machine["gpu"]
    return str(gpu["name"]) if device == "cuda" and gpu else f"{machine['processor']}, {machine['cores']} cores"


def geometric(values: pd.Series) -> float:
    return float(np.exp(np.log(values).mean()))


def said(figure: float | None, form: str = "{}") -> str:
    """A duration; nothing where there is none."""
    return "" if figure is None or pd.isna(figure) else form.format(duration(figure))


def between(low: float, high: float, unit_of: float) -> str:
    """'1.20 – 1.31', two durations in the unit of a third."""
    if pd.isna([low, high, unit_of]).any():
        return ""
    factor = UNITS[duration(unit_of).split()[1]]
    return f"{three(low * factor)} – {three(high * factor)}"


def times(ratio: float | None) -> str:
    """'0.75×'"""
    return "" if ratio is None or pd.isna(ratio) else f"{ratio:.{2 if ratio < 10 else 0}f}×"


def spread(ratios: pd.Series) -> str:
    """'1.14× (0.50 – 2.00)': geometric mean, smallest, largest."""
    return f"{times(geometric(ratios))} ({times(ratios.min())[:-1]} – {times(ratios.max())[:-1]})"


def size_of(count: float) -> str:
    """'12.3 MB'"""
    if pd.isna(count):
        return ""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{three(count / factor)} {unit}"
    return f"{count:.0f} B"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.0f}%" if fraction >= 0.01 else "<1%"


def rate(gflops: float, fraction: float, limit: str | None) -> str:
    """'45.2 GF/s 31% com'"""
    if pd.isna(gflops):
        return ""
    return f"{three(gflops)} GF/s" + ("" if pd.isna(fraction) else f" {percent(fraction)} {str(limit)[:3]}")


def word(status: str) -> str:
    """Why there is no time, in a word, marked if it is bad; empty if there is one."""
    return {"ok": "", "declined": "declined", "wrong": "✗ WRONG"}.get(status, f"✗ {status}")
