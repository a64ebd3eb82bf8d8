"""The command of both backends: what is printed and written of a task."""

import json
from collections.abc import Sequence

from ..common.command import guarded
from . import TASKS
from .backend import Backend
from .options import changed, parsed
from .train import run


def main(backend: Backend, arguments: Sequence[str] | None = None) -> int:
    """Exit status: as common/command.py says."""
    given = parsed(backend.package, arguments)

    def command() -> int:
        task = TASKS[given.task](given.seed, **{} if given.limit is None else {"limit": given.limit})
        measured = run(task, backend, given.cell, given.seed, given.seconds, given.steps, given.dtype)
        asked = {"cell": given.cell, "steps": measured["steps"]} | changed(given, backend.package)
        measured["command"] = f"python -m {backend.package}.tasks {given.task} " + " ".join(f"--{k} {v}" for k, v in asked.items())
        print("\n".join(lines(measured)))
        file = given.out / f"{given.task}-{backend.package}-{given.cell}.json"
        file.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {file}")
        return 0

    return guarded(command, given.out, "interrupted; nothing was written")


def lines(results: dict) -> list[str]:
    """What is printed."""
    text = [f"{results['title']}: {results['side']}, {results['cell']}, {results['steps']} steps of {results['batch']}; "
            f"trained on {results['parts'][0]}, tested on {results['parts'][2]}"]
    for kind in ("baselines", "variants"):
        for label, figures in results[kind].items():
            shown = "  ".join(f"{k} {v:.4g}" for k, v in figures.items())
            text.append(f"  {'baseline: ' if kind == 'baselines' else ''}{label:40s}  {shown}")
    text += [f"  {k}  {v:.4g}" for k, v in results["more"].items()]
    return text + [f"    {k}  ->  {v}" for k, v in results["examples"].items()]
