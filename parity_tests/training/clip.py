"""Cases and faults of reference/training/clip.py.  There is nothing to differentiate: the clipped gradients are the outputs."""

import numpy as np
import torch

import torch_impl.training.clip

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

SHAPES = {"a": (4, 3), "b": (5,), "c": (2, 2)}


def case(name: str, max_norm: float = 0.0, norm_type: float = 2.0, clip_value: float | None = None, scale: float = 1.0) -> RoomCase:
    def run(package, d):
        grads = {k: np.array(v) for k, v in d.items()}
        if clip_value is not None:
            package.clip.clip_grad_value(grads, clip_value)
            return grads
        return grads | {"norm": package.clip.clip_grad_norm(grads, max_norm, norm_type)}

    def twin(d):
        params = {k: torch.nn.Parameter(torch.zeros_like(v)) for k, v in d.items()}
        for k, p in params.items():
            p.grad = d[k].detach().clone()
        norm = {}
        if clip_value is None:
            norm = {"norm": torch.nn.utils.clip_grad_norm_(params.values(), max_norm, norm_type)}
        else:
            torch_impl.training.clip.clip_grad_value(params, clip_value)
        return {k: p.grad for k, p in params.items()} | norm

    inputs = {k: scale * 4.0**n * draw(n, *shape) for n, (k, shape) in enumerate(SHAPES.items())}
    return RoomCase("clip", name, inputs, run, twin, fixed=tuple(SHAPES), holomorphic=False)


CASES = [
    case("norm2", 3.0),
    case("norm1", 3.0, 1.0),
    case("norm3", 3.0, 3.0),
    case("norminf", 3.0, float("inf")),
    case("below", 1e3),
    case("tiny", 3e-6, scale=1e-6),
    case("value", clip_value=0.7),
]

# fmt: off
FAULTS = [
    Fault("each tensor clipped by its own norm", "scale_to_norm", "g *= factor",
          "g *= np.minimum(max_norm / (np.linalg.norm(g) + TINY), 1)"),
    Fault("scaled up where the norm is small", "scale_to_norm", "np.minimum(max_norm / (total + TINY), 1)",
          "max_norm / (total + TINY)"),
    Fault("norm not squared in the sum over tensors", "global_norm", "np.linalg.norm(np.array(norms), norm_type)",
          "np.linalg.norm(np.array(norms), 1)"),
    Fault("norm_type ignored", "global_norm", "np.linalg.norm(g.ravel(), norm_type)", "np.linalg.norm(g.ravel())"),
    Fault("nothing added to the norm", "scale_to_norm", "max_norm / (total + TINY)", "max_norm / total"),
    Fault("divided by the norm, max_norm left out", "scale_to_norm", "max_norm / (total + TINY)", "1 / (total + TINY)"),
    Fault("cut above only", "clip_grad_value", "np.clip(g, -clip_value, clip_value, out=g)", "np.minimum(g, clip_value, out=g)"),
]
