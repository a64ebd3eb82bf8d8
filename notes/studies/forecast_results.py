"""``python -m notes.studies.forecast_results``: the tables of notes/forecast.md, from notes/results/forecast-*.json.

``python -m notes.studies.forecast_results SERIES`` measures a series first, which takes some minutes; with names of ``RUNS`` after
it, or ``rolling``, these runs alone.
"""

import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from reference.forecast.backend import BACKEND
from reference.forecast.baselines import NAMES
from reference.forecast.evaluate import LABELS, accumulation, band, covered, evaluate, markdown, rolling
from reference.forecast.options import parser, settled
from reference.forecast.train import fit, prepare

NOTES = Path(__file__).parent.parent
REFITS = 4
READS = {"none": "always", "linear": "less and less", "free": "never"}
RUNS = {f"direct, seed {k}": ("--seed", str(k)) for k in range(3)} | {
    f"{mode}, reads the truth {how} in training": ("--mode", mode, "--sampling", sampling)
    for mode in ("recursive", "encdec") for sampling, how in READS.items()}


def run(*arguments: str) -> tuple[Any, Any, float]:
    """Train as the command does  ->  task, model, seconds"""
    task = prepare(settled(parser("reference").parse_args(["train", *arguments])))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        model, _ = fit(BACKEND, task, Path(folder))
    return task, model, time.perf_counter() - started


def figures(*arguments: str) -> dict:
    """What one run gives on the validation and on the test part."""
    task, model, seconds = run(*arguments)
    made = {part: evaluate(task, model, part) for part in ("validation", "test")}
    found: dict = {part: e.as_json() for part, e in made.items()}
    found |= {"name": made["test"].name, "seconds": round(seconds, 1), "verdict": made["test"].verdict(),
              "covered": covered(made["test"], band(task, model)), "rows": list(task.parts),
              "windows": made["test"].truth.shape[1], "window": task.options["window"], "horizon": task.options["horizon"],
              "versions": f"Python {platform.python_version()}, NumPy {np.__version__}"}
    if task.options["mode"] != "direct":
        found["accumulation"] = {k: [float(x) for x in v] for k, v in accumulation(task, model, "test").items()}
    return found


def measure(series: str, label: str) -> dict:
    """One run, or ``rolling``: direct, fitted anew along the test part."""
    if label != "rolling":
        return figures("--data", series, *RUNS[label])
    again = rolling(BACKEND, prepare(settled(parser("reference").parse_args(["train", "--data", series]))), "test", REFITS)
    return again.as_json() | {"verdict": again.verdict()}


def first(made: dict) -> dict:
    return made["direct, seed 0"]


def overall(made: dict) -> str:
    """Every model and baseline over all steps ahead."""
    rows = [[f"baseline: {n}", *cells(first(made), n), ""] for n in NAMES]
    rows += [[f"{r['name'].split()[0]} {label}", *cells(r, r["name"]), f"{r['seconds']:.0f}"]
             for label, r in made.items() if label in RUNS]
    return markdown([f"{first(made)['windows']} windows of the test part", "RMSE on validation", *LABELS.values(), "seconds"],
                    rows)


def cells(found: dict, name: str) -> list[str]:
    test = found["test"]["overall"][name]
    return [f"{found['validation']['overall'][name]['rmse']:.4g}", *(f"{test[k]:.4g}" for k in LABELS)]


def head(made: dict) -> list[str]:
    return ["RMSE, steps ahead", *map(str, range(1, first(made)["horizon"] + 1))]


def steps(made: dict) -> str:
    """RMSE for each step ahead."""
    return markdown(head(made), [[n, *(f"{v:.4g}" for v in first(made)["test"]["steps"][n]["rmse"])]
                                 for n in (*NAMES, first(made)["name"])])


def accumulated(made: dict) -> str:
    """RMSE of its own forecasts read, and of the truth read."""
    return markdown(head(made), [[f"{label}: {kind}", *(f"{x:.4g}" for x in v)] for label, r in made.items()
                                 for kind, v in r.get("accumulation", {}).items()])


def section(series: str, made: dict) -> str:
    rows, f = first(made)["rows"], first(made)
    parts = [
        f"`python -m reference.forecast train --data {series}`, then `evaluate`: windows of {f['window']} steps, "
        f"{f['horizon']} ahead; {rows[0]} rows for training, {rows[1] - rows[0]} for validation, {rows[2] - rows[1]} for "
        f"test.  {f['versions']}, one thread of a shared machine.",
        overall(made), f"Seed 0: {f['verdict']}  Its band, made to hold 80 % of the validation part, holds "
        f"{100 * f['covered']:.0f} % of the test part.", steps(made),
        "Error accumulation: the same model reading its own forecasts, and given the true value before each step.",
        accumulated(made)]
    if "rolling" in made:
        parts.append(f"Rolling origin, `evaluate --refits {REFITS}`, models and baselines fitted anew before each quarter of "
                     f"the test part: {made['rolling']['verdict']}")
    return "\n\n".join(parts)


def main(arguments: list[str]) -> None:
    for series in arguments[:1]:
        for label in arguments[1:] or [*RUNS, "rolling"]:
            file, found = NOTES / "results" / f"forecast-{series}.json", measure(series, label)
            file.parent.mkdir(exist_ok=True)
            made = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
            made |= {label: found}
            file.write_text(json.dumps({k: made[k] for k in [*RUNS, "rolling"] if k in made}) + "\n", encoding="utf-8")
    page = NOTES / "forecast.md"
    text = page.read_text(encoding="utf-8")
    for file in sorted((NOTES / "results").glob("forecast-*.json")):
        series = file.stem.partition("-")[2]
        begin, end = f"<!-- results of {series} -->", f"<!-- end of {series} -->"
        made = section(series, json.loads(file.read_text(encoding="utf-8")))
        text = f"{text.partition(begin)[0]}{begin}\n{made}\n{end}{text.partition(end)[2]}"
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
