"""Cases and faults of reference/gradients/checkpointed_bptt.py."""

import torch_impl.gradients.checkpointed_bptt as torch_checkpointed

from ..judge.cases import KINDS
from ..mutation.catalogue import Fault
from ..rooms import RoomCase
from .problem import TWINS, flat, inputs, opened, outputs, problem, room_of


def case(kind: str, segment: int | None) -> RoomCase:
    q = problem(kind, 11)

    def run(package, d):
        room, checkpointed = room_of(package, kind), package.checkpointed_bptt
        p, x, s, dy, ds = opened(room, d)
        y, s_n, k = checkpointed.forward(room, p, x, s, segment, **q.options)
        return outputs(y, s_n) | flat(*checkpointed.backward(dy.astype(y.dtype), ds, k))

    def twin(d):
        p, x, s, _, _ = opened(TWINS[kind], d)
        return outputs(*torch_checkpointed.forward(TWINS[kind].hoisted, p, x, s, segment, **q.options))

    once = segment is not None
    return RoomCase("checkpointed_bptt", f"{kind}-segment{segment}", inputs(q), run, twin, holomorphic=once)


CASES = [case(kind, segment) for kind in KINDS for segment in (None, 4)]

# fmt: off
FAULTS = [
    Fault("segment recomputed from the state of the one before", "backward", "k.states[n]", "k.states[n - 1]"),
    Fault("segment recomputed from the initial state", "backward", "k.states[n]", "k.states[0]"),
    Fault("options lost in the recomputation", "backward", "k.room.forward(k.p, k.x[steps], k.states[n], **k.options)",
          "k.room.forward(k.p, k.x[steps], k.states[n])"),
    Fault("gradient not carried over the border", "backward",
          "k.room.backward(dy(steps, cache.h[1:]) if callable(dy) else dy[steps], ds, cache)",
          "k.room.backward(dy(steps, cache.h[1:]) if callable(dy) else dy[steps], ds_n, cache)",
          source="pytorch #49236: detaching too much"),
    Fault("weight gradients of the first segment only", "backward", "d if dp is None else add(dp, d)", "d"),
    Fault("segments taken first to last", "backward", "reversed(range(len(k.states)))", "range(len(k.states))"),
    Fault("upstream gradient of the wrong segment", "backward", "dy[steps]", "dy[:: -1][steps]"),
]
