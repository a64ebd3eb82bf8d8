"""A trace as lines for a terminal, or as Markdown for a note."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from reference.common.arrays import Array

from . import LABEL, Problem, Quantity

RED, GREEN, DIM, BOLD, PLAIN = "\033[31m", "\033[32m", "\033[2m", "\033[1m", "\033[0m"
ROUNDINGS = 64
Others = dict[Any, Array] | None


def equations(room: ModuleType) -> dict[str, str]:
    """Label -> the equation, as the room's docstring states it; a label with two variants has two lines."""
    by_label: dict[str, str] = {}
    for line in (room.__doc__ or "").splitlines():
        text, _, end = line.rpartition("(")
        label = end.rstrip(")")
        if line.startswith("    ") and LABEL.fullmatch(label):
            by_label[label] = "\n".join(filter(None, [by_label.get(label), text.strip()]))
    return by_label


def difference(one: Quantity, others: Others) -> float | None:
    """The largest difference from the other side; None if the other side has no such quantity."""
    other = None if others is None else others.get(one.key)
    return None if other is None else float(np.abs(one.value - np.reshape(other, one.value.shape)).max())


def differs(one: Quantity, others: Others) -> bool:
    """Whether the difference is more than rounding; NaN differs."""
    d = difference(one, others)
    return d is not None and not d <= ROUNDINGS * np.finfo(one.value.dtype).eps * max(1.0, np.abs(one.value).max())


def heading(one: Quantity) -> str:
    if one.verb == "forward":
        return "forward, all steps at once"
    if one.verb == "backward":
        return "backward, all steps at once"
    return f"{'forward' if one.verb == 'step_forward' else 'backward'}, t = {one.t}"


def figures(v: Array, digits: int = 4) -> str:
    """[0.25 -0.5], rows of a matrix and sequences of a batch separated by semicolons."""
    rows = v.reshape(-1, v.shape[-1]) if v.ndim else v.reshape(1, 1)
    return "[" + "; ".join(" ".join(f"{0.0 + round(float(x), digits):.{digits}f}" for x in row) for row in rows) + "]"


def given(q: Problem) -> dict[str, Array]:
    """What was drawn, by name."""
    return (
        {k: v for k, v in q.p._asdict().items() if v is not None}
        | {"x": q.x}
        | {f"{k}_0": v for k, v in q.s._asdict().items()}
        | {"dy": q.dy}
        | {f"d{k}_n": v for k, v in q.ds._asdict().items()}
    )


def lines(room: ModuleType, q: Problem, quantities: list[Quantity], others: Others, color: bool) -> Iterator[str]:
    """The trace for a terminal."""

    def paint(text: str, code: str) -> str:
        return f"{code}{text}{PLAIN}" if color else text

    for label, text in equations(room).items():
        yield "\n".join(f"{label if k == 0 else '':4}{line}" for k, line in enumerate(text.splitlines()))
    yield ""
    for name, v in given(q).items():
        yield f"{name:8}{figures(v, 1)}"
    last = ""
    for one in quantities:
        if heading(one) != last:
            last = heading(one)
            yield "\n" + paint(last, BOLD)
        yield f"  {one.name:8}{' '.join(one.labels):12}{paint(one.formula, DIM)}"
        yield f"  {'':20}numpy  {figures(one.value, 6)}"
        d = difference(one, others)
        if d is not None and others is not None:
            bad, other = differs(one, others), figures(np.reshape(others[one.key], one.value.shape), 6)
            said = f"{'✗ differs by' if bad else '✓'} {d:.0e}"
            yield f"  {'':20}torch  {other}  {paint(said, RED if bad else GREEN)}"


def markdown(room: ModuleType, q: Problem, quantities: list[Quantity]) -> str:
    """The trace as tables, for the notes."""
    out = ["| given | value |", "|---|---|"]
    out += [f"| `{name}` | `{figures(v, 1)}` |" for name, v in given(q).items()]
    last = ""
    for one in quantities:
        if heading(one) != last:
            last = heading(one)
            out += ["", f"*{last}*", "", "| quantity | label | the line | value |", "|---|---|---|---|"]
        out.append(f"| `{one.name}` | {' '.join(one.labels)} | `{one.formula}` | `{figures(one.value)}` |")
    return "\n".join(out)
