"""Series in time: windows for a forecast, and a linear recurrence as a scan."""

from itertools import pairwise
from math import sin

from .geometry import towards
from .svg import Canvas

PAST, AHEAD = 5, 2  # rows of a window: T and K
PARTS = (("training", 0, 12), ("validation", 12, 17), ("test", 17, 22))
STEPS = 7  # of the recurrence


def windows(chinese: bool = False) -> Canvas:
    c = Canvas(520, 452, "Windows of a series: context and horizon", chinese=chinese)
    for word, start, end in PARTS:
        c.words((place(start) + place(end - 1)) / 2, 24, word, "head")
        if start:
            c.arrow((place(start - 0.5), 14), (place(start - 0.5), 384), kind="thin dotted", tipped=False)
    values = [(place(row), 84 - 18 * sin(row * 0.9) - 12 * sin(row * 0.31)) for row in range(PARTS[-1][2])]
    c.arrow(*values, tipped=False, radius=0)
    for x, y in values:
        c.node(x, y, radius=3.5)
    for k, origin in enumerate((5, 6, 7, 10, 11, 12, 15, 17, 20)):
        window(c, origin, 148 + 27 * k)
    c.box(34, 418, 36, 16, kind="soft blue", radius=4)
    c.words(62, 418, "context, T rows", "start")
    c.box(204, 418, 36, 16, kind="lit orange", radius=4)
    c.words(232, 418, "horizon, K rows", "start")
    c.box(374, 418, 36, 16, kind="lit out", radius=4)
    c.words(402, 418, "in no part", "start")
    return c


def place(row: float) -> float:
    return 31 + 21.8 * row


def window(c: Canvas, origin: int, y: float) -> None:
    """T rows that are read, K that are forecast; it belongs to the part that holds all of the K."""
    inside = any(start <= origin and origin + AHEAD <= end for _, start, end in PARTS)
    for start, rows, kind in ((origin - PAST, PAST, "soft blue"), (origin, AHEAD, "lit orange")):
        width = place(rows) - place(0)
        c.box(place(start - 0.5) + width / 2, y, width - 3, 16, kind=kind if inside else f"{kind} out", radius=4)


def scan(chinese: bool = False) -> Canvas:
    c = Canvas(520, 548, "A linear recurrence, step by step and as a scan", chinese=chinese, note="parts/linear_recurrence")
    c.words(20, 26, "the loop: T steps", "head start")
    c.label(500, 26, "LR3", "end")
    states = [c.node(column(t), 76, f"h_{t}", "green", radius=15) for t in range(STEPS + 1)]
    for t, (before, after) in enumerate(pairwise(states)):
        pair = c.node(after.x, 136, f"{t}", "upright", radius=14)
        c.arrow(before.edge((after.x, 76)), after.edge((before.x, 76)), kind="road")
        c.arrow(pair.edge((pair.x, 76)), after.edge((pair.x, 136)))
    c.words(20, 204, "the scan: ⌈log₂(T + 1)⌉ rounds", "head start")
    c.label(500, 204, "LR4", "end")
    rounds(c, 250)
    c.words(20, 496, "t: the pair of a step;  first (a, u), then (a′, u′), is one pair:", "start")
    c.name(20, 522, "(a′ ∘ a,  a′ ∘ u + u′)", "start")
    return c


def column(t: int) -> float:
    return 100 + 55 * t


def rounds(c: Canvas, y: float) -> None:
    """h_0, the pairs of the steps, and round by round what they become: round k reaches 2^(k-1) places back."""
    for k in range(4):
        at = y + 66 * k
        for t in range(STEPS + 1):
            for source in {t, t - 2 ** (k - 1)} if k else ():
                if source >= 0:
                    start, end = (column(source), at - 66), (column(t), at)
                    c.arrow(towards(start, end, 14), towards(end, start, 14))
            done = t < 2**k
            c.node(column(t), at, f"h_{t}" if done else "" if k else f"{t - 1}", "green" if done else "upright", radius=14)
        if k:
            c.words(20, at, f"round {k}", "start")
