"""Cases and faults of reference/gradients/truncated_bptt.py."""

import torch_impl.gradients.truncated_bptt as torch_truncated

from ..judge.cases import KINDS
from ..mutation.catalogue import Fault
from ..rooms import RoomCase
from .problem import TWINS, flat, inputs, opened, outputs, problem, room_of


def case(kind: str, window: int, reach: int) -> RoomCase:
    q = problem(kind, 11)

    def run(package, d):
        room, truncated = room_of(package, kind), package.truncated_bptt
        p, x, s, dy, ds = opened(room, d)
        y, s_n, k = truncated.forward(room, p, x, s, window, **q.options)
        return outputs(y, s_n) | flat(*truncated.backward(dy.astype(y.dtype), ds, k, reach))

    def twin(d):
        p, x, s, _, _ = opened(TWINS[kind], d)
        return outputs(*torch_truncated.forward(TWINS[kind].hoisted, p, x, s, window, reach, **q.options))

    return RoomCase("truncated_bptt", f"{kind}-window{window}-reach{reach}", inputs(q), run, twin, holomorphic=reach > 2)


CASES = [case(kind, *sizes) for kind in KINDS for sizes in ((4, 1), (4, 2), (4, 3))]

# fmt: off
FAULTS = [
    Fault("state not carried into the next window", "windows",
          "y, s, cache = room.forward(p, x[start : start + window], s, **options)",
          "y, _, cache = room.forward(p, x[start : start + window], s, **options)", source="tensorflow #38248: a state dropped"),
    Fault("gradient not cut", "backward", "max(n - reach + 1, 0)", "0", source="yunjey #90: no detach"),
    Fault("gradient cut a window early", "backward", "max(n - reach + 1, 0)", "max(n - reach + 2, min(n, 1))",
          source="pytorch #49236: detaching too much"),
    Fault("initial state's gradient cut", "backward", "n < reach", "n < 0", source="pytorch #49236: detaching too much"),
    Fault("final state's gradient given to every window", "backward", "ds_n if n == len(dys) - 1 else nothing", "ds_n"),
    Fault("outputs counted once for each window that reaches them", "backward", "d = np.zeros_like(dys[m - 1])", "d = dys[m - 1]"),
]
