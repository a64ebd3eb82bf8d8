"""The command of both backends: what is printed and written of a task."""

import json
from collections.abc import Sequence

from ..common.command import guarded
from ..common.output import put_text
from ..common.screen.prose import say
from . import TASKS
from .backend import Backend
from .options import parsed
from .train import run


def main(backend: Backend, arguments: Sequence[str] | None = None) -> int:
    """Exit status: as common/command.py says."""
    options, changed = parsed(backend.package, backend.engines, arguments)

    def command() -> int:
        task = TASKS[options.task](options.seed, **{} if options.limit is None else {"limit": options.limit})
        measured = run(task, backend.by(options.engine), options.cell, options.seed, options.seconds, options.steps, options.dtype)
        asked = {"cell": options.cell, "steps": measured["steps"]} | changed
        words = " ".join(f"--{k} {v}" for k, v in asked.items())
        measured["command"] = f"python -m {backend.package}.tasks {options.task} {words}"
        file = options.out / f"{options.task}-{backend.package}-{options.cell}.json"
        put_text(file, json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
        say(*lines(measured), f"wrote {file}")
        return 0

    return guarded(command, options.out, "interrupted; nothing was written")


def lines(results: dict) -> list[str]:
    text = [
        f"{results['title']}: {results['side']}, {results['cell']}, {results['steps']} steps of {results['batch']}; "
        f"trained on {results['parts'][0]}, tested on {results['parts'][2]}"
    ]
    for kind in ("baselines", "variants"):
        for label, figures in results[kind].items():
            shown = "  ".join(f"{k} {v:.4g}" for k, v in figures.items())
            text.append(f"  {'baseline: ' if kind == 'baselines' else ''}{label:40s}  {shown}")
    text += [f"  {k}  {v:.4g}" for k, v in results["more"].items()]
    return text + [f"    {k}  ->  {v}" for k, v in results["examples"].items()]
