"""``python -m notes.studies.tolerances``: how near right implementations come to what the tolerance rule allows.

Right PyTorch implementations are judged on random cases of growing gain, by the rule with one baseline and by the rule
as it is, with four: the table of notes/tolerances.md.
"""

import sys
from collections.abc import Iterator

import numpy as np
from rich.progress import track

from parity_tests.judge.cases import KINDS, Case, Spec
from parity_tests.judge.implementations import BUILTIN
from parity_tests.judge.oracle import compute, truth
from parity_tests.judge.tolerance import allowed, largest

from ..generated import markdown
from .study import Study

GAINS = (0.3, 0.6, 1.5, 4.0)
JUDGED = ("torch.loop", "torch.bptt", "torch.library")
SEEDS = 40


def ratios(kind: str, gain: float, seeds: int) -> Iterator[tuple[float, float, float]]:
    """For each tensor: error over allowed with one baseline and with four, and error in eps of the largest value."""
    for seed in range(seeds):
        for dtype in ("float32", "float64"):
            spec = Spec(input_size=3, hidden_size=6, num_layers=1 + seed % 2, dtype=dtype, **KINDS[kind])
            case = Case(spec, gain=gain, label=f"seed{seed}")
            (oracle, baselines), data = truth(case), case.data()
            for name in JUDGED:
                if BUILTIN[name].reason_to_decline(case.spec):
                    continue
                computed = compute(BUILTIN[name].load(case.spec, data.weights), case, data)
                for tensor, exact in oracle.items():
                    error, eps = float(largest(computed[tensor] - exact)), float(np.finfo(dtype).eps * largest(exact))
                    four = [b[tensor] for b in baselines]
                    yield error / allowed(four[:1], exact, dtype), error / allowed(four, exact, dtype), error / eps


def measure() -> dict[str, list[str]]:
    """A table with a row for each gain, all kinds of cells together."""
    head = ["gain", "tensors", "largest error, in eps of the largest value"]
    head += ["one baseline: worst ratio", "refused", "four baselines: worst ratio", "refused"]
    rows = []
    for gain in track(GAINS, "gains", transient=True):
        kinds = [k for k in KINDS if k != "rnn-relu" or gain < 2]  # relu explodes at large gains
        one, four, eps = np.array([v for kind in kinds for v in ratios(kind, gain, SEEDS)]).T
        rows.append([gain, len(eps), f"{eps.max():.0f}", *(v for r in (one, four) for v in (f"{r.max():.2f}", (r > 1).sum()))])
    return {"": markdown(head, rows, ())}


STUDY = Study("tolerances", __doc__, measure)


if __name__ == "__main__":
    sys.exit(STUDY.command())
