"""The worked examples of the cells: T = 3, B = 1, I = 1, H = 2, seed 0, by the trace of the room's own lines."""

from . import ROOMS, Problem, Quantity, problem, trace
from .text import markdown


def text(cell: str) -> str:
    """The generated part of a cell's note: two sums written out, then every quantity of every step."""
    q = problem(ROOMS[cell])
    quantities = trace(ROOMS[cell], q)
    return (
        f"{by_hand(q, quantities)}\n\n<details><summary>What is given, and every quantity of every step</summary>\n\n"
        f"{markdown(q, quantities)}\n\n</details>"
    )


def by_hand(q: Problem, quantities: list[Quantity]) -> str:
    """The first pre-activation and one weight gradient, as one would write them down."""
    p = q.p
    first = (
        f"x {term(q.x[0, 0, 0])} · {term(p.W_ih[0, 0])}, b_ih {term(p.b_ih[0])}, "
        f"h {term(q.s.h[0, 0])} · {term(p.W_hh[0, 0])} + {term(q.s.h[0, 1])} · {term(p.W_hh[0, 1])}, "
        f"b_hh {term(p.b_hh[0])}"
    )
    a = q.x[0, 0, 0] * p.W_ih[0, 0] + p.b_ih[0] + q.s.h[0] @ p.W_hh[0] + p.b_hh[0]
    dW_ih = next(one.value for one in quantities if one.name == "dW_ih")
    backwards = [one for one in quantities if one.verb == "step_backward" and one.name in ("da", "da_i", "da_r")]
    pairs = zip(backwards[::-1], q.x[:, 0, 0], strict=True)
    terms = " + ".join(f"{term(da.value[0, 0], 4)} · {term(x)}" for da, x in pairs)
    return (
        f"The first entry of the first pre-activation is the sum of {first}: together {a:.2f}.\n\n"
        f"The first entry of `dW_ih` is a sum over the three steps of $da$ times $x$: "
        f"{terms} = {dW_ih[0, 0]:.4f}."
    )


def term(v: float, digits: int = 1) -> str:
    number = f"{float(v):.{digits}f}"
    return f"({number})" if v < 0 else number
