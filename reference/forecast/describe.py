"""A task in words: how its data were understood, and how they are cut."""

from pathlib import Path

from .evaluation.evaluate import named as model_name
from .series import Series
from .train import Task

FAR = 1.5  # deviations of the training part
NAMED, NOTES = 6, 12  # series, and notes, that are shown


def about(task: Task) -> str:
    s, o = task.series[0], task.options
    what = f"{len(task.series)} series of {Path(o['csv']).name if o['csv'] else o['data']}" if len(task.series) > 1 else s.name
    return f"{model_name(o)}-{o['hidden']} on {what}, {o['horizon']} ahead"


def described(task: Task) -> str:
    """How the data were understood, and how they are cut."""
    s, p, o = task.series[0], task.parts[0], task.options
    several = len(task.series)
    first = s.columns[: len(s.columns) - task.known]
    lines = [
        f"{several} series: {named(task)}" if several > 1 else f"{s.name}: {span(s)}",
        f"target {first[0]}"
        + (f"; read besides: {', '.join(first[1:])}" if first[1:] else "")
        + (f"; known ahead: {', '.join(s.columns[len(first) :])}" if task.known else ""),
        f"rows come {s.frequency.name}; season {s.season} ({s.origin})" + (f"; times end in {s.zone}" if s.zone else ""),
    ]
    cut = f"rows 1 to {p.train} for training, to {p.validation} for validation, to {p.end} for test"
    lines.append(f"{'of the first: ' if several > 1 else ''}{cut}; windows of {o['window']} steps, {o['horizon']} ahead")
    lines += drifts(task)
    seen: dict[str, None] = {f"{x.name}: {n}" if several > 1 and k else n: None for x in task.series for k, n in enumerate(x.notes)}
    return "\n".join(lines + [f"note: {n}" for n in list(seen)[:NOTES]])


def drifts(task: Task) -> list[str]:
    """A word where the validation part lies where no training row does; a network does not go beyond what it has seen."""
    held = [
        task.rows[start + cut.train : start + cut.validation, 0].mean() for start, cut in zip(task.starts, task.parts, strict=True)
    ]
    far = sum(abs(mean) > FAR for mean in held)
    if 2 * far <= len(held) or task.options["level"]:
        return []
    where = "the validation part lies" if len(held) == 1 else f"the validation parts of {far} series lie"
    return [f"note: {where} more than {FAR:g} deviations from the mean of the training part: try --level"]


def span(s: Series) -> str:
    return f"{len(s.values)} rows from {s.shown(s.times[0])} to {s.shown(s.times[-1])}"


def named(task: Task) -> str:
    shown = [f"{s.name} ({len(s.values)} rows)" for s in task.series[:NAMED]]
    return ", ".join(shown + ["..."] * (len(task.series) > NAMED))
