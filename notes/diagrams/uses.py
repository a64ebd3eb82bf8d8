"""Where dropout acts, what a language model is made of, what a classifier reads, and three ways to forecast."""

from itertools import pairwise

from .svg import Canvas

KEEP = ("1011", "0101", "1110")  # four features: which of them each step keeps


def dropout(chinese: bool = False) -> Canvas:
    c = Canvas(460, 380, "Dropout acts between layers, not between steps", chinese=chinese, note="cells/stack")
    for t, x in enumerate((130, 230, 330)):
        c.name(x, 356, f"x_{t}")
        c.name(x, 28, f"y_{t}")
        for start, end in ((344, 306), (262, 222), (162, 122), (78, 40)):
            c.arrow((x, start), (x, end))
        for y in (284, 100):
            c.box(x, y, 48, 44)
            if t:
                c.arrow((x - 76, y), (x - 24, y), kind="road")
        c.box(x, 192, 70, 60, kind="lit orange")
        for k, keep in enumerate(KEEP[t]):
            c.box(x - 24 + 16 * k, 192, 12, 34, kind="bar" if keep == "1" else "dotted", radius=2)
    for y, text in ((284, "layer 0"), (192, "dropout"), (100, "layer 1")):
        c.words(74, y, text, "end")
    c.label(376, 192, "S4", "start")
    return c


def language_model(chinese: bool = False) -> Canvas:
    c = Canvas(460, 530, "One step of a language model, from a token to the loss", chinese=chinese, note="models/language_model")
    x = 190
    c.box(x, 492, 90, 32, "token_t")
    table, head = c.box(x, 416, 62, 36, "E", "blue"), c.box(x, 130, 72, 36, "W, b", "green")
    row, logits = c.node(x, 346, "x_t"), c.node(x, 60, "z_t")
    cell, out = c.box(x, 272, 84, 42, "rnn", "upright"), c.node(x, 200, "y_t")
    before, after = (c.node(side, 272, name, radius=23) for side, name in ((50, "s_t"), (330, "s_{t+1}")))
    loss = c.box(370, 60, 100, 36, kind="soft")
    c.arrow((x, 476), (x, 434))
    for a, b in pairwise((table, row, cell, out, head, logits, loss)):
        c.flow(a, b)
    c.flow(before, cell)
    c.flow(cell, after)
    c.words(370, 60, "loss ℓ")
    c.arrow((370, 118), (370, 78))
    c.name(370, 132, "target_t", "upright green")
    for y, width, name, label in ((416, 31, "dE", "U1*"), (130, 36, "dW, db", "U4*")):
        c.arrow((x + width, y), (x + width + 36, y), kind="gradient")
        c.name(x + width + 66, y, name, "gradient")
        c.label(x + width + 66, y + 20, label)
    for place, y, label in ((x - 44, 416, "U1"), (x - 30, 242, "U3"), (x + 34, 242, "U3*"), (x - 50, 130, "U4")):
        c.label(place, y, label)
    c.label(262, 42, "U5")
    c.label(262, 80, "U5*")
    c.words(x - 24, 346, "a row of the table", "end")
    c.words(x - 24, 60, "logits", "end")
    return c


def classifier(chinese: bool = False) -> Canvas:
    c = Canvas(500, 364, "A classifier reads the last state of each direction", chinese=chinese, note="models/classifier")
    for y, word, way in ((156, "forward direction", 1), (300, "reverse direction", -1)):
        cells = [c.box(x, y, 44, 40, kind="green" if x == (400, 100)[y > 200] else "") for x in (100, 200, 300, 400)]
        for one, other in pairwise(cells[::way]):
            c.arrow(one.edge((other.x, y)), other.edge((one.x, y)))
        c.words(250, y - 36 if way > 0 else y + 38, word)
    for t, x in enumerate((100, 200, 300, 400)):
        c.node(x, 228, f"x_{t}", "blue")
        c.arrow((x, 211), (x, 176))
        c.arrow((x, 245), (x, 280))
    c.label(450, 228, "C2")
    c.box(250, 84, 130, 34, "u", "soft")
    c.label(290, 84, "C3")
    c.arrow((422, 156), (462, 156), (462, 84), (315, 84), kind="green")
    c.arrow((78, 300), (38, 300), (38, 84), (185, 84), kind="green")
    c.arrow((250, 67), (250, 38))
    c.words(250, 24, "class")
    return c


DECODERS = ((196, "recursive: one network, from step to step", ""), (396, "encoder and decoder: a second network", "purple"))


def forecaster(chinese: bool = False) -> Canvas:
    title = "A forecaster's three modes: direct, recursive, encoder and decoder"
    c = Canvas(500, 572, title, chinese=chinese, note="models/forecaster")
    c.words(20, 26, "direct: all steps at once", "head start")
    c.label(480, 26, "Y1", "end")
    read(c, 78, ("x_1", "x_2", "x_3"))
    c.box(390, 78, 130, 34, "f_1,  f_2,  f_3", "green")
    c.arrow((208, 78), (325, 78))
    for y, text, kind in DECODERS:
        c.words(20, y, text, "head start")
        c.label(480, y, "Y2 Y3 Y4 Y5", "end")
        read(c, y + 92, ("x_1", "x_2"))
        c.arrow((136, y + 92), (274, y + 92))
        for k, x in enumerate((294, 366, 438)):
            step(c, x, y + 92, k, kind)
    return c


def read(c: Canvas, y: float, names: tuple[str, ...]) -> None:
    """The rows that are known, one cell each."""
    for t, name in enumerate(names):
        x = 44 + 72 * t
        if t:
            c.arrow((x - 52, y), (x - 20, y))
        c.box(x, y, 40, 36)
        c.node(x, y + 58, name, "blue", radius=15)
        c.arrow((x, y + 43), (x, y + 18))


def step(c: Canvas, x: float, y: float, k: int, kind: str) -> None:
    """One step ahead: it reads the row before it, which the first time is known."""
    if k:
        c.arrow((x - 52, y), (x - 20, y))
        c.arrow((x - 57, y - 56), (x - 36, y - 56), (x - 36, y + 38), (x, y + 38), (x, y + 18), kind="orange")
    else:
        c.node(x, y + 58, "x_3", "blue", radius=15)
        c.arrow((x, y + 43), (x, y + 18))
    c.box(x, y, 40, 36, kind=kind)
    c.arrow((x, y - 18), (x, y - 41))
    c.node(x, y - 56, f"f_{k + 1}", "green", radius=15)
