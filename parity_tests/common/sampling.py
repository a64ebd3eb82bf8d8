"""Cases and faults of reference/common/sampling.py: probabilities and draws, against PyTorch written the other way round.

Nothing here has a gradient.  Tokens are compared as numbers.
"""

import numpy as np
import torch

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

V = 7


def case(name: str, temperature=1.0, top_k=None, top_p=None, scale=2.0, lead=(4, 3)) -> RoomCase:
    def run(package, d):
        log_p = package.sampling.log_probabilities(d["z"], temperature, top_k, top_p)
        p = np.exp(log_p)
        return {"p": p, "tokens": package.sampling.choose(p, d["u"]).astype(p.dtype)}

    def twin(d):
        p = torch.softmax(d["z"] / temperature, -1)
        if top_k is not None:
            p = p.where(p >= p.topk(top_k).values[..., -1:], 0)
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            sorted_p, order = p.sort(descending=True)
            out = sorted_p.cumsum(-1) - sorted_p >= top_p
            p = p.where(~out.gather(-1, order.argsort()), 0)
        p = p / p.sum(-1, keepdim=True)
        return {"p": p, "tokens": torch.searchsorted(p.cumsum(-1), d["u"][..., None], right=True)[..., 0].to(p)}

    inputs = {"z": scale * draw(1, *lead, V), "u": np.random.default_rng(2).random(lead)}
    return RoomCase("sampling", name, inputs, run, twin, fixed=("z", "u"), holomorphic=False)


CASES = [
    case("plain"),
    case("warm", temperature=1.7),
    case("cold", temperature=0.3),
    case("top_k", top_k=3),
    case("nucleus", top_p=0.8),
    case("nucleus_small", top_p=0.3, scale=0.5),
    case("row", lead=()),
    case("all_three", temperature=0.7, top_k=4, top_p=0.9),
    case("large", scale=1e4, temperature=100.0),
]

# fmt: off
FAULTS = [
    Fault("temperature multiplies", "log_probabilities", "(z - z.max(-1, keepdims=True)) / (temperature or 1)",
          "(z - z.max(-1, keepdims=True)) * temperature"),
    Fault("temperature ignored", "log_probabilities", "temperature or 1", "1"),
    Fault("one token more than k stays", "log_probabilities", "rank(log_p) < k", "rank(log_p) <= k"),
    Fault("the least likely stay", "rank", "-log_p", "log_p"),
    Fault("order taken for ranks", "rank", 'np.argsort(np.argsort(-log_p, -1, kind="stable"), -1)',
          'np.argsort(-log_p, -1, kind="stable")'),
    Fault("nucleus without the token that reaches top_p", "before",
          "np.concatenate([np.zeros_like(p[..., :1]), np.cumsum(p, -1)[..., :-1]], -1)",
          "np.concatenate([np.zeros_like(p[..., :1]), np.cumsum(p, -1)[..., :-1]], -1) + p"),
    Fault("nucleus not put back into the order of tokens", "before", "np.take_along_axis(earlier, np.argsort(order, -1), -1)",
          "earlier"),
    Fault("what is left does not sum to 1", "log_probabilities",
          "log_softmax(np.where(before(log_p) < share, log_p, -np.inf), axis=-1)",
          "np.where(before(log_p) < share, log_p, -np.inf)"),
    Fault("the token before the drawn one", "choose", "(total <= u[..., None] * total[..., -1:]).sum(-1)",
          "(total <= u[..., None] * total[..., -1:]).sum(-1) - 1"),
]
