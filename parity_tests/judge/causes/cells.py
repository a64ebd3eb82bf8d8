"""Misreadings of a line of a cell.  What is changed is the code of ``reference``, so that nothing of it is written twice."""

from collections.abc import Iterator

from ..cases import Case
from .misreadings import Misreading
from .reading import Edit, Reading

Line = tuple[str, tuple[Edit, ...]]  # a sentence, and the code that makes it true

STEP = "step_forward"
HARD = "np.clip(0.2 * {0} + 0.5, 0, 1)"
CELLS: dict[str, tuple[Line, ...]] = {
    "rnn": (("the state is not carried on: every step starts from the initial one", (("forward", "h[t]", "h[0]"),)),),
    "lstm": (
        (
            "there is no tanh on the cell state before the output gate",
            (
                (STEP, "o * np.tanh(c)", "o * c"),
                ("step_backward", "np.tanh(c)", "c"),
                ("step_backward", "1 - u**2", "1"),
                ("backward", "np.tanh(k.c[1:])", "k.c[1:]"),
            ),
        ),
        ("1 is added to the forget gate's bias", ((STEP, "sigmoid(f)", "sigmoid(f + 1)"),)),
        (
            "the candidate g goes through a sigmoid, not tanh",
            ((STEP, "np.tanh(g)", "sigmoid(g)"), ("step_backward", "dg * (1 - g**2)", "dg * g * (1 - g)")),
        ),
        ("σ is the hard sigmoid", tuple((STEP, f"sigmoid({g})", HARD.format(g)) for g in "ifo")),
        ("the old cell state is not scaled by the forget gate", ((STEP, "f * c", "c"), ("step_backward", "dc * f", "dc"))),
        ("h is not carried on: every step starts from the initial one", (("forward", "h[t]", "h[0]"),)),
    ),
    "gru": (
        (
            "the hidden bias of n is outside the reset",
            (
                (STEP, "r * q", "r * (q - p.b_hh[2 * H :]) + p.b_hh[2 * H :]"),
                ("step_backward", "da_n * q", "da_n * (q - p.b_hh[2 * H :])"),
                ("backward", "A_h.sum(0)", "A_x.sum(0)"),
            ),
        ),
        (
            "the candidate n goes through a sigmoid, not tanh",
            ((STEP, "np.tanh", "sigmoid"), ("step_backward", "dn * (1 - n**2)", "dn * n * (1 - n)")),
        ),
        ("σ is the hard sigmoid", ((STEP, "sigmoid", "(lambda a: np.clip(0.2 * a + 0.5, 0, 1))"),)),
        ("the state is not carried on: every step starts from the initial one", (("forward", "h[t]", "h[0]"),)),
    ),
}
NEW_STATE = (
    "the gradient of weight_hh pairs each step with the state after it",
    (("backward", "rows(k.h[:-1])", "rows(k.h[1:])"),),
)
BACKWARD: dict[str, tuple[Line, ...]] = {
    "rnn": (
        ("the derivative of tanh is 1 - h", (("step_backward", "1 - h**2", "1 - h"),)),
        (
            "the derivative of the nonlinearity is left out",
            (("step_backward", "dh * (1 - h**2)", "dh"), ("step_backward", "np.where(h.real <= 0, 0, dh)", "dh")),
        ),
        ("weight_hh is transposed in the backward", (("step_backward", "da @ p.W_hh", "da @ p.W_hh.T"),)),
        NEW_STATE,
    ),
    "lstm": (
        ("the output gate's gradient lacks tanh of the cell state", (("step_backward", "dh * u", "dh"),)),
        ("the derivative of tanh of the cell state is left out", (("step_backward", "1 - u**2", "1"),)),
        ("the derivative of the candidate g is left out", (("step_backward", "dg * (1 - g**2)", "dg"),)),
        ("the forget gate's gradient takes the new cell state, not the old one", (("step_backward", "dc * c_prev", "dc * c"),)),
        (
            "the gradient of the cell state is not carried back through time",
            (("step_backward", "dc + dh * o * (1 - u**2)", "dh * o * (1 - u**2)"),),
        ),
        ("the gradient of the cell state is carried back without the forget gate", (("step_backward", "dc * f", "dc"),)),
        NEW_STATE,
    ),
    "gru": (
        ("the reset gate gets no gradient", (("step_backward", "da_n * q if reset_after else dh_q * h_prev", "0 * da_n"),)),
        ("the update gate's gradient has the wrong sign", (("step_backward", "dh * (h_prev - n)", "dh * (n - h_prev)"),)),
        ("the gradient past the update gate, z ∘ dh, is lost", (("step_backward", "dh * z", "0 * dh"),)),
        ("the derivative of the candidate n is left out", (("step_backward", "dn * (1 - n**2)", "dn"),)),
        (
            "the reset gate is left out of the gradient of weight_hh and of the state",
            (
                ("step_backward", "da_n * r if reset_after else da_n", "da_n"),
                ("step_backward", "dh_q if reset_after else dh_q * r", "dh_q"),
            ),
        ),
    ),
}
# Of each room: what the step is given besides p and a_x, the bias's gradient, and that of a_h.
FIRST = {
    "rnn": ("h[t], nonlinearity", "db.copy()", "d.da"),
    "lstm": ("h[t], c[t]", "db.copy()", "d.da"),
    "gru": ("h[t], reset_after", "A_h.sum(0)", "d.da_h"),
}


def cells(case: Case) -> Iterator[Misreading]:
    """One line of a cell is another."""
    cell = case.spec.cell
    for sentence, edits in CELLS[cell]:
        yield Misreading(sentence, (Reading(room=f"cells/{cell}", edits=edits),))
    if case.spec.bias and not (case.state and case.lengths):  # a later block of a packed batch begins at t = 0 too
        yield from first_steps(cell, case.state)


def backward_lines(case: Case) -> Iterator[Misreading]:
    """One line of a cell's backward is another."""
    for sentence, edits in BACKWARD[case.spec.cell]:
        yield Misreading(sentence, (Reading(room=f"cells/{case.spec.cell}", edits=edits),))


def first_steps(cell: str, state: bool) -> Iterator[Misreading]:
    """A hidden bias is lost at the first step; without a state that is where h is still zero."""
    given, gradient, da = FIRST[cell]
    call = f"step_forward(p, a_x[t], {given})"
    later, first = ("t", "1") if state else ("t or h[0].any()", "(not k.h[0].any())")
    lost = {"b_hh": ("0 * p.b_hh", "1")}
    if cell == "gru":
        lost["b_hn"] = ("np.where(np.arange(len(p.b_hh)) < 2 * s.h.shape[1], p.b_hh, 0)", "(np.arange(3 * H) >= 2 * H)")
    for bias, (value, rows) in lost.items():
        forward = ("forward", call, call.replace("(p,", f"(p if {later} else p._replace(b_hh={value}),"))
        backward = ("backward", gradient, f"{gradient} - {first} * {rows} * {da}[0].sum(0)")
        yield Misreading(f"{bias} is left out at the first step", (Reading(room=f"cells/{cell}", edits=(forward, backward)),))
