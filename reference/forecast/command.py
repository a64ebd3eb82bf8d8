"""``train``, ``evaluate`` and ``predict``: what is printed and written.  Errors are one sentence and exit status 2."""

import argparse
import csv
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..common.command import Model, guarded
from ..common.run import BEST, LAST, LOG
from . import data, plots
from . import evaluate as evaluation
from .backend import Backend
from .evaluate import BAND, Evaluation, accumulation, band, covered, markdown
from .options import DEFAULTS, asked, parser, settled
from .train import Task, fit, kept, open_run, prepare


def main(backend: Backend, arguments: Sequence[str] | None = None) -> int:
    """Exit status: as common/command.py says."""
    given = parser(backend.package, backend.engines).parse_args(arguments)
    place = getattr(given, "run", given.out if "out" in given else None) or "the run's folder"
    return guarded(lambda: VERBS[given.verb](backend.place(backend, given.device, given.compile, given.engine), given), place)


def train(backend: Backend, given: argparse.Namespace) -> int:
    o = DEFAULTS | asked(given)
    folder = given.out or Path("out/forecast") / f"{Path(o['csv']).stem if o['csv'] else o['data']}-{o['mode']}"
    task = task_of(given, folder)
    print(described(task), flush=True)
    again = f"python -m {backend.package}.forecast train --resume --out {shlex.quote(str(folder))}"
    again += (f" --device {given.device}" if given.device != "cpu" else "") + (" --compile" if given.compile else "")
    model, result = fit(backend, task, folder, resume=given.resume, progress=not given.no_progress, how=f"run: {again}")
    if result.stopped == "interrupted":
        return 130
    scores = evaluation.evaluate(task, model, "validation")
    print(f"trained {result.counters.step} steps, best validation loss {result.counters.best:.4f}; on the validation part:\n")
    print(scores.table() + "\n\n" + scores.verdict())
    print(f"\nwrote {folder}; for the test part: python -m {backend.package}.forecast evaluate --run {folder}")
    return 0


def task_of(given: argparse.Namespace, folder: Path) -> Task:
    """What a run does that begins or goes on.  ValueError, CheckpointError: the folder holds one, or as ``kept``; other data."""
    if given.resume:
        before = kept(asked(given), folder)
        task = prepare(settled(given, before))
        if task.options["series"] != before["series"]:
            raise ValueError(f"the data of the run in {folder} has changed since it began, so it cannot go on; train anew")
        return task
    task = prepare(settled(given))
    if (folder / LAST).exists() and not given.overwrite:
        raise ValueError(
            f"{folder} holds a run already: go on with --resume, drop it with --overwrite, or choose another folder with --out"
        )
    for name in (LAST, BEST, LOG):
        (folder / name).unlink(missing_ok=True)
    return task


def described(task: Task) -> str:
    """What the series is and how it is cut."""
    s, p, o = task.series, task.parts, task.options
    span = f"{len(s.values)} rows from {data.shown(s.times[0])} to {data.shown(s.times[-1])}"
    besides = f", read besides: {', '.join(s.columns[1:])}" if s.columns[1:] else ""
    rows = f"rows 1 to {p.train} for training, to {p.validation} for validation, to {p.end} for test"
    cut = f"{rows}; windows of {o['window']} steps, {o['horizon']} ahead; season {task.season}"
    return "\n".join([f"{s.name}: {span}; target {s.columns[0]}{besides}", cut, *(f"note: {n}" for n in s.notes)])


def evaluate(backend: Backend, given: argparse.Namespace) -> int:
    task, model = open_run(backend, given.run)
    if given.refits:
        scores = evaluation.rolling(backend, task, given.part, given.refits)
    else:
        scores = evaluation.evaluate(task, model, given.part)
    print(described(task))
    text, summary = report(task, model, scores, given.refits)
    print(text)
    stem = given.part + (f"-{given.refits}-refits" if given.refits else "")
    files = [given.run / f"{stem}{end}" for end in (".md", ".json", "-windows.png", "-errors.png")]
    files[0].write_text(text + "\n", encoding="utf-8")
    files[1].write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    if given.no_plots:
        files = files[:2]
    else:
        plots.windows(files[2], scores, band(task, model))
        plots.errors(files[3], scores, summary.get("accumulation"))
    print("\nwrote " + ", ".join(map(str, files)))
    return 0


def report(task: Task, model: Model, scores: Evaluation, refits: int) -> tuple[str, dict]:
    """Markdown, and the same as JSON."""
    summary = scores.as_json()
    head = f"{summary['windows']} windows of the {scores.part} part" + (f", fitted anew {refits} times" if refits else "") + ":"
    parts = [head, scores.table(), scores.by_step("rmse"), scores.verdict()]
    if not refits:
        share = summary["covered"] = covered(scores, band(task, model))
        aim = f"it was made to hold {BAND[1] - BAND[0]:.0%} on the validation part"
        parts.append(f"The band holds {share:.0%} of the true values; {aim}.")
    if not refits and task.options["mode"] != "direct":
        summary["accumulation"] = {k: v.tolist() for k, v in accumulation(task, model, scores.part).items()}
        steps = [str(k + 1) for k in range(len(scores.truth))]
        lines = [[name, *(f"{v:.4g}" for v in errors)] for name, errors in summary["accumulation"].items()]
        parts.append(markdown(["RMSE, steps ahead", *steps], lines))
    return "\n\n".join(parts), summary


def predict(backend: Backend, given: argparse.Namespace) -> int:
    task, model = open_run(backend, given.run, given.csv)
    o = task.options
    out = given.out or given.run / "forecast.csv"
    if out.suffix == ".png" and not given.no_plots:
        raise ValueError(f"--out {out} is where the plot goes; name a .csv file")
    past = task.values[-o["window"] :][:, None]
    ahead = task.scaling.back(np.asarray(model.forecast(past), float)[:, 0])
    between = ahead + band(task, model)
    times = data.following(task.series.times, o["horizon"])
    forecast = [(data.shown(t), *values) for t, *values in zip(times, ahead, *between, strict=True)]
    with out.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["time", task.series.columns[0], "lower", "upper"])
        lines.writerows([t, *(f"{v:.6g}" for v in values)] for t, *values in forecast)
    picture = out.with_suffix(".png")
    if not given.no_plots:
        plots.prediction(picture, task, times, ahead, between)
    for t, value, low, high in forecast:
        print(f"{t}  {value:10.4g}   from {low:.4g} to {high:.4g}")
    print(f"the band is the middle {BAND[1] - BAND[0]:.0%} of the errors on the validation part")
    print(f"wrote {out}" + ("" if given.no_plots else f", {picture}"))
    return 0


VERBS = {"train": train, "evaluate": evaluate, "predict": predict}
