"""The quantities of notes.trace by autograd: ``values(cell, q) -> {(verb, t, name, labels): ndarray}``.

Each step is written out once more with a name for every intermediate result, so that autograd can be asked for its
gradient.  A state that several lines read is copied for each reader: the gradient of a copy is what that line sends back.
"""

from typing import Any

import torch
from torch.nn.functional import linear

from reference.common.arrays import Array

from . import Problem

Tensors = dict[str, torch.Tensor]
# Backward quantity -> the tensor whose gradient it is, and the labels of the line that computes it.
GRADIENTS: dict[str, dict[Any, str]] = {
    "rnn": {("da", ("R2*",)): "a", ("dh_prev", ("R1*",)): "h_prev"},
    "lstm": {
        **{("do", ("L4*",)): "o", ("dc", ("L4*",)): "c", ("dh", ("L5*",)): "m"},
        **{(f"d{g}", ("L3*",)): g for g in "ifg"},
        **{(f"da_{g}", ("L2*",)): f"a_{g}" for g in "ifgo"},
        **{("dh_prev", ("L1*",)): "h_prev", ("dc_prev", ("L3*",)): "c_prev"},
    },
    "gru": {
        ("dn", ("G4*",)): "n",
        ("dz", ("G4*",)): "z",
        ("dh", ("G4*",)): "h in G4",
        ("da_n", ("G3*",)): "a_n",
        ("dq", ("G3*",)): "q",
        ("dh_q", ("G2*",)): "k",
        ("dr", ("G3*",)): "r",
        ("dr", ("G2*",)): "r",
        ("da_r", ("G1*",)): "a_r",
        ("da_z", ("G1*",)): "a_z",
        ("dh", ("G1*", "G2*")): "h_prev",
    },
}
FORWARD = {
    "rnn": {"a": "R1", "h": "R2"},
    "lstm": {f"a_{g}": "L1" for g in "ifgo"} | dict.fromkeys("ifgo", "L2") | {"c": "L3"},
    "gru": {"r": "G1", "z": "G1", "q": "G2", "n": "G3", "h": "G4"},
}
INPUT = {"rnn": ("R1",), "lstm": ("L1",), "gru": ("G1", "G3")}
LAST: dict[str, dict[str, tuple[str, ...]]] = {
    "rnn": dict.fromkeys(("db", "dW_ih", "dW_hh", "db_ih", "db_hh", "dx"), ("R1*",)),
    "lstm": {"dW_hr": ("L5*",), **dict.fromkeys(("db", "dW_ih", "dW_hh", "db_ih", "db_hh", "dx"), ("L1*",))},
    "gru": {"dW_hh": ("G1*", "G2*"), "dx": ("G1*", "G3*")} | dict.fromkeys(("dW_ih", "db_ih", "db_hh"), ("G1*", "G2*", "G3*")),
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


def values(cell: str, q: Problem) -> dict[tuple[str, int | None, str, tuple[str, ...]], Any]:
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
    return _by_key(cell, q, a_x, steps, grads, last)


def _by_key(cell, q, a_x, steps, grads, last):
    """The tensors under the keys of notes.trace.Quantity."""
    out: dict[Any, Any] = {("forward", None, "a_x", INPUT[cell]): a_x}
    for t, (names, grad) in enumerate(zip(steps, grads, strict=True)):
        out |= {("step_forward", t, name, (label,)): names[name] for name, label in FORWARD[cell].items()}
        if cell == "lstm":  # with a projection h is written twice
            out |= {("step_forward", t, "h", ("L4",)): names["m"], ("step_forward", t, "h", ("L5",)): names["h"]}
        out |= {("deltas", t, f"dh[{t + 1}]", ()): grad["h"]}
        out |= {("step_backward", t, name, carried): grad[of] for (name, carried), of in GRADIENTS[cell].items()}
    last["db"] = last["db_ih"]
    out |= {("backward", None, name, carried): last[name] for name, carried in LAST[cell].items() if name in last}
    out |= {("backward", None, f"d{name}_0", ()): last[f"d{name}_0"] for name in q.s._fields}
    if cell == "lstm":
        out["backward", None, "m", ("L4",)] = torch.stack([names["m"] for names in steps])
    if cell == "gru":
        out["backward", None, "h_q", ("G2",)] = torch.stack([names["k"] for names in steps])
    return {key: v.detach().numpy() for key, v in out.items()}
