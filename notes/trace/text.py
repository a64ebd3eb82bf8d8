"""A trace as lines for a terminal, or as Markdown for a note."""

import sys
from collections.abc import Iterator
from itertools import groupby
from types import ModuleType

import numpy as np

from reference.common.arrays import Array
from reference.common.screen.prose import filled

from . import LABEL, Key, Problem, Quantity

RED, GREEN, DIM, BOLD, PLAIN = "\033[31m", "\033[32m", "\033[2m", "\033[1m", "\033[0m"
ROUNDINGS = 64
Others = dict[Key, Array] | None


def equations(room: ModuleType) -> dict[str, str]:
    """Label -> the equation, as the room's docstring states it; a label with two variants has two lines."""
    by_label: dict[str, str] = {}
    for line in (room.__doc__ or "").splitlines():
        text, _, end = line.rpartition("(")
        label = end.rstrip(")")
        if line.startswith("    ") and LABEL.fullmatch(label):
            by_label[label] = "\n".join(filter(None, [by_label.get(label), text.strip()]))
    return by_label


def compared(one: Quantity, others: Others) -> tuple[str, str, bool] | None:
    """The other side's figures, what is said of their largest difference, and whether it is more than rounding (NaN is).

    None if the other side has no such quantity.
    """
    if others is None or one.key not in others:
        return None
    other = others[one.key]
    if other.size != one.value.size:
        return figures(other, 6), f"✗ has shape {one.value.shape}, must have {other.shape}", True
    other = np.reshape(other, one.value.shape)
    difference = float(np.abs(one.value - other).max())
    rounding = ROUNDINGS * np.finfo(one.value.dtype).eps * max(1.0, np.abs(one.value).max())
    bad = not difference <= rounding
    said = f"{'differs by ' * bad}{difference:.0e}" if one.line else "missing"
    return figures(other, 6), f"{'✗' if bad else '✓'} {said}", bad


def differs(one: Quantity, others: Others) -> bool:
    both = compared(one, others)
    return both is not None and both[2]


def place(one: Quantity | Key) -> tuple[int, int, int]:
    """Where in the order of computation a quantity stands: that of its verb and step."""
    verb, t, leaving = one[0], one[1] or 0, one[2].endswith(" leaving")
    if verb == "step_forward":
        return 1, t, int(leaving)
    if verb in ("deltas", "step_backward"):
        return 2, -t, (verb == "step_backward") + leaving
    return (3 if verb == "backward" else 2 * leaving, -sys.maxsize * leaving, 0)


def complete(quantities: list[Quantity], handed: list[Quantity], others: Others) -> list[Quantity]:
    """The trace, with what no line computes any more, and with what enters or leaves a step where that is the first that is wrong.

    What enters a step comes from other lines, of a step before it or of the caller; where one of those is wrong, it is named.
    """
    traced = {one.key for one in quantities}
    absent = [
        Quantity(*key, "no line computes it", np.full_like(v, np.nan), 0)
        for key, v in (others or {}).items()
        if key not in traced and not key[2].endswith((" entering", " leaving"))
    ]
    rows = sorted([*quantities, *absent], key=place)
    first = [one for one in sorted([*handed, *rows], key=place) if differs(one, others)][:1]
    return rows if not first or first[0].key in {one.key for one in rows} else sorted([*first, *rows], key=place)


def heading(one: Quantity) -> str:
    at = "all steps at once" if one.verb in ("forward", "backward") else f"t = {one.t}"
    return f"{'forward' if one.verb.endswith('forward') else 'backward'}, {at}"


def figures(v: Array, digits: int = 4) -> str:
    """[0.25 -0.5], rows of a matrix and sequences of a batch separated by semicolons."""
    rows = v.reshape(-1, v.shape[-1]) if v.ndim else v.reshape(1, 1)
    return "[" + "; ".join(" ".join(f"{0.0 + round(float(x), digits):.{digits}f}" for x in row) for row in rows) + "]"


def given(q: Problem) -> dict[str, Array]:
    """What was drawn, by name."""
    named = {k: v for k, v in q.p._asdict().items() if v is not None} | {"x": q.x}
    named |= {f"{k}_0": v for k, v in q.s._asdict().items()} | {"dy": q.dy}
    return named | {f"d{k}_n": v for k, v in q.ds._asdict().items()}


def lines(
    room: ModuleType, q: Problem, quantities: list[Quantity], others: Others, color: bool, wide: int | None = None
) -> Iterator[str]:
    """The trace for a terminal, which may be so wide."""
    margin = " " * (22 if wide is None or wide > 80 else 4)

    def shown(text: str, painted: str = "", code: str = "") -> str:
        """With its end in a colour."""
        line = text + painted if wide is None else filled(text + painted, wide)
        return f"{line[: len(text)]}{code}{line[len(text) :]}{PLAIN}" if color and code else line

    for label, text in equations(room).items():
        yield from (shown(f"{label if k == 0 else '':4}{line}") for k, line in enumerate(text.splitlines()))
    yield ""
    for name, v in given(q).items():
        yield shown(f"{name:8}{figures(v, 1)}")
    for title, group in groupby(quantities, heading):
        yield shown("\n", title, BOLD)
        for one in group:
            yield shown(f"  {one.name:8}{' '.join(one.labels):12}", one.formula, DIM)
            if one.line:
                yield shown(f"{margin}numpy  {figures(one.value, 6)}")
            if both := compared(one, others):
                other, said, bad = both
                yield shown(f"{margin}torch  {other}  ", said, RED if bad else GREEN)


def markdown(q: Problem, quantities: list[Quantity]) -> str:
    """The trace as tables, for the notes."""
    out = ["| given | value |", "|---|---|", *(f"| `{name}` | `{figures(v, 1)}` |" for name, v in given(q).items())]
    for title, group in groupby(quantities, heading):
        out += ["", f"*{title}*", "", "| quantity | label | the line | value |", "|---|---|---|---|"]
        out += [f"| `{one.name}` | {' '.join(one.labels)} | `{one.formula}` | `{figures(one.value)}` |" for one in group]
    return "\n".join(out)
