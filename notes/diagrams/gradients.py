"""Other ways to a gradient: the way back cut into windows, the way there walked twice, and no way back at all."""

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


def rtrl(chinese: bool = False) -> Canvas:
    title = "RTRL: the influence of the parameters goes forward beside the state"
    c = Canvas(520, 380, title, chinese=chinese, note="gradients/rtrl")
    c.box(260, 40, 480, 34, kind="soft")
    c.words(250, 40, "the gradient so far", "end")
    c.name(268, 40, "dθ", "gradient")
    c.label(294, 40, "RT3", "start")
    c.box(260, 316, 480, 34, kind="soft")
    c.words(250, 316, "the parameters", "end")
    c.name(264, 316, "θ")
    states = [c.node(50 + 140 * t, 232, f"s_{t}", "blue") for t in range(4)]
    influences = [c.box(50 + 140 * t, 132, 44, 34, f"M_{t}", "purple", radius=3) for t in range(4)]
    c.label(50, 164, "RT1")
    for t in range(3):
        x = 120 + 140 * t
        step, joined = c.box(x, 232, 40, 36), c.node(x, 132, radius=8)
        c.arrow(states[t].edge((x, 232)), step.edge((50, 232)))
        c.arrow(step.edge((520, 232)), states[t + 1].edge((x, 232)))
        c.arrow((x, 299), (x, 250))
        c.arrow((x, 214), (x, 140), kind="purple")
        c.name(x + 28, 180, f"J_{t}, D_{t}", "purple")
        c.arrow(influences[t].edge((x, 132)), joined.edge((0, 132)), kind="purple")
        c.arrow(joined.edge((520, 132)), influences[t + 1].edge((x, 132)), kind="purple")
        c.label(x, 112, "RT2")
        c.arrow((influences[t + 1].x, 115), (influences[t + 1].x, 57), kind="gradient")
        c.name(influences[t + 1].x - 18, 86, f"dy_{t}", "gradient")
    for x, kind, word in ((32, "blue", "state"), (132, "purple", "influence")):
        c.node(x, 358, kind=kind, radius=10)
        c.words(x + 18, 358, word, "start")
    return c


def hessian(chinese: bool = False) -> Canvas:
    title = "A Hessian-vector product: forward and backward, and the R of both"
    c = Canvas(520, 424, title, chinese=chinese, note="gradients/hessian")
    c.box(293, 212, 362, 34, kind="soft")
    c.words(293, 212, "loss ℓ")
    for y in (132, 292):  # what R reads of the passes themselves
        c.arrow((240, y), (280, y), kind="road")
    passes(c, 14, "", ("forward", "backward"), "")
    passes(c, 280, "R", ("R of forward", "R of backward"), " purple")
    c.name(74, 24, "θ")
    c.name(74, 400, "dθ", "gradient")
    c.name(314, 24, "R{θ} = v", "purple")
    c.label(384, 24, "HV1", "start")
    c.label(492, 92, "HV2", "end")
    c.label(492, 333, "HV3", "end")
    c.name(314, 400, "R{dθ} = ∇²ℓ v", "purple")
    c.label(384, 400, "HV4", "start")
    return c


def passes(c: Canvas, left: float, of: str, words: tuple[str, str], colour: str) -> None:
    """Forward above and backward below, from ``left`` on; between them the loss, and beside it what backward reads of forward."""
    back, places = f"gradient{colour}", [left + (34 if of else 60) + 66 * t for t in range(3)]
    for y, word, at in ((117, words[0], 92), (307, words[1], 333)):
        c.box(left + 113, y, 226, 90, kind="soft")
        c.words(left + 14, at, word, "head start")
    c.arrow((places[0], 36), (places[0], 72), kind=colour)
    c.arrow((places[0], 352), (places[0], 386), kind=back)
    road = 490 if of else 30
    c.arrow((road, 162), (road, 262), kind="road")
    for t, x in enumerate(places):
        c.node(x, 132, f"{of}h_{t}", colour.strip() or "blue", radius=23)
        c.node(x, 292, f"{of}dh_{t}", back, radius=23)
    for t, (before, after) in enumerate(pairwise(places)):
        c.arrow((before + 23, 132), (after - 23, 132), kind=colour)
        c.arrow((after - 23, 292), (before + 23, 292), kind=back)
        c.arrow((after, 155), (after, 195), kind=colour)
        c.arrow((after, 229), (after, 269), kind=back)
        c.name(after - 6, 178, f"{of}y_{t}", f"end{colour}")
        c.name(after - 6, 246, f"{of}dy_{t}", f"end {back}")
