"""The quantities of notes.trace by autograd: ``values(cell, q) -> {(verb, t, name, labels): ndarray}``.

Each step is written out once more with a name for every intermediate result, so that autograd can be asked for its
gradient.  A state that several lines read is copied for each reader: the gradient of a copy is what that line sends back.
"""

from typing import Any

import torch
from torch.nn.functional import linear

from reference.common.arrays import Array

from . import LEAVING, Key, Problem

Tensors = dict[str, torch.Tensor]
Table = dict[str, dict[str, dict[str, str]]]


def same(*names: str) -> dict[str, str]:
    return dict(zip(names, names, strict=True))


# By cell and by the labels of a line: the quantities that it computes, and the tensors that they are, ...
FORWARD: Table = {
    "rnn": {"R1": same("a"), "R2": same("h")},
    "lstm": {"L1": same("a_i", "a_f", "a_g", "a_o"), "L2": same(*"ifgo"), "L3": same("c"), "L4": {"h": "m"}, "L5": same("h")},
    "gru": {"G1": same("r", "z"), "G2": same("q"), "G3": same("n"), "G4": same("h")},
}
# ... or those whose gradients they are.
BACKWARD: Table = {
    "rnn": {"R2*": {"da": "a"}, "R1*": {"dh_prev": "h_prev"}},
    "lstm": {
        "L5*": {"dh": "m"},
        "L4*": {"do": "o", "dc": "c"},
        "L3*": {"di": "i", "df": "f", "dg": "g", "dc_prev": "c_prev"},
        "L2*": {"da_i": "a_i", "da_f": "a_f", "da_g": "a_g", "da_o": "a_o"},
        "L1*": {"dh_prev": "h_prev"},
    },
    "gru": {
        "G4*": {"dn": "n", "dz": "z", "dh": "h in G4"},
        "G3*": {"da_n": "a_n", "dq": "q", "dr": "r"},
        "G2*": {"dh_q": "k", "dr": "r"},
        "G1*": {"da_r": "a_r", "da_z": "a_z"},
        "G1* G2*": {"dh": "h_prev"},
    },
}
# What forward keeps for a step's backward, and what a step makes of several parts: its gates, and what its backward returns.
KEPT = {"rnn": ("h",), "lstm": ("gates", "c_prev", "c"), "gru": ("gates", "q", "h_prev")}
GATES = {"rnn": ("h",), "lstm": tuple("ifgo"), "gru": tuple("rzn")}
RETURNED: dict[str, dict[str, tuple[str, ...]]] = {
    "rnn": {"da": ("a",), "dh": ("h_prev",)},
    "lstm": {"da": ("a_i", "a_f", "a_g", "a_o"), "dh": ("h_prev",), "dc": ("c_prev",)},
    "gru": {"da_x": ("a_r", "a_z", "a_n"), "da_h": ("a_r", "a_z", "q"), "dh": ("h_prev",)},
}
# All steps at once.
INPUT = {"rnn": "R1", "lstm": "L1", "gru": "G1 G3"}
LINEAR = same("db", "dW_ih", "dW_hh", "db_ih", "db_hh", "dx")
LAST: Table = {
    "rnn": {"R1*": LINEAR},
    "lstm": {"L4": same("m"), "L5*": same("dW_hr"), "L1*": LINEAR},
    "gru": {"G2": {"h_q": "k"}, "G1* G2*": same("dW_hh"), "G1* G3*": same("dx"), "G1* G2* G3*": same("dW_ih", "db_ih", "db_hh")},
}


def rnn(p: Any, a_x: torch.Tensor, s: Tensors, nonlinearity: str = "tanh") -> Tensors:
    a = a_x + linear(s["h"], p.W_hh, p.b_hh)
    return {"a": a, "h": torch.tanh(a) if nonlinearity == "tanh" else torch.relu(a)}


def lstm(p: Any, a_x: torch.Tensor, s: Tensors) -> Tensors:
    a_i, a_f, a_g, a_o = (v.clone() for v in (a_x + linear(s["h"], p.W_hh, p.b_hh)).chunk(4, -1))
    i, f, g, o = torch.sigmoid(a_i), torch.sigmoid(a_f), torch.tanh(a_g), torch.sigmoid(a_o)
    c = f * s["c"] + i * g
    m = o * torch.tanh(c)
    h = m.clone() if p.W_hr is None else linear(m, p.W_hr)
    return {"a_i": a_i, "a_f": a_f, "a_g": a_g, "a_o": a_o, "i": i, "f": f, "g": g, "o": o, "c": c, "m": m, "h": h}


def gru(p: Any, a_x: torch.Tensor, s: Tensors, reset_after: bool = True) -> Tensors:
    H = s["h"].shape[-1]
    W_r, W_z, W_n = p.W_hh.split(H)
    b_r, b_z, b_n = p.b_hh.split(H)
    x_r, x_z, x_n = a_x.chunk(3, -1)
    last = s["h"].clone()
    a_r, a_z = x_r + linear(s["h"], W_r, b_r), x_z + linear(s["h"], W_z, b_z)
    r, z = torch.sigmoid(a_r), torch.sigmoid(a_z)
    k = s["h"].clone() if reset_after else r * s["h"]
    q = linear(k, W_n, b_n)
    a_n = x_n + (r * q if reset_after else q)
    n = torch.tanh(a_n)
    h = (1 - z) * n + z * last
    return {"a_r": a_r, "a_z": a_z, "r": r, "z": z, "k": k, "q": q, "a_n": a_n, "n": n, "h in G4": last, "h": h}


STEPS: dict[str, Any] = {"rnn": rnn, "lstm": lstm, "gru": gru}


def values(cell: str, q: Problem) -> dict[Key, Array]:
    """Every quantity of notes.trace.trace(room, q), as arrays, by PyTorch and autograd."""

    def leaf(v: Array | None) -> Any:
        return None if v is None else torch.tensor(v, requires_grad=True)

    p, x = type(q.p)(*map(leaf, q.p)), leaf(q.x)
    start = {name: leaf(v) for name, v in q.s._asdict().items()}
    a_x, s, steps = linear(x, p.W_ih, p.b_ih), start, []
    for a in a_x:
        prev = {f"{name}_prev": v.clone() for name, v in s.items()}
        names = STEPS[cell](p, a, {name: prev[f"{name}_prev"] for name in s}, **q.options)
        steps.append(names | prev)
        s = {name: names[name] for name in s}
    y = torch.stack([names["h"] for names in steps])
    flat = [v for names in steps for v in names.values()]
    inputs = [*flat, *start.values(), x, *(v for v in p if v is not None)]
    gradients = iter(torch.autograd.grad([y, *s.values()], inputs, [torch.tensor(v) for v in (q.dy, *q.ds)]))
    grads = [{name: next(gradients) for name in names} for names in steps]
    last = {f"d{name}_0": next(gradients) for name in start} | {"dx": next(gradients)}
    last |= {f"d{name}": next(gradients) for name, v in p._asdict().items() if v is not None}
    last |= {"db": last["db_ih"]} | {name: torch.stack([names[name] for names in steps]) for name in ("m", "k") if name in steps[0]}
    out = _keyed("forward", None, {INPUT[cell]: same("a_x"), "": {"y leaving": "y"}}, {"a_x": a_x, "y": y})
    for t, names in enumerate(steps):
        handed = {f"{name} entering": f"{name}_prev" for name in s} | {
            f"{name} leaving": name for name in LEAVING[cell]["step_forward"]
        }
        names["gates"] = torch.cat([names[letter] for letter in GATES[cell]], -1)
        out |= _keyed("step_forward", t, {"": handed} | FORWARD[cell], names)
    for t, grad in reversed(list(enumerate(grads))):
        beyond = {"c": grads[t + 1]["c_prev"] if t + 1 < len(steps) else torch.tensor(q.ds.c)} if "c" in s else {}
        arriving = {f"d{name} entering": v for name, v in ({"h": grad["h"]} | beyond).items()}
        out |= _keyed("deltas", t, {"": {f"dh[{t + 1}]": "h"}}, grad)
        arriving |= {f"{name} entering": steps[t][name] for name in KEPT[cell]}
        back = {f"{name} leaving": torch.cat([grad[of] for of in parts], -1) for name, parts in RETURNED[cell].items()}
        out |= _keyed("step_backward", t, {"": same(*arriving, *back)} | BACKWARD[cell], grad | arriving | back)
    out |= _keyed("backward", None, LAST[cell] | {"": same("dh_0", "dc_0")}, last)
    return {key: v for key, v in out.items() if (key[2], *key[3]) not in _of_another_variant(cell, q)}


def _of_another_variant(cell: str, q: Problem) -> set[tuple[str, ...]]:
    """(name, label) of what the other place of the reset gate, or a projection that is not there, would compute."""
    if cell == "gru":
        return {("dr", "G2*" if q.options.get("reset_after", True) else "G3*")}
    return {("h", "L5"), ("dh", "L5*"), ("m", "L4")} if cell == "lstm" and q.p.W_hr is None else set()


def _keyed(verb: str, t: int | None, lines: dict[str, dict[str, str]], tensors: Tensors) -> dict[Key, Array]:
    """The tensors under the keys of notes.trace.Quantity."""
    return {
        (verb, t, name, tuple(labels.split())): tensors[of].detach().numpy()
        for labels, quantities in lines.items()
        for name, of in quantities.items()
        if of in tensors
    }
