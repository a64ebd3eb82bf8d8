"""Layers and directions, and how a batch of sequences of different lengths is packed."""

from itertools import pairwise

from .geometry import Shape
from .svg import Canvas

LENGTHS = {"A": 3, "B": 2, "C": 2}  # the example of notes/cells/stack.md
COLOURS = {"A": "blue", "B": "green", "C": "purple"}
WIDE, HIGH = 42, 32  # of a step of a sequence, with the room around it


def stack(chinese: bool = False) -> Canvas:
    c = Canvas(520, 576, "Two layers in two directions", chinese=chinese, note="cells/stack")
    c.box(260, 34, 150, 34, "y  (T, B, 2H)", "soft")
    x = c.box(260, 500, 130, 34, "x  (T, B, I)", "soft")
    joins, drop = [c.box(260, at, 200, 34) for at in (330, 96)], c.box(260, 274, 200, 34)
    for join in joins:
        c.words(244, join.y, "side by side")
        c.label(334, join.y, "S3")
    c.words(244, drop.y, "dropout")
    c.label(334, drop.y, "S4")
    for layer, at in ((0, 420), (1, 186)):
        below, above = (x, drop)[layer], joins[layer]
        for direction, middle in enumerate((132, 388)):
            run(c, middle, at, layer, direction)
            c.arrow(below.edge((middle, below.y)), (middle, below.y), (middle, at + 44))
            c.arrow((middle, at - 44), (middle, above.y), above.edge((middle, above.y)))
    c.arrow((260, 313), (260, 291))
    c.arrow((260, 79), (260, 51))
    c.words(260, 552, "layer l, direction d: place 2·l + d of h₀ and hₙ")
    return c


def run(c: Canvas, x: float, y: float, layer: int, direction: int) -> None:
    """One layer in one direction, over three steps."""
    c.box(x, y, 240, 88, kind="frame")
    way, slot = 1 - 2 * direction, 2 * layer + direction
    c.words(x, y - 26, f"layer {layer}, {('forward', 'reverse')[direction]}")
    if direction:
        c.label(x + 96, y - 26, "S2")
    cells = [c.node(x + 40 * (t - 1), y + 12, f"{t}", "upright", radius=13) for t in range(3)][::way]
    ends = [Shape(x - way * 82, y + 12, 22, 20), *cells, Shape(x + way * 82, y + 12, 22, 20)]
    for one, other in pairwise(ends):
        c.arrow(one.edge((other.x, other.y)), other.edge((one.x, one.y)))
    c.name(x - way * 92, y + 12, f"h_0[{slot}]")
    c.name(x + way * 92, y + 12, f"h_n[{slot}]")


def packed(chinese: bool = False) -> Canvas:
    c = Canvas(480, 520, "A padded batch, its packed rows, and their segments", chinese=chinese, note="cells/stack")
    c.words(20, 26, "padded", "head start")
    grid(c, 62, 64, "BAC")
    c.arrow((206, 96), (262, 96))
    c.words(290, 26, "longest first", "head start")
    grid(c, 332, 64, "ABC")
    c.words(280, 172, "batch_sizes", "end")
    for t, size in enumerate((3, 3, 1)):
        c.name(332 + WIDE * t, 172, f"{size}", "upright")
    c.words(20, 222, "packed rows", "head start")
    row = 0
    for t in range(3):
        held = [name for name, length in LENGTHS.items() if t < length]
        c.box(48 + WIDE * (row + len(held) / 2 - 0.5) + 12 * t, 270, WIDE * len(held) + 4, HIGH + 8, kind="soft")
        for name in held:
            x = 48 + WIDE * row + 12 * t
            step(c, x, 270, name, t)
            c.words(x, 304, f"{row}", "faint")
            row += 1
    segments(c, 410)
    return c


def grid(c: Canvas, x: float, y: float, order: str) -> None:
    """One row for each sequence, one column for each step; what is padding is dotted."""
    for b, name in enumerate(order):
        c.name(x - 38, y + HIGH * b, name, COLOURS[name])
        for t in range(3):
            step(c, x + WIDE * t, y + HIGH * b, name, t)


def step(c: Canvas, x: float, y: float, name: str, t: int) -> None:
    true = t < LENGTHS[name]
    c.box(x, y, WIDE - 6, HIGH - 6, f"{name}_{t}" if true else "", COLOURS[name] if true else "out", radius=4)


def segments(c: Canvas, y: float) -> None:
    c.words(20, y - 56, "segments: the batch size is constant", "head start")
    c.label(440, y - 56, "S1")
    c.box(140, y + 36, 100, 112, kind="soft")
    c.box(330, y + 4, 58, 48, kind="soft")
    for name, length in LENGTHS.items():
        for t in range(length):
            step(c, (119, 161, 330)[t], y + 4 + HIGH * "ABC".index(name), name, t)
    for b in range(3):
        at = y + 4 + HIGH * b
        c.arrow((52, at), (90, at))
        c.arrow((190, at), (301 if b == 0 else 228, at))
    c.arrow((359, y + 4), (398, y + 4))
    c.name(34, y + 36, "h_0")
    c.name(246, y + 52, "h_n")
    c.name(416, y + 4, "h_n")
    c.words(246, y + 76, "B, C: ended", "start")
