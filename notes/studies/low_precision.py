"""``python -m notes.studies.low_precision``: bfloat16 and float16, by the tolerance rule and as it would be without T6.

Layers of random kinds and sizes: right ones, which are all that PyTorch has, and wrong ones, whose results are too large
by two percent.  The tables of notes/judge/tolerances.md.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
from rich.progress import track

from parity_tests.judge.arithmetic import PRECISIONS
from parity_tests.judge.cases import KINDS, Case, Spec
from parity_tests.judge.implementations import BUILTIN
from parity_tests.judge.oracle import Tensors, compute, truth
from parity_tests.judge.tolerance import BASELINE_FACTOR, FLOOR_EPS, Error, error_of, judge, largest_of
from reference.common.arrays import Array
from reference.common.command import entered

from ..generated import markdown
from .study import Study

LAYERS = 240
NARROW = ("bfloat16", "float16")
WAYS = [name for name in BUILTIN if name.startswith("torch.")]
GAINS = (0.5, 1.0, 2.0)  # in standard deviations of torch.nn's own initial weights
WRONG = 0.02
GROUPS = {"y": "y", "h_n": "h_n", "c_n": "c_n", "dx": "dx", "dh_0": "dh_0", "dc_0": "dc_0", "dw": "dW", "db": "db"}


def layer(number: int, dtype: str) -> Case:
    """A layer of a random kind, and sizes up to 64."""
    rng = np.random.default_rng(number)
    kind, I, H = list(KINDS)[number % len(KINDS)], *(int(np.exp(rng.uniform(np.log(3), np.log(65)))) for _ in range(2))
    options = KINDS[kind] | ({"proj_size": H // 2} if kind == "lstm-proj" else {})
    layers, T, B, both = (int(rng.integers(1, n)) for n in (3, 21, 9, 3))
    spec = Spec(input_size=I, hidden_size=H, num_layers=layers, bidirectional=both == 2, dtype=dtype, **options)
    return Case(spec, T=T, B=B, gain=GAINS[number // len(KINDS) % 3] * (3 * H) ** -0.5, label=f"narrow{number}")


def results(case: Case) -> Iterator[Tensors]:
    """What each way of PyTorch computes."""
    data = case.data()
    for name in WAYS:
        if not BUILTIN[name].reason_to_decline(case.spec):
            yield compute(BUILTIN[name].load(case.spec, data.weights), case, data)


def without_t6(noise: Error, exact: Array, dtype: str) -> float:
    """What T1 would allow if it were the same for all precisions."""
    return float(BASELINE_FACTOR * noise.largest + FLOOR_EPS * PRECISIONS[dtype].eps * abs(exact).max())


def judged(dtype: str, layers: Iterable[int]) -> Iterator[tuple[int, str, float, bool, bool]]:
    """Layer, tensor, error over allowed of what is right; whether what is wrong is refused without T6, and with it."""
    for number in layers:
        case = layer(number, dtype)
        known = truth(case)
        for tensors in results(case):
            for tensor, exact in known.oracle.items():
                baselines = [b[tensor] for b in known.baselines]
                right, wrong = (judge(tensor, tensors[tensor] * f, baselines, exact, dtype) for f in (1, 1 + WRONG))
                noise, error = largest_of(error_of(b, exact, dtype) for b in baselines), abs(tensors[tensor] * (1 + WRONG) - exact)
                yield number, tensor, right.ratio, bool(error.max() > without_t6(noise, exact, dtype)), not wrong.ok


def group(tensor: str) -> str:
    return next(shown for start, shown in GROUPS.items() if tensor.startswith(start))


def measure() -> dict[str, list[str]]:
    """A row for each precision: the right, and the wrong."""
    heads = {
        "right": ["precision", "layers", "tensors", "refused", "worst ratio"],
        "wrong": ["precision", "layers: without T6", "with T6", *(f"{shown}" for shown in GROUPS.values())],
    }
    rows: dict[str, list] = {name: [] for name in heads}
    for dtype in track(NARROW, "precisions", transient=True):
        found = list(judged(dtype, range(LAYERS)))
        ratios = [ratio for _, _, ratio, _, _ in found]
        rows["right"].append([dtype, LAYERS, len(found), sum(r > 1 for r in ratios), f"{max(ratios):.2f}"])
        by_layer, by_group = defaultdict(list), defaultdict(list)
        for number, tensor, _, *refused in found:
            by_layer[number].append(refused)
            by_group[group(tensor)].append(refused[1])
        layers = [sum(np.any(refused, axis=0)[k] for refused in by_layer.values()) for k in (0, 1)]
        rows["wrong"].append([dtype, *layers, *(f"{np.mean(by_group[shown]):.0%}" for shown in GROUPS.values())])
    return {name: markdown(heads[name], rows[name]) for name in heads}


STUDY = Study("low_precision", __doc__, measure)


if __name__ == "__main__":
    sys.exit(entered(STUDY.command))
