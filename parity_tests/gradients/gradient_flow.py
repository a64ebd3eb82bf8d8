"""Cases and faults of reference/gradients/gradient_flow.py.  Spectra are not here: LAPACK has no longdouble."""

import torch_impl.gradients.gradient_flow as torch_flow

from ..judge.cases import KINDS
from ..mutation.faults import Fault
from ..parts.harness import PartCase
from .problem import TWINS, inputs, opened, problem, room_of


def case(kind, b):
    q = problem(kind, 6)

    def run(package, d):
        room, flow = room_of(package, kind), package.gradient_flow
        p, x, s, dy, ds = opened(room, d)
        _, _, k = room.forward(p, x, s, **q.options)
        J = flow.step_jacobians(room, k, b)
        norms = flow.norms(room, dy, ds, k)
        return {"J": J, "P": flow.products(J)} | {f"n_{name}": n for name, n in norms._asdict().items()}

    def twin(d):
        room = TWINS[kind]
        p, x, s, dy, ds = opened(room, {k: v.detach() for k, v in d.items()})
        J = torch_flow.step_jacobians(room, p, x, s, b, **q.options)
        norms = torch_flow.norms(room, p, x, s, dy, ds, **q.options)
        return {"J": J, "P": torch_flow.products(J)} | {f"n_{name}": n for name, n in norms._asdict().items()}

    given = inputs(q)
    return PartCase("gradient_flow", f"{kind}-sequence{b}", given, run, twin, fixed=tuple(given), holomorphic=False)


CASES = [case(kind, b) for kind in KINDS for b in (0, 2)]

FAULTS = [
    Fault("factors of the product in the wrong order", "gradients/gradient_flow.py", "P[t + 1] @ J[t]", "J[t] @ P[t + 1]"),
    Fault("Jacobian transposed", "gradients/gradient_flow.py", "reshape(T, S, S)  ", "reshape(T, S, S).swapaxes(1, 2)  "),
    Fault("state before the step taken for the state after it", "gradients/gradient_flow.py", "[batched(v[:-1]), batched(v[1:])]",
          "[batched(v[1:]), batched(v[:-1])]"),
    Fault("first sequence whatever is asked for", "gradients/gradient_flow.py", "v[:, b : b + 1]", "v[:, :1]"),
    Fault("norm squared", "gradients/gradient_flow.py", "axis=-1) for name in", "axis=-1)**2 for name in"),
]
