"""Cases and faults of reference/gradients/gradient_flow.py.  Spectra are not here: LAPACK has no longdouble."""

import torch_impl.gradients.gradient_flow as torch_flow

from ..judge.cases import KINDS
from ..mutation.catalogue import Fault
from ..rooms import RoomCase
from .problem import TWINS, inputs, opened, problem, room_of


def case(kind: str, b: int) -> RoomCase:
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
    return RoomCase("gradient_flow", f"{kind}-sequence{b}", given, run, twin, fixed=tuple(given), holomorphic=False)


CASES = [case(kind, b) for kind in KINDS for b in (0, 2)]

# fmt: off
FAULTS = [
    Fault("factors of the product in the wrong order", "products", "P[t + 1] @ J[t]", "J[t] @ P[t + 1]"),
    Fault("Jacobian transposed", "step_jacobians",
          'join(*(getattr(d, f"d{name}")[0] for name in room.State._fields)).reshape(T, S, S)',
          'join(*(getattr(d, f"d{name}")[0] for name in room.State._fields)).reshape(T, S, S).swapaxes(1, 2)'),
    Fault("state before the step taken for the state after it", "one_step", "[batched(v[:-1]), batched(v[1:])]",
          "[batched(v[1:]), batched(v[:-1])]"),
    Fault("first sequence whatever is asked for", "take_sequence", "v[:, b : b + 1]", "v[:, :1]"),
    Fault("norm squared", "norms", 'np.linalg.norm(getattr(d, f"d{name}"), axis=-1)',
          'np.linalg.norm(getattr(d, f"d{name}"), axis=-1)**2'),
]
