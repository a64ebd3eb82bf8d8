"""Whether the definition, from which the oracle is made, agrees with witnesses that know nothing of it."""

from typing import NamedTuple

import reference

from .cases import KINDS, build
from .diagnosis import AGREES, diagnose
from .implementations import BUILTIN
from .suite import run_case

HARD = {"num_layers": 3, "bidirectional": True, "bias": True, "batch_first": True, "state": True, "lengths": "unsorted"}


class Check(NamedTuple):
    """One kind of cell; ``fault`` is empty where the definition stands."""

    kind: str
    fault: str


def check(kind: str) -> Check:
    """The room against autograd, step by step; the whole stack against the PyTorch loop and torch.nn."""
    sentence = diagnose(kind, reference)
    if AGREES not in sentence:
        return Check(kind, sentence)
    case = build(kind, HARD).with_dtype("float64")
    for rival in ("torch.loop", "torch.library"):
        result = run_case(BUILTIN[rival], case)
        if not result.ok and result.worst:
            return Check(kind, f"outside {case.spec.cell}.py: {result.worst.tensor} differs from {rival}")
    return Check(kind, "")


def check_all() -> list[Check]:
    """Every kind of cell."""
    return [check(kind) for kind in KINDS]
