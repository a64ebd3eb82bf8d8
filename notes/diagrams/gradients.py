"""Less memory for a gradient: the way back cut into windows, or the way there walked twice."""

from itertools import pairwise

from .svg import Canvas

WINDOW, STEPS = 3, 9


def place(t: float) -> float:
    """Of the state that enters step t."""
    return 40 + 49 * t


def chain(c: Canvas, y: float, kept: int) -> None:
    """All states; those at a multiple of ``kept`` are kept, the others dotted."""
    kinds = ["dotted" if t % kept else "blue" * (kept > 1) for t in range(STEPS + 1)]
    states = [c.node(place(t), y, f"h_{t}", kinds[t], radius=15) for t in range(STEPS + 1)]
    for before, after in pairwise(states):
        c.arrow(before.edge((after.x, y)), after.edge((before.x, y)))


REACHES = (("m = 1: one window", 1, "TB2 TB3"), ("m = 2: two windows", 2, "TB2 TB3"), ("BPTT: all of them", 3, "TB1*"))


def truncated_bptt(chinese: bool = False) -> Canvas:
    title = "Truncated BPTT: how far back the gradient of each window goes"
    c = Canvas(520, 352, title, chinese=chinese, note="gradients/truncated_bptt")
    c.words(20, 26, "forward: the state is carried on", "head start")
    c.label(500, 26, "TB1", "end")
    for n in range(STEPS // WINDOW):
        c.box(place(WINDOW * n + 2), 74, 49 * WINDOW - 6, 50, kind="soft")
    chain(c, 74, 1)
    for k, (text, reach, label) in enumerate(REACHES):
        y = 140 + 72 * k
        c.words(20, y, text, "head start")
        c.label(500, y, label, "end")
        for n in range(STEPS // WINDOW):
            back = max(n + 1 - reach, 0)
            level = y + 20 + 12 * n
            c.arrow((place(WINDOW * (n + 1)), level), (place(WINDOW * back) + 4, level), kind="gradient")
    return c


def checkpointed_bptt(chinese: bool = False) -> Canvas:
    title = "Checkpointed BPTT: few states are kept, the rest is computed again"
    c = Canvas(520, 420, title, chinese=chinese, note="gradients/checkpointed_bptt")
    c.words(20, 26, "forward: every third state is kept", "head start")
    c.label(500, 26, "CB1", "end")
    chain(c, 74, WINDOW)
    c.words(20, 136, "backward: segment by segment, forward once more", "head start")
    c.label(500, 136, "CB2", "end")
    for n in reversed(range(STEPS // WINDOW)):
        y = 184 + 64 * (2 - n)
        states = [
            c.node(place(t), y, f"h_{t}", "" if t % WINDOW else "blue", radius=15) for t in range(WINDOW * n, WINDOW * (n + 1) + 1)
        ]
        for before, after in pairwise(states):
            c.flow(before, after)
        if n:
            c.arrow((states[0].x, y + 15), (states[0].x, y + 49), kind="gradient")
    for x, kind, word in ((32, "blue", "kept"), (132, "dotted", "forgotten"), (262, "", "computed again")):
        c.node(x, 392, kind=kind, radius=10)
        c.words(x + 18, 392, word, "start")
    return c
