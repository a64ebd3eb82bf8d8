"""``python -m notes.forecast_results``: the tables of notes/forecast.md, from notes/results/forecast-*.json.

``python -m notes.forecast_results sunspots weather`` measures these series first, which takes some minutes for each.
"""

import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from reference.forecast.__main__ import SIDE
from reference.forecast.baselines import NAMES
from reference.forecast.evaluation import LABELS, accumulation, band, covered, evaluate, markdown, rolling
from reference.forecast.fitting import fit, prepare
from reference.forecast.options import parser, settled

NOTES = Path(__file__).parent
SEEDS = 3
REFITS = 4
SAMPLED = [("recursive", s) for s in ("none", "linear", "free")] + [("encdec", s) for s in ("none", "linear", "free")]


def run(*arguments: str) -> tuple[Any, Any, float]:
    """Train as the command does  ->  task, model, seconds"""
    task = prepare(settled(parser("reference").parse_args(["train", *arguments])))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        model, _ = fit(SIDE, task, Path(folder))
    return task, model, time.perf_counter() - started


def figures(*arguments: str) -> dict:
    """What one run gives on the validation and on the test part."""
    task, model, seconds = run(*arguments)
    made = {part: evaluate(task, model, part) for part in ("validation", "test")}
    found = {part: e.as_json() for part, e in made.items()}
    found |= {"name": made["test"].name, "seconds": round(seconds, 1), "verdict": made["test"].verdict(),
              "covered": covered(made["test"], band(task, model)), "rows": list(task.parts),
              "windows": made["test"].truth.shape[1], "window": task.options["window"], "horizon": task.options["horizon"]}
    if task.options["mode"] != "direct":
        found["accumulation"] = {k: [float(x) for x in v] for k, v in accumulation(task, model, "test").items()}
    return found


def measure(series: str) -> dict:
    """Direct from several seeds, the other modes with three kinds of sampling, and direct fitted anew along the test part."""
    made: dict[str, Any] = {"direct": [figures("--data", series, "--seed", str(seed)) for seed in range(SEEDS)]}
    for mode, sampling in SAMPLED:
        made[f"{mode}, {sampling}"] = [figures("--data", series, "--mode", mode, "--sampling", sampling)]
    task, _, _ = run("--data", series, "--epochs", "1")
    task = prepare(task.options | {"epochs": 25}, task.series)
    again = rolling(SIDE, task, "test", REFITS)
    return made | {"rolling": again.as_json() | {"verdict": again.verdict()},
                   "versions": f"Python {platform.python_version()}, NumPy {np.__version__}"}


def overall(made: dict) -> str:
    """Every model and baseline over all steps ahead."""
    first = made["direct"][0]
    rows = [[f"baseline: {n}", *cells(first, n), ""] for n in NAMES]
    for label, runs in made.items():
        if label not in ("rolling", "versions"):
            rows += [[f"{r['name']}{label.partition(',')[2] and ', reads the truth: ' + READS[label.partition(', ')[2]]}"
                      + (f", seed {k}" if len(runs) > 1 else ""), *cells(r, r["name"]), f"{r['seconds']:.0f}"]
                     for k, r in enumerate(runs)]
    return markdown([f"{first['windows']} windows of the test part", "RMSE on validation", *LABELS.values(), "seconds"], rows)


READS = {"none": "always", "linear": "less and less", "free": "never"}


def cells(found: dict, name: str) -> list[str]:
    test = found["test"]["overall"][name]
    return [f"{found['validation']['overall'][name]['rmse']:.4g}", *(f"{test[k]:.4g}" for k in LABELS)]


def steps(made: dict) -> str:
    """RMSE for each step ahead."""
    first = made["direct"][0]
    return markdown(["RMSE, steps ahead", *map(str, range(1, first["horizon"] + 1))],
                    [[n, *(f"{v:.4g}" for v in first["test"]["steps"][n]["rmse"])] for n in (*NAMES, first["name"])])


def accumulated(made: dict) -> str:
    """RMSE of its own forecasts read, and of the truth read."""
    rows = []
    for label, runs in made.items():
        for kind, v in (runs[0].get("accumulation", {}) if label not in ("rolling", "versions") else {}).items():
            mode, _, sampling = label.partition(", ")
            rows.append([f"{mode}, trained on the truth {READS[sampling]}: {kind}", *(f"{x:.4g}" for x in v)])
    return markdown(["RMSE, steps ahead", *map(str, range(1, made["direct"][0]["horizon"] + 1))], rows)


def section(series: str, made: dict) -> str:
    first, again = made["direct"][0], made["rolling"]
    rows = first["rows"]
    return "\n\n".join([
        f"`python -m reference.forecast train --data {series}`, then `evaluate`: windows of {first['window']} steps, "
        f"{first['horizon']} ahead; {rows[0]} rows for training, {rows[1] - rows[0]} for validation, {rows[2] - rows[1]} for "
        f"test.  {made['versions']}, one thread of a shared machine.",
        overall(made), f"Seed 0: {first['verdict']}  Its band, made to hold 80 % of the validation part, holds "
        f"{100 * first['covered']:.0f} % of the test part.", steps(made),
        "Error accumulation: the same model reading its own forecasts, and given the true value before each step.",
        accumulated(made),
        f"Rolling origin, `evaluate --refits {REFITS}`, models and baselines fitted anew before each quarter of the test "
        f"part: {again['verdict']}"])


def main(arguments: list[str]) -> None:
    for series in arguments:
        file = NOTES / "results" / f"forecast-{series}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(measure(series), indent=1) + "\n", encoding="utf-8")
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
