"""Cases and faults of reference/gradients/rtrl.py: its gradient by autograd is that of the plain loop."""

from ..judge.cases import KINDS
from ..mutation.catalogue import Fault
from ..rooms import RoomCase
from .problem import TWINS, flat, inputs, opened, outputs, problem, room_of


def case(kind: str) -> RoomCase:
    q = problem(kind, 5, B=2)

    def run(package, d):
        room = room_of(package, kind)
        p, x, s, dy, ds = opened(room, d)
        y, s_n, dp, ds_0 = package.rtrl.gradient(room, p, x, s, dy, ds, **q.options)
        return outputs(y, s_n) | flat(dp, None, ds_0)

    def twin(d):
        p, x, s, _, _ = opened(TWINS[kind], d)
        return outputs(*TWINS[kind].loop(p, x, s, **q.options))

    once = kind == "gru"  # the complex step is a run for each of some hundred weights
    return RoomCase("rtrl", kind, inputs(q), run, twin, fixed=("x",), holomorphic=once)


CASES = [case(kind) for kind in KINDS]

# fmt: off
FAULTS = [
    Fault("influence not carried", "gradient", "M[b] = J @ M[b] + D", "M[b] = D"),
    Fault("influence carried by the transposed Jacobian", "gradient", "J @ M[b] + D", "J.T @ M[b] + D"),
    Fault("direct influence left out", "gradient", "J @ M[b] + D", "J @ M[b] + 0 * D"),
    Fault("all sequences share one influence", "gradient", "J @ M[b] + D", "J @ M[0] + D"),
    Fault("initial state has no influence", "start", "np.eye(S, dtype=s.h.dtype)", "0 * np.eye(S, dtype=s.h.dtype)"),
    Fault("gradient of the final state left out", "gradient", "joined(one(ds_n, b)) @ M[b]", "0 * joined(one(ds_n, b)) @ M[b]"),
    Fault("only the last output's gradient used", "gradient", "dy_t[0, b] @ M[b][:P]", "dy_t[0, b] * (t == T - 1) @ M[b][:P]"),
]
