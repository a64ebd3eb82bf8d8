"""What a recurrent network can read and say: the four patterns, the fourth at length, and the attention in it."""

from .svg import Canvas

SIDE = 34  # of a cell
PLACES = (76, 166, 256, 346)  # of the memory's steps
WEIGHTS = (0.1, 0.55, 0.25, 0.1)  # that the bars show
MIDDLE, WIDE = 205, 350  # of the boxes that span them


def patterns(chinese: bool = False) -> Canvas:
    c = Canvas(500, 508, "Four patterns of input and output", chinese=chinese)
    for k, (head, task, read, said, fed) in enumerate(
        (
            ("one to many", "generator: a name", (0,), (0, 1, 2, 3), True),
            ("many to one", "classifier: a good or bad review", (0, 1, 2, 3), (3,), False),
            ("many to many, in step", "tagger: the class of each word", (0, 1, 2, 3), (0, 1, 2, 3), False),
            ("many to many, out of step", "seq2seq: letters to sounds", (0, 1), (2, 3), True),
        )
    ):
        x, y = 16 + k % 2 * 244, 24 + k // 2 * 232
        c.words(x, y, head, "head start")
        c.words(x, y + 22, task, "start faint")
        pattern(c, x + 22, y + 118, read, said, fed)
    for x, kind, word in ((28, "blue", "input"), (136, "green", "output")):
        c.node(x, 482, kind=kind, radius=10)
        c.words(x + 20, 482, word, "start")
    c.arrow((252, 482), (286, 482), kind="orange")
    c.words(296, 482, "an output that is read next", "start")
    return c


def pattern(c: Canvas, x: float, y: float, read: tuple[int, ...], said: tuple[int, ...], fed: bool) -> None:
    """Four cells; which of them read and which say, and whether what is said is read next."""
    for t in range(4):
        at = x + 54 * t
        c.box(at, y, SIDE, SIDE)
        if t < 3:
            c.arrow((at + SIDE / 2, y), (at + 54 - SIDE / 2, y))
        if t in read:
            c.node(at, y + 62, kind="blue", radius=10)
            c.arrow((at, y + 52), (at, y + SIDE / 2))
        if t in said:
            c.node(at, y - 62, kind="green", radius=10)
            c.arrow((at, y - SIDE / 2), (at, y - 52))
        if fed and t in said and t + 1 in said:
            c.arrow(
                (at + 10, y - 62), (at + 27, y - 62), (at + 27, y + 40), (at + 54, y + 40), (at + 54, y + SIDE / 2), kind="orange"
            )


def seq2seq(chinese: bool = False) -> Canvas:
    c = Canvas(520, 500, "Encoder and decoder, with teacher forcing", chinese=chinese, note="models/seq2seq")
    c.arrow((186, 152), (440, 152), tipped=False)
    c.arrow((176, 226), (288, 226), kind="road")
    c.words(240, 132, "attention")
    c.label(240, 170, "Q5")
    c.words(240, 208, "last state")
    c.label(240, 246, "Q2")
    encoder(c, (40, 98, 156), 226)
    c.box(388, 34, 220, 34, kind="soft")
    c.words(240, 34, "loss ℓ")
    c.label(214, 34, "Q7", "end")
    for t, x in enumerate((308, 388, 468)):
        decoder(c, x, t)
    c.label(330, 194, "Q4")
    c.label(330, 126, "Q6")
    c.label(364, 322, "Q3")
    c.label(370, 84, "Q8 Q9", "end")
    c.words(98, 428, "encoder", "head")
    c.words(388, 428, "decoder", "head")
    c.arrow((40, 470), (72, 470), kind="green")
    c.words(82, 470, "the data's token (teacher forcing)", "start")
    c.arrow((328, 470), (360, 470), kind="orange")
    c.words(370, 470, "its own, fed back", "start")
    return c


def encoder(c: Canvas, places: tuple[int, ...], y: float) -> None:
    for n, x in enumerate(places):
        if n:
            c.arrow((x - 38, y), (x - 20, y))
        c.arrow((x, y - 22), (x, 167))
        c.arrow((x, 283), (x, y + 22))
        c.box(x, y, 40, 44)
        c.node(x, 300, f"x_{n}", "blue")
    c.box(98, 152, 176, 30, "", "soft")
    c.words(98, 152, "memory")
    c.label(40, 152, "Q1")


def decoder(c: Canvas, x: float, t: int) -> None:
    """Step t, and what it feeds to the next."""
    target = ("a", "b", "eos")
    c.name(x, 34, target[t], "upright green")
    if t < 2:
        c.arrow((x + 17, 98), (x + 40, 98), (x + 40, 300), (x + 69, 300), kind="orange")
        c.arrow((x + 20, 226), (x + 60, 226))
    c.box(x, 226, 40, 44, f"h_{t}")
    c.box(x, 152, 56, 30, f"c_{t} | h_{t}")
    c.arrow((x, 204), (x, 167))
    c.arrow((x, 137), (x, 115))
    c.node(x, 98, f"z_{t}")
    c.arrow((x, 81), (x, 51))
    if t:
        c.node(x, 300, radius=11)
        c.arrow((x, 289), (x, 248))
        c.arrow((x, 362), (x, 311), kind="green")
    else:
        c.arrow((x, 362), (x, 248), kind="green")
    c.name(x, 380, ("bos", *target)[t], "upright green")


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
