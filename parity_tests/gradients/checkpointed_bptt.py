"""Cases and faults of reference/gradients/checkpointed_bptt.py."""

import torch_impl.gradients.checkpointed_bptt as torch_checkpointed

from ..judge.cases import KINDS
from ..mutation.faults import Fault
from ..parts.harness import PartCase
from .problem import TWINS, flat, inputs, opened, outputs, problem, room_of


def case(kind, segment):
    q = problem(kind, 11)

    def run(package, d):
        room, checkpointed = room_of(package, kind), package.checkpointed_bptt
        p, x, s, dy, ds = opened(room, d)
        y, s_n, k = checkpointed.forward(room, p, x, s, segment, **q.options)
        return outputs(y, s_n) | flat(*checkpointed.backward(dy.astype(y.dtype), ds, k))

    def twin(d):
        p, x, s, _, _ = opened(TWINS[kind], d)
        return outputs(*torch_checkpointed.forward(TWINS[kind].hoisted, p, x, s, segment, **q.options))

    return PartCase("checkpointed_bptt", f"{kind}-segment{segment}", inputs(q), run, twin,
                    holomorphic=segment is not None)  # once is enough


CASES = [case(kind, segment) for kind in KINDS for segment in (None, 4)]

FAULTS = [
    Fault("segment recomputed from the state of the one before", "gradients/checkpointed_bptt.py", "k.states[n], **k.options",
          "k.states[n - 1], **k.options"),
    Fault("segment recomputed from the initial state", "gradients/checkpointed_bptt.py", "k.states[n], **k.options",
          "k.states[0], **k.options"),
    Fault("options lost in the recomputation", "gradients/checkpointed_bptt.py", "k.states[n], **k.options", "k.states[n]"),
    Fault("gradient not carried over the border", "gradients/checkpointed_bptt.py", "dy[steps], ds, cache)",
          "dy[steps], ds_n, cache)",
          source="pytorch #49236: detaching too much"),
    Fault("weight gradients of the first segment only", "gradients/checkpointed_bptt.py", "dp = d if dp is None else add(dp, d)",
          "dp = d"),
    Fault("segments taken first to last", "gradients/checkpointed_bptt.py",
          "reversed(range(len(k.states)))", "range(len(k.states))"),
    Fault("upstream gradient of the wrong segment", "gradients/checkpointed_bptt.py", "else dy[steps]",
          "else dy[:: -1][steps]"),
]
