"""Between a formula of the notes and the line of code beside it: the part of the formula that is meant, and the letters.

The notes write h⁺ for the state that a step returns and h for the one that it reads; the code calls both ``h``, one after
the other.  Such pairs are data here.  The tests hold them to the notes and to the code: no letter may be missing.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...labels import Equation


class Pair(NamedTuple):
    """The letters that differ between a line of code and its formula, code -> LaTeX."""

    left: Mapping[str, str] = {}  # what the line computes
    right: Mapping[str, str] = {}  # what it reads; a longer piece of code stands before its parts
    of: tuple[str, ...] = ()  # the left-hand sides of the formula; else those of ``left``, or the quantity's own name


INPUT = r"x W_{ih}^\top + b_{ih}"
ALL = {"A.sum(0)": r"\sum_{b} da_{b}", "A": "da", "rows(k.x)": "x", "rows(k.h[:-1])": "h", "db": r"\sum_{b} da_{b}"}


def all_steps(label: str) -> dict[str, Pair]:
    """What RNN and LSTM do for all steps at once."""
    whole = {f"{name} {label}": Pair(right=ALL) for name in ("dW_ih", "dW_hh", "db_ih", "db_hh", "dx")}
    return whole | {f"db {label}": Pair({"db": "db_{ih} = db_{hh}"}, ALL, ("db_{ih}",))}


# By a quantity of the trace and its labels; one that is missing has the letters of its formula.
RNN = {
    "a_x R1": Pair({"a_x": INPUT}, {"rows(x)": "x"}, ("a",)),
    "a R1": Pair({}, {"a_x": INPUT}),
    "h R2": Pair({"h": "h^{+}"}, {"np.tanh": r"\varphi", "relu": r"\varphi"}, ("h^{+}", r"\varphi")),
    "da R2*": Pair({}, {"np.where(h.real <= 0, 0, dh)": r"dh^{+} \circ \varphi'(a)", "(1 - h**2)": r"\varphi'(a)", "dh": "dh^{+}"}),
    "dh_prev R1*": Pair({"dh_prev": "dh"}),
    **all_steps("R1*"),
}
LSTM = {
    "a_x L1": Pair({"a_x": INPUT}, {"rows(x)": "x"}, ("a",)),
    **{f"a_{g} L1": Pair({g: f"a_{g}"}, {"a_x": INPUT}, ("a",)) for g in "ifgo"},
    **{f"{g} L2": Pair({}, {g: f"a_{g}"}) for g in "ifgo"},
    "c L3": Pair({"c": "c^{+}"}),
    "h L4": Pair({"h": "m"}, {"c": "c^{+}"}, ("m", "h^{+}")),
    "h L5": Pair({"h": "h^{+}"}, {"h": "m"}),
    "dh L5*": Pair({"dh": "dm"}, {"dh": "dh^{+}"}),
    "do L4*": Pair({}, {"dh": "dm"}),
    "dc L4*": Pair({"dc": "dc^{+}"}, {"dc": "dc^{+}", "dh": "dm"}),
    "di L3*": Pair({}, {"dc": "dc^{+}"}),
    "df L3*": Pair({}, {"dc": "dc^{+}", "c_prev": "c"}),
    "dg L3*": Pair({}, {"dc": "dc^{+}"}),
    "dh_prev L1*": Pair({"dh_prev": "dh"}),
    "dc_prev L3*": Pair({"dc_prev": "dc"}, {"dc": "dc^{+}"}),
    "m L4": Pair({}, {"split(k.gates, 4)[3]": "o", "k.c[1:]": "c^{+}"}),
    "dW_hr L5*": Pair({}, {"rows(d.dh[1:])": "dh^{+}", "rows(m)": "m"}),
    **all_steps("L1*"),
}
PROJECTED = LSTM | {"h L4": Pair({"h": "m"}, {"c": "c^{+}"})}
GATES = {
    "a_x[:, : 2 * H]": r"x W_{ir}^\top + b_{ir},\; x W_{iz}^\top + b_{iz}",
    "p.W_hh[: 2 * H]": r"W_{hr},\; W_{hz}",
    "p.b_hh[: 2 * H]": r"b_{hr},\; b_{hz}",
}
EVERY = "G1* G2* G3*"
GRU = {
    "a_x G1 G3": Pair(
        {"a_x": r"x W_{ir}^\top + b_{ir},\; x W_{iz}^\top + b_{iz},\; x W_{in}^\top + b_{in}"},
        {"rows(x)": "x", "p.W_ih": r"W_{ir},\; W_{iz},\; W_{in}", "p.b_ih": r"b_{ir},\; b_{iz},\; b_{in}"},
        ("r", "z", "n"),
    ),
    **{f"{g} G1": Pair({"rz": r"r,\; z"}, GATES, ("r", "z")) for g in "rz"},
    "q G2": Pair({}, {"p.W_hh[2 * H :]": "W_{hn}", "p.b_hh[2 * H :]": "b_{hn}"}),
    "n G3": Pair({}, {"a_x[:, 2 * H :]": r"x W_{in}^\top + b_{in}"}),
    "h G4": Pair({"h": "h^{+}"}),
    "dn G4*": Pair({}, {"dh": "dh^{+}"}),
    "dz G4*": Pair({}, {"dh": "dh^{+}", "h_prev": "h"}),
    "dh G4*": Pair({"dh": "dh^{(4)}"}, {"dh": "dh^{+}"}),
    "dh_q G2*": Pair({"dh_q": "dk"}, {"p.W_hh[2 * H :]": "W_{hn}"}),
    "dr G2*": Pair({}, {"dh_q": "dq W_{hn}", "h_prev": "h"}),
    "dh G1* G2*": Pair(
        {},
        {"da_rz @ p.W_hh[: 2 * H]": "dh^{(1)}", "(dh_q * r)": "dh^{(2)}", "dh_q": "dh^{(2)}", "dh": "dh^{(4)}"},
        ("dh", "dh^{(1)}", "dh^{(2)}"),
    ),
    "h_q G2": Pair({"h_q": "h"}, {"k.h[:-1]": "h"}, ("q",)),
    "dW_hh G1* G2*": Pair(
        {"dW_hh": r"dW_{hr},\; dW_{hz},\; dW_{hn}"},
        {"A_h[:, : 2 * H]": r"da_r,\; da_z", "A_h[:, 2 * H :]": "dq", "rows(k.h[:-1])": "h", "rows(h_q)": "k"},
        ("dW_{hr}", "dW_{hz}", "dW_{hn}"),
    ),
    f"dW_ih {EVERY}": Pair({}, {"A_x": "da_x", "rows(k.x)": "x"}),
    f"db_ih {EVERY}": Pair({}, {"A_x.sum(0)": r"\sum_{b} da_{x,b}"}),
    f"db_hh {EVERY}": Pair(
        {"db_hh": r"db_{hr},\; db_{hz},\; db_{hn}"},
        {"A_h.sum(0)": r"\sum_{b} da_{r,b},\; \sum_{b} da_{z,b},\; \sum_{b} dq_{b}"},
        ("db_{hr}", "db_{hz}", "db_{hn}"),
    ),
    "dx G1* G3*": Pair({}, {"A_x": "da_x"}),
}
BEFORE = GRU | {"h_q G2": Pair({"h_q": r"r \circ h"}, {"k.h[:-1]": "h"}, ("q",))}
LETTERS = {"rnn": RNN, "rnn-relu": RNN, "lstm": LSTM, "lstm-proj": PROJECTED, "gru": GRU, "gru-before": BEFORE}


def bare(latex: str) -> str:
    """W_{ih} as the code writes it."""
    return latex.replace("{", "").replace("}", "")


def parts(pair: Pair, name: str, formulas: Sequence[str], last: bool) -> list[str]:
    """The formulas of a quantity among those of its labels.

    Where a label gives a quantity twice, once for each variant of the cell, the first is meant, or the last.
    """
    single = [one for formula in formulas for one in formula.split(r", \qquad ")]
    found = []
    for side in pair.of or tuple(pair.left.values()) or (name,):
        own = [one for one in single if bare(side) in map(bare, re.split(r" (?:=|\\leftarrow) ", one)[:-1])]
        found += own[-1:] if last else own[:1]
    return list(dict.fromkeys(found))


def differing(pair: Pair, line: str) -> list[tuple[str, str]]:
    """The letters of the code that its formula writes otherwise: what is computed as "c =", then what is read."""
    rows, rest = [(f"{code} =", latex) for code, latex in pair.left.items()], line
    for code, latex in pair.right.items():
        rest, count = re.subn(rf"(?<![\w.]){re.escape(code)}(?!\w)", " ", rest)
        if count:
            rows.append((code, latex))
    return rows


def of_labels(equations: Sequence[Equation], labels: Sequence[str]) -> list[str]:
    return [formula for e in equations if e.label in labels for formula in e.formulas]
