"""``python -m notes.studies.forecast SERIES``: the tables of notes/forecast.md, which take some minutes to measure.

With names of ``RUNS`` after the series, or ``rolling``, these runs alone.  ``--write`` keeps them and renews the note.
"""

import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reference.common.command import entered
from reference.forecast.backend import BACKEND
from reference.forecast.evaluation.against import statsforecast
from reference.forecast.evaluation.band import LEVEL, covered
from reference.forecast.evaluation.baselines import NAMES, persistence
from reference.forecast.evaluation.evaluate import Evaluation, accumulation, evaluate, rolling
from reference.forecast.evaluation.metrics import quantile_loss
from reference.forecast.evaluation.report import LABELS, as_json, markdown
from reference.forecast.options import parser, settled
from reference.forecast.train import Task, fit, prepare

from .study import Study, options, short

SERIES = ("sunspots", "weather")
REFITS = 4
READS = {"none": "always", "linear": "less and less", "free": "never"}
QUANTILES = "direct, by the quantile loss"
RUNS = (
    {f"direct, seed {k}": ("--seed", str(k)) for k in range(3)}
    | {
        f"{mode}, reads the truth {how} in training": ("--mode", mode, "--sampling", sampling)
        for mode in ("recursive", "encdec")
        for sampling, how in READS.items()
    }
    | {QUANTILES: ("--quantiles", "0.1,0.5,0.9")}
)
PEERS = "statsforecast"
LABELLED = [*RUNS, "rolling", PEERS]
Run = dict[str, Any]  # what is kept of one
Runs = Mapping[str, Run]  # of a series, by label


def task_of(*arguments: str) -> Task:
    """As the command does it"""
    return prepare(settled(parser("reference", ("fast",)).parse_args(["train", *arguments])))


def overall_of(e: Evaluation) -> dict[str, dict[str, float]]:
    """By model and baseline"""
    return {name: {k: short(v, 7) for k, v in of.items()} for name, of in as_json(e)["overall"].items()}


def figures(*arguments: str) -> Run:
    """What one run gives on the validation and on the test part."""
    task, started = task_of(*arguments), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        model, _ = fit(BACKEND, task, Path(folder))
    seconds = time.perf_counter() - started
    test, validation = evaluate(task, model, "test"), evaluate(task, model, "validation")
    result = {
        "name": test.name,
        "validation": overall_of(validation),
        "test": overall_of(test),
        "steps": {name: [short(v, 7) for v in of["rmse"]] for name, of in as_json(test)["steps"].items()},
        "seconds": round(seconds, 1),
        "verdict": test.verdict(),
        "covered": None if test.between is None else short(covered(test.truth, test.between), 7),
        "rows": list(task.parts[0]),
        "windows": test.truth.shape[1],
        "window": task.options["window"],
        "horizon": task.options["horizon"],
        "versions": f"Python {platform.python_version()}, NumPy {np.__version__}",
    }
    if len(test.quantiles):
        result["quantile loss"] = short(quantile_loss(test.raw, test.truth, test.quantiles), 7)
    if task.options["mode"] != "direct":
        result["accumulation"] = {k: [short(x, 7) for x in v] for k, v in accumulation(task, model, "test").items()}
    return result


def peers_on(task: Task) -> Run:
    """What statsforecast's models give on the same windows."""
    result: Run = {"versions": f"statsforecast {version('statsforecast')}"}
    for part in ("validation", "test"):
        windows = task.windows(part)
        said = {"persistence": task.back(persistence(windows), windows)} | statsforecast(task, windows)
        overall = Evaluation(task, said, windows, part, np.empty(0), None).overall
        result[part] = {n: {k: short(v, 7) for k, v in f._asdict().items()} for n, f in overall.items() if n != "persistence"}
    return result


def measure(series: str, label: str) -> Run:
    """One run, or ``rolling``: direct, fitted anew along the test part."""
    if label == PEERS:
        return peers_on(task_of("--data", series))
    if label != "rolling":
        return figures("--data", series, *RUNS[label])
    return {"verdict": rolling(BACKEND, task_of("--data", series), "test", REFITS).verdict()}


def overall(runs: Runs, f: Run) -> str:
    """Every model and baseline over all steps ahead."""

    def cells(one: Run, name: str) -> list[str]:
        return [f"{one['validation'][name]['rmse']:.4g}", *(f"{one['test'][name][k]:.4g}" for k in LABELS)]

    rows = [[f"baseline: {n}", *cells(f, n), ""] for n in NAMES]
    for label, r in runs.items():
        if label in RUNS:
            rows.append([f"{r['name'].split()[0]} {label}", *cells(r, r["name"]), f"{r['seconds']:.0f}"])
    rows += [[n, *cells(runs[PEERS], n), ""] for n in runs.get(PEERS, {}).get("test", {})]
    return markdown([f"{f['windows']} windows of the test part", "RMSE on validation", *LABELS.values(), "seconds"], rows)


def by_step(curves: Mapping[str, list[float]], horizon: int) -> str:
    """RMSE for each step ahead."""
    rows = [[name, *(f"{v:.4g}" for v in curve)] for name, curve in curves.items()]
    return markdown(["RMSE, steps ahead", *map(str, range(1, horizon + 1))], rows)


def by_quantiles(r: Run) -> str:
    return (
        f"Trained by the quantile loss, its quantiles 0.1, 0.5 and 0.9 have a loss of {r['quantile loss']:.4g} on the test part; "
        f"between the first and the last lie {100 * r['covered']:.0f} % of the true values."
    )


def section(series: str, runs: Runs) -> str:
    f = runs["direct, seed 0"]
    rows, read = f["rows"], {f"{label}: {k}": v for label, r in runs.items() for k, v in r.get("accumulation", {}).items()}
    parts = [
        f"`python -m reference.forecast train --data {series}`, then `evaluate`: windows of {f['window']} steps, "
        f"{f['horizon']} ahead; {rows[0]} rows for training, {rows[1] - rows[0]} for validation, {rows[2] - rows[1]} for "
        f"test.  {f['versions']}, one thread of a shared machine.",
        overall(runs, f),
        f"Seed 0: {f['verdict']}  Its band of {100 * LEVEL:.0f} %, made on the validation part, holds "
        f"{100 * f['covered']:.0f} % of the test part.",
        *([by_quantiles(runs[QUANTILES])] if QUANTILES in runs else []),
        by_step({name: f["steps"][name] for name in (*NAMES, f["name"])}, f["horizon"]),
        "<details><summary>Error accumulation: the same model reading its own forecasts, and given the true value before each "
        "step</summary>",
        by_step(read, f["horizon"]),
        "</details>",
    ]
    if "rolling" in runs:
        parts.append(
            f"Rolling origin, `evaluate --refits {REFITS}`, models and baselines fitted anew before each quarter of "
            f"the test part: {runs['rolling']['verdict']}"
        )
    return "\n\n".join(parts)


def study(series: str, chosen: Sequence[str] = ()) -> Study:
    """Of one series; what is not chosen stays as it was kept."""

    def measured() -> dict[str, Any]:
        before = result.kept() if result.file.exists() else {}
        latest = before | {label: measure(series, label) for label in chosen or LABELLED}
        return {label: latest[label] for label in LABELLED if label in latest}

    result = Study(f"forecast-{series}", __doc__, measured, lambda runs: {"": section(series, runs)})
    return result


STUDIES = {series: study(series) for series in SERIES}


def main() -> int:
    p = options("forecast", __doc__)
    p.add_argument("series", choices=SERIES)
    p.add_argument("runs", nargs="*", metavar="RUN", help=", ".join(LABELLED))
    given = p.parse_args()
    if unknown := [label for label in given.runs if label not in LABELLED]:
        p.error(f"there is no run {unknown[0]!r}; there are {', '.join(LABELLED)}")
    return study(given.series, given.runs).run(given.write)


if __name__ == "__main__":
    sys.exit(entered(main))
