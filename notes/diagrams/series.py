"""Series in time: windows for a forecast, and a linear recurrence as a scan."""

from math import sin

from .geometry import towards
from .svg import Canvas

PAST, AHEAD = 5, 2  # rows of a window: T and K
PARTS = (("training", 0, 12), ("validation", 12, 17), ("test", 17, 22))
STEPS = 8  # of the recurrence


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
    c = Canvas(520, 548, "A linear recurrence, step by step and as a scan", chinese=chinese)
    c.words(20, 26, "one after the other: T steps", "head start")
    c.name(500, 26, "h_{t+1} = a_t h_t + u_t", "end")
    before = c.node(32, 76, "h_0", radius=15)
    for t in range(STEPS):
        state, pair = c.node(column(t), 76, f"h_{t + 1}", "green", radius=15), c.node(column(t), 136, f"{t}", "upright", radius=12)
        c.arrow(before.edge((column(t), 76)), state.edge((before.x, 76)), kind="road")
        c.arrow(pair.edge((column(t), 76)), state.edge((column(t), 136)))
        before = state
    c.words(20, 204, "a scan: log₂ T rounds", "head start")
    rounds(c, 246)
    c.words(20, 492, "each node joins two runs of steps:", "start")
    c.name(20, 520, "(a, u), (a′, u′)  →  (a′ a,  a′ u + u′)", "start")
    return c


def column(t: int) -> float:
    return 100 + 55 * t


def rounds(c: Canvas, y: float) -> None:
    """Round k joins what ends at step t with what ends 2^(k-1) steps before it."""
    for k in range(4):
        at = y + 68 * k
        for t in range(STEPS):
            for source in {t, t - 2 ** (k - 1)} if k else ():
                if source >= 0:
                    start, end = (column(source), at - 68), (column(t), at)
                    c.arrow(towards(start, end, 14), towards(end, start, 14))
            done = t < 2**k
            c.node(column(t), at, f"h_{t + 1}" if done else "" if k else f"{t}", "green" if done else "upright", radius=14)
        if k:
            c.words(20, at, f"round {k}", "start")
