"""The three cells: quantities and their sums are round, operations are boxes, and beside each arrow runs the gradient's.

A label stands at the arrow of what its line computes: L3 at c⁺, L3* at the gradients of what L3 reads.
"""

from .geometry import Point, Shape
from .svg import Canvas


def rnn_cell(chinese: bool = False) -> Canvas:
    c = Canvas(500, 314, "The RNN cell: forward and gradient", chinese=chinese, note="cells/rnn")
    h, w_hh = c.node(32, 58, "h"), c.box(144, 58, 84, 40, "W_hh, b_hh", "green")
    x, w_ih = c.node(244, 244, "x"), c.box(244, 154, 84, 40, "W_ih, b_ih", "blue")
    a, phi = c.node(244, 58, "a"), c.box(330, 58, 44, 38, "φ")
    new = c.node(414, 58, "h⁺")
    for one, other in ((h, w_hh), (w_hh, a), (x, w_ih), (w_ih, a), (a, phi), (phi, new)):
        c.flow(one, other)
    on(c, new, "dh⁺")
    c.label(244, 26, "R1")
    c.label(375, 38, "R2")
    c.label(284, 78, "R2*")
    read(c, 75, 80, "dh", "R1*")
    read(c, 276, 196, "dx", "R1*")
    weight(c, w_hh, 144, 122, "dW_hh, db_hh", "R1*")
    weight(c, w_ih, 356, 154, "dW_ih, db_ih", "R1*")
    legend(c, 292, h="hidden state")
    return c


def lstm_cell(chinese: bool = False) -> Canvas:
    c = Canvas(500, 586, "The LSTM cell: forward and gradient", chinese=chinese, note="cells/lstm")
    old, keep, add, new = c.node(32, 54, "c"), times(c, 112, 54), c.node(234, 54, "+", radius=12), c.node(404, 54, "c⁺")
    for one, other in ((old, keep), (keep, add), (add, new)):
        c.flow(one, other, kind="road")
    weights, h, x = c.box(226, 380, 308, 44), c.node(32, 380, "h"), c.node(226, 460, "x")
    gates = [c.box(at, 294, 46, 38, f, "upright") for at, f in ((112, "σ"), (192, "σ"), (276, "tanh"), (342, "σ"))]
    write, show, h_new = times(c, 234, 180), times(c, 404, 196), c.node(404, 346, "h⁺")
    tanh, narrow = c.box(404, 128, 46, 38, "tanh", "upright"), c.box(404, 272, 50, 36, "W_hr", "dotted purple")
    c.flow(gates[0], keep)
    c.flow(gates[1], write, (192, 180))
    c.flow(gates[2], write, (276, 180))
    c.flow(gates[3], show, (342, 196))
    for one, other in ((write, add), (new, tanh), (tanh, show), (show, narrow), (narrow, h_new), (h, weights), (x, weights)):
        c.flow(one, other)
    for gate, name in zip(gates, "figo", strict=True):
        c.flow(weights, gate)
        c.name(gate.x - 17, 250, name)
        c.name(gate.x - 21, 336, f"a_{name}")
    on(c, new, "dc⁺", "road")
    on(c, h_new, "dh⁺")
    c.name(146, 380, "W_hh, b_hh", "green")
    c.name(306, 380, "W_ih, b_ih", "blue")
    lstm_labels(c)
    read(c, 70, 76, "dc", "L3*")
    read(c, 60, 404, "dh", "L1*")
    read(c, 258, 420, "dx", "L1*")
    weight(c, weights, 340, 436, "dW, db", "L1*")
    weight(c, narrow, 472, 272, "dW_hr", "L5*")
    words = {"c": "cell state", "f": "forget gate", "i": "input gate", "h": "hidden state", "g": "candidate", "o": "output gate"}
    legend(c, 512, **words)
    return c


def lstm_labels(c: Canvas) -> None:
    for x, y, forward in ((66, 336, "L1"), (66, 250, "L2"), (319, 34, "L3"), (426, 236, "L4"), (426, 308, "L5")):
        c.label(x, y, forward)
    for x, y, back in (
        (136, 336, "L2*"),
        (136, 180, "L3*"),
        (234, 210, "L3*"),
        (368, 216, "L4*"),
        (380, 92, "L4*"),
        (380, 240, "L5*"),
    ):
        c.label(x, y, back)


def gru_cell(chinese: bool = False) -> Canvas:
    """Reset after the product, as torch has it."""
    c = Canvas(520, 624, "The GRU cell, reset after: forward and gradient", chinese=chinese, note="cells/gru")
    h, keep, add, new = c.node(32, 54, "h"), times(c, 132, 54), c.node(372, 54, "+", radius=12), c.node(436, 54, "h⁺")
    for one, other in ((h, keep), (keep, add), (add, new)):
        c.flow(one, other, kind="road")
    fork, rest, write = c.node(132, 134, radius=8), c.box(252, 134, 46, 36, "1 −", "upright"), times(c, 372, 134)
    tanh, total, reset = c.box(372, 206, 46, 38, "tanh", "upright"), c.node(372, 272, "+", radius=12), times(c, 282, 272)
    z, r = (c.box(x, 330, 46, 38, "σ", "upright") for x in (132, 206))
    w_rz, w_hn, w_in = (
        c.box(169, 400, 130, 48),
        c.box(282, 400, 76, 44, "W_hn, b_hn", "green"),
        c.box(372, 400, 76, 44, "W_in, b_in", "blue"),
    )
    c.name(169, 389, "W_{hr, hz}, b_{hr, hz}", "green")
    c.name(169, 411, "W_{ir, iz}, b_{ir, iz}", "blue")
    x, both = c.node(372, 520, "x"), c.node(132, 462, radius=8)
    for one, other in ((z, fork), (fork, keep), (fork, rest), (rest, write), (write, add), (tanh, write), (total, tanh)):
        c.flow(one, other)
    for one, other in ((reset, total), (w_hn, reset), (w_in, total), (w_rz, z), (w_rz, r), (both, w_rz), (x, w_in)):
        c.flow(one, other)
    c.flow(r, reset, (206, 272))
    c.flow(h, both, (32, 462))
    c.flow(both, w_hn, (282, 462))
    c.flow(x, w_rz, (206, 520))
    on(c, new, "dh⁺")
    gru_labels(c)
    read(c, 80, 484, "dh", "G1* G2*")
    read(c, 416, 460, "dx", "G1* G3*")
    weight(c, w_rz, 66, 400, "dW", "G1*")
    weight(c, w_in, 446, 400, "dW", "G1*")
    weight(c, w_hn, 306, 448, "dW", "G2*")
    legend(c, 576, h="hidden state", r="reset gate", z="update gate", n="candidate")
    return c


def gru_labels(c: Canvas) -> None:
    for x, y, name in ((116, 290, "z"), (190, 290, "r"), (266, 336, "q"), (356, 172, "n")):
        c.name(x, y, name)
    for x, y, forward in ((92, 290, "G1"), (244, 336, "G2"), (332, 172, "G3"), (404, 34, "G4")):
        c.label(x, y, forward)
    for x, y, back in (
        (82, 76, "G4*"),
        (156, 210, "G4*"),
        (396, 172, "G4*"),
        (396, 240, "G3*"),
        (306, 336, "G3*"),
        (244, 294, "G3*"),
    ):
        c.label(x, y, back)
    for x, y, back in ((156, 366, "G1*"), (230, 366, "G1*"), (156, 440, "G1*"), (258, 440, "G2*")):
        c.label(x, y, back)


def times(c: Canvas, x: float, y: float) -> Shape:
    """The product, element by element."""
    shape = c.node(x, y, radius=12)
    c.node(x, y, radius=3.5)
    return shape


def on(c: Canvas, s: Shape, gradient: str, kind: str = "") -> None:
    """On to the next step, and what comes back from it."""
    c.flow(s, Shape(s.x + 80, s.y, 20, 20), kind=kind)
    c.name(s.x + 44, s.y + 22, gradient, "gradient")


def read(c: Canvas, x: float, y: float, gradient: str, labels: str) -> None:
    """The gradient of what the cell reads, and the labels of the lines that compute it."""
    c.name(x, y, gradient, "gradient")
    c.label(x, y + 18, labels)


def weight(c: Canvas, s: Shape, x: float, y: float, gradients: str, labels: str) -> None:
    """The gradients of weights, which leave the path."""
    edge = s.edge((x, y))
    end: Point = (x, y - 14) if edge[0] == x else (edge[0] + (22 if x > s.x else -22), y)
    c.arrow(edge, end, kind="gradient")
    c.name(x, y, gradients, "gradient")
    c.label(x, y + 19, labels)


def legend(c: Canvas, y: float, /, **named: str) -> None:
    """What the names are, three in a row, and the two kinds of arrow."""
    for k, (name, word) in enumerate(named.items()):
        c.name(24 + k % 3 * 166, y + k // 3 * 26, name)
        c.words(38 + k % 3 * 166, y + k // 3 * 26, word, "start")
    x, y = 16 + len(named) % 3 * 166, y + len(named) // 3 * 26
    c.arrow((x, y), (x + 34, y))
    c.words(x + 42, y, "forward", "start")
    c.arrow((x + 200, y), (x + 166, y), kind="gradient")
    c.words(x + 208, y, "gradient", "start")
