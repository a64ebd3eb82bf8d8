"""A recurrent network, folded and unrolled in time."""

from .svg import Canvas

CELLS = (104, 258, 412)  # the middles of the copies
WIDE, HIGH = 88, 84  # of a cell
UP, DOWN = 14, 14  # forward runs above the middle, the gradient below it


def unrolled(chinese: bool = False) -> Canvas:
    c = Canvas(520, 532, "An RNN, folded and unrolled over three time steps", chinese=chinese)
    folded(c, CELLS[0], 112)
    legend(c, 232, 54)
    copies(c, 390)
    return c


def folded(c: Canvas, x: float, y: float) -> None:
    c.words(16, 24, "folded", "head start")
    cell(c, x, y)
    c.arrow((x, y - HIGH / 2), (x, y - 66))
    c.name(x, y - 77, "y_t")
    c.arrow((x, y + 66), (x, y + HIGH / 2))
    c.name(x, y + 78, "x_t")
    c.arrow((x + WIDE / 2, y - UP), (x + 76, y - UP), (x + 76, y + DOWN), (x + WIDE / 2, y + DOWN))
    c.name(x + 90, y, "h")


def legend(c: Canvas, x: float, y: float) -> None:
    c.arrow((x, y), (x + 40, y))
    c.words(x + 54, y, "forward", "start")
    c.arrow((x + 40, y + 28), (x, y + 28), kind="gradient")
    c.words(x + 54, y + 28, "gradient", "start")
    c.name(x + 20, y + 56, "W_ih", "blue")
    c.name(x + 20, y + 82, "W_hh", "green")
    c.words(x + 54, y + 69, "the same in every step", "start")
    c.name(x, y + 112, "y_t = h_{t+1}", "start")
    c.name(x, y + 140, "dh_{t+1}", "gradient start")
    c.words(x + 54, y + 140, "both that arrive, added", "start")


def cell(c: Canvas, x: float, y: float) -> None:
    c.box(x, y, WIDE, HIGH)
    c.name(x, y - 17, "W_hh, b_hh", "green")
    c.name(x, y + 17, "W_ih, b_ih", "blue")


def copies(c: Canvas, y: float) -> None:
    """The cell three times, the loss above it and the sums of the weights' gradients below it."""
    middle, loss, sums = CELLS[1], y - 112, y + 116
    c.words(16, y - 152, "unrolled, T = 3", "head start")
    for row, text in ((loss, "loss ℓ"), (sums, "a weight's gradient: the sum over all steps")):
        c.box(middle, row, CELLS[-1] - CELLS[0] + WIDE, 32, kind="soft", radius=6)
        c.words(middle, row, text)
    for t, x in enumerate(CELLS):
        cell(c, x, y)
        c.arrow((x - 10, y - HIGH / 2), (x - 10, loss + 16))
        c.name(x - 26, y - 68, f"y_{t}")
        c.arrow((x + 10, loss + 16), (x + 10, y - HIGH / 2), kind="gradient")
        c.name(x + 28, y - 68, f"dy_{t}", "gradient")
        c.arrow((x - 14, y + 66), (x - 14, y + HIGH / 2))
        c.name(x - 14, y + 78, f"x_{t}")
        c.arrow((x + 14, y + HIGH / 2), (x + 14, sums - 16), kind="gradient")
    for t, (left, right) in enumerate(((22, 60), (148, 214), (302, 368), (456, 498))):
        c.arrow((left, y - UP), (right, y - UP))
        c.name((left + right) / 2, y - UP - 15, f"h_{t}")
        c.arrow((right, y + DOWN), (left, y + DOWN), kind="gradient")
    c.name(40, y + DOWN + 16, "dh_0", "gradient")
    c.name(478, y + DOWN + 16, "dh_n", "gradient")
