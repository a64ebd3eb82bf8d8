"""What the tests of the rooms that work over any cell share: the cells, their twins, and a random problem for each."""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

import torch_impl.cells.gru
import torch_impl.cells.lstm
import torch_impl.cells.rnn
from reference.cells import gru, lstm, rnn

from ..helpers import tensor
from ..judge.cases import KINDS, Case, Spec

ROOMS: dict[str, Any] = {
    kind: {"rnn": rnn, "lstm": lstm, "gru": gru}[o["cell"]] for kind, o in KINDS.items()}
TWINS: dict[str, ModuleType] = {
    kind: {"rnn": torch_impl.cells.rnn, "lstm": torch_impl.cells.lstm, "gru": torch_impl.cells.gru}[o["cell"]]
                                for kind, o in KINDS.items()}


class Problem(NamedTuple):
    """What goes into one room, and the gradients that come from upstream."""

    p: Any        # Params
    x: Any        # (T, B, I)
    s: Any        # State
    dy: Any       # (T, B, P)
    ds: Any       # State
    options: dict[str, Any]

    def tensors(self, requires_grad: bool = False) -> "Problem":
        """The same with copies as tensors."""
        return self.cast(lambda v: tensor(v).requires_grad_(requires_grad))

    def cast(self, change) -> "Problem":
        """Every array changed."""
        def each(v):
            return type(v)(*(None if u is None else change(u) for u in v))

        return Problem(each(self.p), change(self.x), each(self.s), change(self.dy), each(self.ds), self.options)


def problem(kind: str, T: int = 5, B: int = 4, dtype: str = "float64", gain: float = 0.6, package: Any = None) -> Problem:
    """Random weights, both biases, inputs, states and upstream gradients; nothing is zero and sizes differ.

    ``package`` is reference or a broken copy of it, whose Params and State are used.
    """
    spec = Spec(input_size=3, hidden_size=6, dtype=dtype, **KINDS[kind])
    data = Case(spec, T=T, B=B, gain=gain, label="variants").data()
    room = ROOMS[kind] if package is None else getattr(package, spec.cell)
    p = room.Params(*data.weights.values())
    s, ds = (room.State(*(v[0] for v in arrays)) for arrays in (data.state or (), data.dstate))
    options: dict[str, Any] = {}
    if spec.cell == "rnn":
        options["nonlinearity"] = spec.nonlinearity
    if spec.cell == "gru":
        options["reset_after"] = spec.reset_after
    return Problem(p, data.x, s, data.dy, ds, options)


def flat(dp: Any, dx: Any, ds: Any) -> dict[str, np.ndarray]:
    """What backward returns, by name."""
    named = {f"d{k}": v for k, v in dp._asdict().items() if v is not None}
    return named | ({} if dx is None else {"dx": dx}) | {f"d{k}_0": v for k, v in ds._asdict().items()}


def by_autograd(forward: Any, q: Problem) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Outputs and gradients of ``forward(p, x, s) -> y, s_n`` in PyTorch, by name."""
    t = q.tensors(requires_grad=True)
    y, s_n = forward(t.p, t.x, t.s)
    leaves = [v for v in (*t.p, t.x, *t.s) if v is not None]
    grads = iter(torch.autograd.grad([y, *s_n], leaves, [t.dy.detach(), *(v.detach() for v in t.ds)],
                                     materialize_grads=True))
    like = [type(t.p)(*(None if v is None else next(grads).numpy() for v in t.p)), next(grads).numpy(),
            type(t.s)(*(next(grads).numpy() for _ in t.s))]
    return outputs(y.detach().numpy(), type(s_n)(*(v.detach().numpy() for v in s_n))), flat(*like)


def outputs(y: Any, s_n: Any) -> dict[str, np.ndarray]:
    """What forward returns, by name."""
    return {"y": y} | {f"{k}_n": v for k, v in s_n._asdict().items()}


def inputs(q: Problem) -> dict[str, np.ndarray]:
    """A problem as the inputs of a PartCase: its arrays by name, those of ``flat`` and ``outputs`` less or more a d."""
    given = {k: v for k, v in q.p._asdict().items() if v is not None} | {"x": q.x}
    given |= {f"{k}_0": v for k, v in q.s._asdict().items()}
    return given | {"dy": q.dy} | {f"d{k}_n": v for k, v in q.ds._asdict().items()}


def opened(room: Any, d: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
    """The inverse of ``inputs``, in the Params and State of a room: p, x, s, dy, ds"""
    p = room.Params(**{k: d[k] for k in room.Params._fields if k in d})
    s = room.State(*(d[f"{k}_0"] for k in room.State._fields))
    ds = room.State(*(d[f"d{k}_n"] for k in room.State._fields))
    return p, d["x"], s, d["dy"], ds


def room_of(package: Any, kind: str) -> Any:
    """The room of a kind of cell in reference or in a broken copy of it."""
    return getattr(package, KINDS[kind]["cell"])
