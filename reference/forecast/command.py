"""``train``, ``evaluate``, ``predict`` and ``runs``: what is printed and written.  Errors are one sentence and exit status 2."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ..common.command import Answer, guarded
from ..common.output import as_json, put_text
from ..common.run import LOG, Application, board, claimed, listing, picture, read_log
from ..common.screen.prose import say
from . import kept, plots
from .backend import Backend
from .describe import about, described
from .evaluation import against
from .evaluation import evaluate as evaluation
from .evaluation.band import band
from .evaluation.report import report, table, write_forecasts
from .options import DEFAULTS, asked, parser, settled
from .predict import BAND, predict, write_band
from .train import Task, fit, prepare, resumable

APPLICATION = Application(
    "forecast",
    (kept.DATA, BAND, "forecast.csv", "forecast.png", *(f"{part}{end}" for part in ("test", "validation") for end in (".*", "-*"))),
)


def main(backend: Backend, arguments: Sequence[str] | None = None) -> int:
    """Exit status: as common/command.py says."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    given = parser(backend.package, backend.engines).parse_args(words)
    place = getattr(given, "run", None) or "the run's folder"

    def command() -> Answer:
        if given.verb == "runs":
            return listing.answer(given.folder)
        if given.processes > 1 and "RANK" not in os.environ:
            return backend.launch(given.processes, f"{backend.package}.forecast", words)
        with backend.processes(vars(given)) as group:
            if given.verb != "train" and not group.leader:
                return 0  # for the others there is nothing to do
            here = backend.place(backend, given.device, given.compile, given.engine)._replace(group=group)
            return VERBS[given.verb](here, given)

    return guarded(command, place, json=given.json)


def train(backend: Backend, given: argparse.Namespace) -> Answer:
    o = DEFAULTS | asked(given)
    folder = given.run or Path("out/forecast") / f"{Path(o['csv']).stem if o['csv'] else o['data']}-{o['mode']}"
    if not backend.group.leader:
        return trained(backend, given, folder, task_of(given, folder))
    if given.resume and not folder.exists():
        kept.options({}, folder)  # says that there is nothing
    with claimed(folder, APPLICATION, resume=given.resume, overwrite=given.overwrite) as own:
        task = task_of(given, folder)
        if given.resume:
            resumable(backend, task, folder)
        say(described(task), flush=True)
        own.begin(task.options | {"about": about(task)}, resume=given.resume)
        if not given.resume:
            kept.write_data(folder, task)
        return trained(backend, given, folder, task)


def trained(backend: Backend, given: argparse.Namespace, folder: Path, task: Task) -> Answer:
    """Train and evaluate; several processes come here, of which one talks and writes."""
    group = backend.group
    task = Task(**vars(task) | {"options": group.agreed(task.options)})
    again = f"{group.start} {backend.package}.forecast train --resume --run {shlex.quote(str(folder))}"
    again += (f" --device {given.device}" if given.device != "cpu" else "") + (" --compile" if given.compile else "")
    with board(folder / LOG, given.tensorboard and group.leader) as tell:
        progress = not (given.no_progress or given.json)
        model, result = fit(backend, task, folder, resume=given.resume, progress=progress, how=f"run: {again}", tell=tell)
    if result.stopped == "interrupted":
        return 130
    if not group.leader:
        return 0
    write_band(folder, task, model)
    loss_of = "quantile loss" if task.options["quantiles"] else "squared error"
    drawn = picture.draw(folder, read_log(folder / LOG), about(task), f"{loss_of}, scaled")
    if drawn:
        say(f"note: {drawn}")
    scores = evaluation.evaluate(task, model, "validation")
    steps, best = result.counters.step, result.counters.best
    say(f"trained {steps} steps, best validation loss {best:.4f}; on the validation part:\n")
    say(table(scores) + "\n\n" + scores.verdict())
    say(f"\nwrote {folder}; for the test part: python -m {backend.package}.forecast evaluate --run {shlex.quote(str(folder))}")
    _, figures = report(task, model, scores)
    return {"run": folder, "steps": steps, "validation_loss": best, "validation": figures}


def task_of(given: argparse.Namespace, folder: Path) -> Task:
    """What a run does that begins or goes on.  ValueError, CheckpointError: there is none to go on with, or its data changed."""
    if not given.resume:
        return prepare(settled(given))
    before = kept.options(asked(given), folder)
    return kept.same_task(folder, settled(given, before) | {"series": before["series"]})


def evaluate(backend: Backend, given: argparse.Namespace) -> Answer:
    task, model, new = kept.open_run(backend, given.run)
    others = against.peers(given.against)
    if given.refits:
        scores = evaluation.rolling(backend, task, given.part, given.refits, others)
    else:
        scores = evaluation.evaluate(task, model, given.part, others)
    say(described(task))
    if new:
        say(f"note: {new} rows are new since the training; they belong to the test part")
    text, summary = report(task, model, scores, given.refits)
    say("\n" + text)
    stem = given.part + (f"-{given.refits}-refits" if given.refits else "")
    files = [given.run / f"{stem}{end}" for end in (".md", ".json", "-forecasts.csv", "-windows.png", "-errors.png")]
    put_text(files[0], text + "\n")
    put_text(files[1], as_json(summary) + "\n")
    write_forecasts(files[2], scores)
    if given.no_plots:
        files = files[:3]
    else:
        plots.windows(files[3], scores, band(task, model))
        plots.errors(files[4], scores, summary.get("accumulation"))
    say("\nwrote " + ", ".join(map(str, files)))
    return summary | {"files": files}


VERBS = {"train": train, "evaluate": evaluate, "predict": predict}
