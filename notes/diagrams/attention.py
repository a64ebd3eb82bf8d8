"""Attention: one query against every step of the memory."""

from .svg import Canvas

PLACES = (76, 166, 256, 346)  # of the memory's steps
WEIGHTS = (0.1, 0.55, 0.25, 0.1)  # that the bars show
MIDDLE, WIDE = 205, 350  # of the boxes that span them


def attention(chinese: bool = False) -> Canvas:
    c = Canvas(520, 532, "Attention: scores, weights and context", chinese=chinese, note="parts/attention")
    for x in PLACES:  # the memory as what is summed: past the scores and behind the softmax
        c.arrow((x - 17, 464), (x - 32, 464), (x - 32, 132), kind="green")
    for y, label in ((116, "A6"), (248, "A5")):
        c.box(MIDDLE, y, WIDE, 32)
        c.label(MIDDLE + WIDE / 2 - 22, y, label)
    c.words(MIDDLE, 116, "weighted sum")
    c.name(MIDDLE, 248, "softmax", "upright")
    c.arrow((MIDDLE, 100), (MIDDLE, 58))
    c.node(MIDDLE, 40, "c_t", radius=18)
    c.words(MIDDLE + 30, 40, "context", "start")
    query(c)
    for s, (x, weight) in enumerate(zip(PLACES, WEIGHTS, strict=True)):
        c.arrow((x, 447), (x, 341), kind="green")
        c.node(x, 324, f"e_t{s}")
        c.arrow((x, 307), (x, 264))
        c.box(x, 232 - 30 * weight, 22, 60 * weight, kind="bar", radius=0)
        c.name(x, 180, f"α_t{s}")
        c.arrow((x, 166), (x, 132))
        c.node(x, 464, f"h_{s}", "green")
    c.words(MIDDLE, 504, "the encoder's outputs, read twice")
    c.words(384, 324, "scores", "start")
    c.label(384, 346, "A3 A4", "start")
    c.words(384, 180, "weights", "start")
    c.label(96, 420, "A2")
    return c


def query(c: Canvas) -> None:
    """The decoder's state, compared with every step."""
    c.arrow((452, 447), (452, 386), (PLACES[0] + 10, 386), kind="purple", tipped=False)
    for x in PLACES:
        c.arrow((x + 10, 386), (x + 10, 338), kind="purple")
    c.node(452, 464, "q_t", "purple")
    c.words(452, 504, "decoder's state")
    c.label(474, 420, "A1")
