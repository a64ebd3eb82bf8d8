"""``python -m parity_tests.triton.infinity DEVICE``: an infinite number stays one, where all products with weights are positive.

A kernel computes with more rows and columns than there are, whose weights are zero; and infinity times zero is NaN, which
would come back in the next step.  In the judge's cases the signs of weights differ, so that NaN is right there.
Prints a JSON object: for each cell and form what differs from bptt, or is not infinite.
"""

import json
import sys
from types import ModuleType

import torch
from torch import Tensor

from reference.common.command import entered, parser
from torch_impl import triton

from ..judge.diagnosis import TWINS

T, B, I, H = 4, 2, 3, 5
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def layer(cell: str, device: str) -> tuple:
    """Positive weights; a GRU that hardly moves from its state, so that h - n is positive as well.  p, x, state"""
    room, rows = TWINS[cell], GATES[cell] * H
    bias = torch.zeros(rows, device=device)
    if cell == "gru":
        bias[H : 2 * H] = 3
    p = room.Params(*(torch.full(s, 0.1, device=device) for s in ((rows, I), (rows, H))), bias, bias)
    state = room.State(*(torch.full((B, H), 2.0 if cell == "gru" else 0.5, device=device) for _ in room.State._fields))
    return p, torch.full((T, B, I), 0.1, device=device), state


def forward(room: ModuleType, way: str, device: str) -> Tensor:
    """y of an RNN with relu from an x that is infinite in its first step"""
    p, x, state = layer("rnn", device)
    x[0, 0] = torch.inf
    return getattr(room, way)(p, x, state, "relu")[0][:, 0]


def backward(room: ModuleType, way: str, cell: str, device: str) -> Tensor:
    """dx from a dy that is infinite in its last step"""
    p, x, state = layer(cell, device)
    y, _ = getattr(room, way)(p, x.requires_grad_(), state)
    dy = torch.ones_like(y)
    dy[-1, 0] = torch.inf
    return torch.autograd.grad(y, x, dy)[0][:, 0]


def found(device: str) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for cell in GATES:
        room = triton.room(cell)
        for way in ("hoisted", "steps"):
            pairs = {"dx": (backward(room, way, cell, device), backward(TWINS[cell], "bptt", cell, device))}
            if cell == "rnn":
                pairs["y"] = forward(room, way, device), forward(TWINS[cell], "bptt", device)
            wrong = {name: not (own.isinf().all() and torch.equal(own, right)) for name, (own, right) in pairs.items()}
            out[f"{cell} {way}"] = [name for name, is_wrong in wrong.items() if is_wrong]
    return out


def main() -> int:
    options = parser("python -m parity_tests.triton.infinity", __doc__ or "")
    options.add_argument("device", choices=("cpu", "cuda"))
    device = options.parse_args().device
    print(json.dumps(found(device)))
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
