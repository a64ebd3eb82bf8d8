"""What the tests of the rooms that work over any cell share: the cells, their twins, and a random problem for each."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

import reference

from ..helpers import tensor
from ..judge.cases import KINDS, Case, usual
from ..judge.diagnosis import TWINS as TWINS_OF_CELLS
from ..judge.diagnosis import Named, Problem, posed
from ..judge.oracle import Tensors, transform

TWINS = {kind: TWINS_OF_CELLS[options["cell"]] for kind, options in KINDS.items()}


def room_of(package: ModuleType, kind: str) -> ModuleType:
    """The room of a kind of cell in reference or in a broken copy of it."""
    return getattr(package, KINDS[kind]["cell"])


ROOMS = {kind: room_of(reference, kind) for kind in KINDS}


def problem(kind: str, T: int = 5, B: int = 4, dtype: str = "float64") -> Problem:
    """Random weights, both biases, inputs, states and upstream gradients; nothing is zero and sizes differ."""
    spec = usual(kind, dtype=dtype)
    return posed(spec, ROOMS[kind], Case(spec, T=T, B=B, label="variants").data())


def tensors(q: Problem, requires_grad: bool = False) -> Problem:
    """The same with copies as tensors."""
    return transform(q, lambda v: tensor(v).requires_grad_(requires_grad))


def flat(dp: Named, dx: np.ndarray | None, ds: Named) -> Tensors:
    """What backward returns, by name."""
    named = {f"d{k}": v for k, v in dp._asdict().items() if v is not None}
    return named | ({} if dx is None else {"dx": dx}) | {f"d{k}_0": v for k, v in ds._asdict().items()}


def by_autograd(forward: Callable, q: Problem) -> tuple[Tensors, Tensors]:
    """Outputs and gradients of ``forward(p, x, s) -> y, s_n`` in PyTorch, by name."""
    t = tensors(q, requires_grad=True)
    y, s_n = forward(t.p, t.x, t.s)
    leaves = [v for v in (*t.p, t.x, *t.s) if v is not None]
    grads = iter(torch.autograd.grad([y, *s_n], leaves, [torch.tensor(q.dy), *map(torch.tensor, q.ds)], materialize_grads=True))
    dp, dx = type(t.p)(*(None if v is None else next(grads).numpy() for v in t.p)), next(grads).numpy()
    ds = type(t.s)(*(next(grads).numpy() for _ in t.s))
    return outputs(y.detach().numpy(), type(s_n)(*(v.detach().numpy() for v in s_n))), flat(dp, dx, ds)


def outputs(y: Any, s_n: Named) -> Tensors:
    """What forward returns, by name."""
    return {"y": y} | {f"{k}_n": v for k, v in s_n._asdict().items()}


def inputs(q: Problem) -> Tensors:
    """A problem as the inputs of a RoomCase: its arrays by name, those of ``flat`` and ``outputs`` less or more a d."""
    given = {k: v for k, v in q.p._asdict().items() if v is not None} | {"x": q.x}
    given |= {f"{k}_0": v for k, v in q.s._asdict().items()}
    return given | {"dy": q.dy} | {f"d{k}_n": v for k, v in q.ds._asdict().items()}


def opened(room: ModuleType, d: dict[str, Any]) -> tuple[Named, Any, Named, Any, Named]:
    """The inverse of ``inputs``, in the Params and State of a room: p, x, s, dy, ds"""
    p = room.Params(**{k: d[k] for k in room.Params._fields if k in d})
    s = room.State(*(d[f"{k}_0"] for k in room.State._fields))
    ds = room.State(*(d[f"d{k}_n"] for k in room.State._fields))
    return p, d["x"], s, d["dy"], ds
