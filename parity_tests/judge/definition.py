"""Whether the definition, from which the oracle is made, agrees with witnesses that know nothing of it."""

import reference

from .cases import KINDS, build
from .diagnosis import AGREES, diagnose
from .implementations import BUILTIN
from .suite import run_case

HARD = {"num_layers": 3, "bidirectional": True, "bias": True, "batch_first": True, "state": True, "lengths": "unsorted"}


def check(kind: str) -> str:
    """The room against autograd, step by step; the whole stack against the PyTorch loop and torch.nn; "" where it stands."""
    sentence = diagnose(kind, reference)
    if AGREES not in sentence:
        return sentence
    case = build(kind, HARD).with_dtype("float64")
    for rival in ("torch.loop", "torch.library"):
        result = run_case(BUILTIN[rival], case)
        if not result.ok and result.worst:
            return f"outside {case.spec.cell}.py: {result.worst.tensor} differs from {rival}"
    return ""


def check_all() -> list[dict[str, str]]:
    """Each kind of cell and its fault, as a report has them."""
    return [{"kind": kind, "fault": check(kind)} for kind in KINDS]
