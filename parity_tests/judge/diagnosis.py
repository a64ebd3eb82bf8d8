"""Two more witnesses: each quantity of each time step against torch autograd, and gradients by the complex step.

Both judge one room at a time, one layer and direction.  ``diagnose`` turns the first into a sentence: the first
quantity, in the order of computation, on which a room and autograd disagree, and the equations that compute it.
"""

from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

import torch_impl.cells.gru
import torch_impl.cells.lstm
import torch_impl.cells.rnn
from reference.common.arrays import split

from .cases import KINDS, Case, Data, Spec, usual
from .numpy_layer import OWN
from .oracle import Tensors, complex_step, truth_of
from .tolerance import judge

Named = Any  # the Params or the State of a room, or their gradients: NamedTuples
STEPS = 5
AGREES = "agrees with autograd step by step"
TWINS = {"rnn": torch_impl.cells.rnn, "lstm": torch_impl.cells.lstm, "gru": torch_impl.cells.gru}

# Quantity -> the equations that produce it, in the order in which one step computes them.  An equation in parentheses
# would spoil all of SIDE_BY_SIDE, so it is innocent if one of them is right.
FORWARD = {
    "rnn": {"h": "R1 R2"},
    "lstm": {"i": "L1 L2", "f": "L1 L2", "g": "L1 L2", "o": "L1 L2", "c": "L3", "h": "L4 L5"},
    "gru": {"r": "G1", "z": "G1", "q": "G2", "n": "G3", "h": "G4"},
}
BACKWARD = {
    "rnn": {"da": "R2*", "dh": "R1*"},
    "lstm": {
        "da_o": "L2* L4* L5*",
        "da_i": "L2* L3* (L4*) (L5*)",
        "da_f": "L2* L3* (L4*) (L5*)",
        "da_g": "L2* L3* (L4*) (L5*)",
        "dc": "L3* (L4*) (L5*)",
        "dh": "L1*",
    },
    "gru": {"da_n": "G3* G4*", "da_z": "G1* G4*", "dq": "G3*", "da_r": "G1* G2* G3*", "dh": "G1* G2* G4*"},
}
LAST = {
    "rnn": {"dW_ih": "R1*", "dW_hh": "R1*", "db_ih": "R1*", "db_hh": "R1*", "dx": "R1*"},
    "lstm": {"dW_ih": "L1*", "dW_hh": "L1*", "db_ih": "L1*", "db_hh": "L1*", "dW_hr": "L5*", "dx": "L1*"},
    "gru": {"dW_ih": "G1* G3*", "dW_hh": "G1* G2*", "db_ih": "G1* G3*", "db_hh": "G1* G2*", "dx": "G1* G3*"},
}
# What one step computes side by side: if all are wrong, what they share is wrong.
SIDE_BY_SIDE = {"rnn": set(), "lstm": {"da_i", "da_f", "da_g", "dc"}, "gru": set()}


class Problem(NamedTuple):
    """What goes into one room."""

    spec: Spec
    p: Named
    x: np.ndarray  # (T, B, I)
    s: Named
    dy: np.ndarray  # (T, B, P)
    ds: Named
    options: dict[str, Any]


def problem(kind: str, room: ModuleType, T: int = STEPS, B: int = 4) -> Problem:
    """A random problem for one layer of one kind of cell."""
    case = witness(kind, T, B)
    return posed(case.spec, room, case.data())


def witness(kind: str, T: int = STEPS, B: int = 4) -> Case:
    return Case(usual(kind, dtype="float64"), T=T, B=B, label="witness")


def posed(spec: Spec, room: ModuleType, data: Data) -> Problem:
    """The data of a case with one layer and direction as a room takes it."""
    assert data.state is not None
    s, ds = (room.State(*(v[0] for v in state)) for state in (data.state, data.dstate))
    options = {} if spec.cell == "lstm" else {OWN[spec.cell]: getattr(spec, OWN[spec.cell])}
    return Problem(spec, room.Params(*data.weights.values()), data.x, s, data.dy, ds, options)


def by_room(room: ModuleType, q: Problem) -> Tensors:
    """Every quantity of every step as a room computes it; dh and dc have T+1 steps."""
    k = room.forward(q.p, q.x, q.s, **q.options)[2]
    d = room.deltas(q.dy, q.ds, k)
    dp, dx, _ = room.backward(q.dy, q.ds, k)
    values = {"h": k.h[1:]}
    da = d.da_x if q.spec.cell == "gru" else d.da
    if q.spec.cell == "rnn":
        values["da"] = da
    else:
        values |= dict(zip(room.GATES, split(k.gates, len(room.GATES)), strict=True))
        values |= {f"da_{g}": v for g, v in zip(room.GATES, split(da, len(room.GATES)), strict=True)}
    if q.spec.cell == "lstm":
        values |= {"c": k.c[1:], "dc": d.dc}
    if q.spec.cell == "gru":
        values |= {"q": k.q, "dq": split(d.da_h, 3)[2]}
    return values | {"dh": d.dh, "dx": dx} | _weights(dp)


def by_autograd(q: Problem) -> Tensors:
    """The same quantities from the PyTorch twin's steps, differentiated by autograd."""

    def leaf(v):
        return None if v is None else torch.tensor(v, requires_grad=True)

    cell, twin = q.spec.cell, TWINS[q.spec.cell]
    p, x, s, gates = type(q.p)(*map(leaf, q.p)), leaf(q.x), list(map(leaf, q.s)), []
    steps: dict[str, list] = {"a": [], "h": [s[0]], "c": s[1:], "q": []}
    y, c_new = [], []
    for x_t in x:
        a = torch.nn.functional.linear(x_t, p.W_ih, p.b_ih)
        out = twin.step_forward(p, a, *s, **q.options)
        out = out if isinstance(out, tuple) else (out,)
        s = [out[0]]
        if cell == "lstm":  # what leaves along the cell path is a tensor of its own, with a gradient of its own
            c_new.append(out[1])
            s.append(out[1].clone())
            steps["c"].append(s[1])
        if cell == "gru":
            steps["q"].append(out[2])
        if cell != "rnn":
            gates.append(out[-1] if cell == "lstm" else out[1])
        steps["a"].append(a)
        steps["h"].append(s[0])
        y.append(s[0])
    kept = [v for vs in steps.values() for v in vs]
    wanted = [*kept, x, *(v for v in p if v is not None)]
    gradients = iter(torch.autograd.grad([torch.stack(y), *s], wanted, [torch.tensor(v) for v in (q.dy, *q.ds)]))
    grads: dict[str, Any] = {name: torch.stack([next(gradients) for _ in vs]).numpy() if vs else None for name, vs in steps.items()}
    values = {"h": _numpy(y), "dh": grads["h"], "dx": next(gradients).numpy()}
    values |= _weights(type(q.p)(*(None if v is None else next(gradients).numpy() for v in p)))
    if cell == "rnn":
        return values | {"da": grads["a"]}
    letters = {"lstm": "ifgo", "gru": "rzn"}[cell]
    values |= dict(zip(letters, split(_numpy(gates), len(letters)), strict=True))
    values |= {f"da_{g}": v for g, v in zip(letters, split(grads["a"], len(letters)), strict=True)}
    if cell == "lstm":
        return values | {"c": _numpy(c_new), "dc": grads["c"]}
    return values | {"q": _numpy(steps["q"]), "dq": grads["q"]}


def _numpy(tensors) -> np.ndarray:
    return torch.stack(tensors).detach().numpy()


def _weights(dp: Named) -> Tensors:
    return {f"d{field}": v for field, v in dp._asdict().items() if v is not None}


class Disagreement(NamedTuple):
    """Where a room and autograd part."""

    quantity: str
    step: int | None
    equations: str

    def __str__(self) -> str:
        at = "" if self.step is None else f" at t = {self.step} of T = {STEPS}"
        return f"{self.quantity}{at}, equation {' or '.join(self.equations.split())}"


def disagreements(kind: str, room: ModuleType) -> list[Disagreement]:
    """Every quantity on which the room and autograd disagree, in the order of computation, by the rule of tolerance.

    The room's own longdouble is the oracle and its float64 the baseline; autograd is the candidate.
    """
    case, cell = witness(kind), KINDS[kind]["cell"]
    oracle, baselines = truth_of(lambda data: by_room(room, posed(case.spec, room, data)), case.data(), jittered=2)
    other = by_autograd(problem(kind, TWINS[cell]))

    def wrong(labels: dict[str, str], axis: int | None = 0, backwards: bool = False) -> list[Disagreement]:
        verdicts = [
            judge(name, other[name], [b[name] for b in baselines], oracle[name], "float64", axis, backwards)
            for name in labels
            if name in oracle
        ]
        differ = [Disagreement(v.tensor, v.step, labels[v.tensor]) for v in verdicts if not v.ok]
        return sorted(differ, key=lambda d: (-1 if backwards else 1) * (d.step or 0))  # within a step they are in order

    return wrong(FORWARD[cell]) + wrong(BACKWARD[cell], backwards=True) + wrong(LAST[cell], axis=None)


@cache
def diagnose(kind: str, package: ModuleType) -> str:
    """A sentence on what is wrong in a package's room for this kind, or that nothing is."""
    cell = KINDS[kind]["cell"]
    try:
        differ = disagreements(kind, getattr(package, cell))
    except Exception as e:  # a broken room may raise anything; the sentence must still be written
        return f"{cell}.py raises {type(e).__name__}: {e}"
    if not differ:
        return f"{cell}.py {AGREES}; look in stack.py, packing.py and around them"
    return f"{cell}.py: {accuse(kind, differ)}"


def accuse(kind: str, differ: list[Disagreement]) -> Disagreement:
    """The first disagreement, with only those equations that can be the cause."""
    first, siblings = differ[0], SIDE_BY_SIDE[KINDS[kind]["cell"]]
    wrong = {d.quantity: set(d.equations.split()) for d in differ if d.step == first.step and d.quantity in siblings}
    suspects = first.equations.split()
    if first.quantity in siblings and wrong.keys() == siblings:
        suspects = [e for e in suspects if all(e in equations for equations in wrong.values())]
    elif first.quantity in siblings:
        suspects = [e for e in suspects if not e.startswith("(")]
    if kind != "lstm-proj":
        suspects = [e for e in suspects if "L5" not in e]
    return first._replace(equations=" ".join(e.strip("()") for e in suspects))


def by_complex_step(kind: str, room: ModuleType) -> tuple[Tensors, Tensors]:
    """(complex-step gradient, backward's) of every input of a small problem."""
    q = problem(kind, room, T=3, B=2)
    dp, dx, ds_0 = room.backward(q.dy, q.ds, room.forward(q.p, q.x, q.s, **q.options)[2])
    fields, states = room.Params._fields, [f"{f}_0" for f in room.State._fields]

    def named(p: Named, x: np.ndarray, s: Named) -> Tensors:
        return {k: v for k, v in zip((*fields, "x", *states), (*p, x, *s), strict=True) if v is not None}

    def rise(v: Tensors) -> float:
        y, s_n, _ = room.forward(room.Params(*map(v.get, fields)), v["x"], room.State(*(v[k] for k in states)), **q.options)
        return ((y * q.dy).sum() + sum((u * d).sum() for u, d in zip(s_n, q.ds, strict=True))).imag

    inputs = named(q.p, q.x, q.s)
    return complex_step(rise, inputs, list(inputs)), named(dp, dx, ds_0)
