"""Cases and faults of reference/parts/attention.py."""

import numpy as np

import torch_impl.parts.attention as torch_attention

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

T, S, B, Q, K, A = 4, 5, 3, 2, 6, 7
MASK = np.arange(S)[:, None] < np.array([3, 5, 1])
SHAPES: dict[str, dict[str, tuple]] = {"additive": {"W_q": (A, Q), "W_k": (A, K), "b": (A,), "v": (A,)}, "general": {"W_q": (K, Q)}}


def case(
    kind: str,
    label: str = "",
    T: int = T,
    S: int = S,
    B: int = B,
    mask: np.ndarray | None = None,
    gain: float = 1.0,
    padding: float | None = None,
) -> RoomCase:
    shapes = SHAPES.get(kind, {})

    def run(package, d):
        room, p = package.attention, package.attention.Params(**{k: d[k] for k in shapes})
        context, weights, k = room.forward(p, d["q"], d["h"], d.get("mask"), kind)
        dp, dq, dh = room.backward(d["dcontext"], d["dweights"], k)
        return {"context": context, "weights": weights, "dq": dq, "dh": dh} | {f"d{f}": getattr(dp, f) for f in shapes}

    def twin(d):
        p = torch_attention.Params(**{k: d[k] for k in shapes})
        context, weights = torch_attention.forward(p, d["q"], d["h"], d.get("mask"), kind)
        return {"context": context, "weights": weights}

    inputs = {name: gain * draw(seed, *shape) for seed, (name, shape) in enumerate(shapes.items())}
    inputs |= {"q": gain * draw(5, T, B, Q if shapes else K), "h": draw(6, S, B, K)}
    inputs |= {} if mask is None else {"mask": mask}
    inputs |= {} if padding is None else {"h": np.where(MASK[..., None], inputs["h"], padding)}
    inputs |= {"dcontext": draw(7, T, B, K), "dweights": draw(8, T, B, S)}
    return RoomCase("attention", "-".join(filter(None, (kind, label))), inputs, run, twin)


CASES = [
    c
    for kind in ("additive", "dot", "general", "scaled")
    for c in (
        case(kind),
        case(kind, "mask", mask=MASK),
        case(kind, "one_query", T=1, mask=MASK),
        case(kind, "one_sequence", B=1),
        case(kind, "sharp", gain=4.0, mask=MASK),
        case(kind, "nan_in_padding", mask=MASK, padding=np.nan),
    )
]

# fmt: off
FAULTS = [
    Fault("softmax over the queries", "attend_forward", "w = w / w.sum(-1, keepdims=True)", "w = w / w.sum(0, keepdims=True)",
          source="HAN #5: softmax over the wrong axis"),
    Fault("softmax over the batch", "attend_forward", "w = w / w.sum(-1, keepdims=True)", "w = w / w.sum(1, keepdims=True)",
          source="HAN #5: softmax over the wrong axis"),
    Fault("padding takes part", "attend_forward", "np.exp(np.where(keep, e - top, 0)) * keep", "np.exp(e - top)",
          source="practical-pytorch #149: wrong attention"),
    Fault("padding's score set to 0, not left out", "attend_forward", "np.exp(np.where(keep, e - top, 0)) * keep",
          "np.exp(np.where(keep, e, 0) - top)"),
    Fault("NaN of padding comes through a weight of 0", "forward", "h = blanked(h, mask)", "pass"),
    Fault("NaN of padding taken out of the values, not of the keys", "forward",
          "h = blanked(h, mask)\nreturn attend_forward(p, q, h, keys_forward(p, h), mask, kind)",
          "return attend_forward(p, q, blanked(h, mask), keys_forward(p, h), mask, kind)"),
    Fault("mask of another sequence", "kept", 'checks.mask("mask", mask, shape).T', 'checks.mask("mask", mask, shape).T[::-1]'),
    Fault("not scaled", "scale", 'g.shape[-1] ** -0.5 if kind == "scaled" else 1.0', "1.0"),
    Fault("scaled by the width, not its root", "scale", "g.shape[-1] ** -0.5", "g.shape[-1] ** -1"),
    Fault("not scaled in the backward", "attend_backward", "de = de * scale(k.kind, k.g)", "pass"),
    Fault("gradient of the weights ignored", "attend_backward", "dweights + by_sequence(dc @ k.h.transpose(1, 2, 0))",
          "by_sequence(dc @ k.h.transpose(1, 2, 0))"),
    Fault("softmax differentiated as if each weight were alone", "attend_backward", "w * (dw - (w * dw).sum(-1, keepdims=True))",
          "w * (1 - w) * dw"),
    Fault("memory's gradient by way of the scores only", "backward", "dh + dh_keys", "dh_keys"),
    Fault("memory's gradient by way of the context only", "backward", "dh + dh_keys", "dh"),
    Fault("derivative of tanh left out", "attend_backward", "du * p.v * (1 - k.u**2)", "du * p.v"),
    Fault("bias of the keys left out", "keys_forward", "rows(h) @ p.W_k.T + p.b", "rows(h) @ p.W_k.T",
          source="numpy-ml #42: all tests had zero biases"),
    Fault("gradient of the keys of the last query only", "attend_backward", "da.sum(1), da.sum(0)", "da.sum(1), da[-1]"),
    Fault("general's matrix left out of the query's gradient", "attend_backward", "A @ p.W_q", "A[:, : k.q.shape[-1]]"),
]
