"""``python -m notes.studies.tolerances``: how near right implementations come to what the tolerance rule allows.

Right PyTorch implementations are judged on random cases of growing gain, by the rule with one baseline and with four.
Then layers of random sizes, by the rule without T5 and as it is: right ones whose tanh and sigmoid are wrong by a few units
in the last place, and wrong ones.  The tables of notes/judge/tolerances.md.
"""

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from rich.progress import track

from parity_tests.judge.arithmetic import FUNCTIONS, Function, replaced
from parity_tests.judge.cases import KINDS, Case, Data, Spec
from parity_tests.judge.implementations import BUILTIN
from parity_tests.judge.oracle import Tensors, Truth, compute, define, truth
from parity_tests.judge.tolerance import FLOOR_EPS, allowed, largest
from reference.common.arrays import Array
from reference.common.command import entered
from torch_impl.cells import gru, lstm, rnn

from ..generated import markdown
from .study import Study

GAINS = (0.3, 0.6, 1.5, 4.0)
JUDGED = ("torch.loop", "torch.bptt", "torch.library")
SEEDS, LAYERS = 40, 300
ULPS = (1, 2, 4)
SIDES = ("at random", "upwards", "downwards")
WRONG_EPS = 2 * FLOOR_EPS  # in float32 2⁻¹⁸
WRONG = ("every result", "tanh", "sigmoid")  # what is wrong by that
RANGES = {"tanh": (-1, 1), "sigmoid": (0, 1)}
SLOPES: dict[str, Callable] = {"tanh": lambda y: 1 - y * y, "sigmoid": lambda y: y * (1 - y)}
TWINS: list[Any] = [rnn, lstm, gru]
Change = Callable[[str, Function], Function]


def kinds(gain: float) -> list[str]:
    """The kinds of cells that are judged; relu explodes at large gains."""
    return [kind for kind in KINDS if kind != "rnn-relu" or gain < 2]


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
                    yield error / allowed(four[:1], exact, dtype).largest, error / allowed(four, exact, dtype).largest, error / eps


def by_baselines() -> list[str]:
    """A table with a row for each gain, all kinds of cells together."""
    head = ["gain", "tensors", "largest error, in eps of the largest value"]
    head += ["one baseline: worst ratio", "refused", "four baselines: worst ratio", "refused"]
    rows = []
    for gain in track(GAINS, "gains", transient=True):
        one, four, eps = np.array([v for kind in kinds(gain) for v in ratios(kind, gain, SEEDS)]).T
        rows.append([gain, len(eps), f"{eps.max():.0f}", *(v for r in (one, four) for v in (f"{r.max():.2f}", (r > 1).sum()))])
    return markdown(head, rows, ())


def layer(gain: float, number: int) -> Case:
    """A layer of a random kind and random sizes."""
    rng = np.random.default_rng([number, int(10 * gain)])
    kind, H = kinds(gain)[number % len(kinds(gain))], int(rng.integers(1, 8))
    P = {"proj_size": int(rng.integers(1, H + 1))} if kind == "lstm-proj" else {}
    I, layers, T, B = (int(rng.integers(1, n)) for n in (6, 3, 8, 5))
    spec = Spec(input_size=I, hidden_size=H + bool(P), num_layers=layers, bidirectional=bool(rng.integers(2)), **KINDS[kind] | P)
    return Case(spec, T=T, B=B, gain=gain, label=f"layer{number}").with_dtype("float64" if number % 4 == 0 else "float32")


def inexact(ulp: int, side: str, rng: np.random.Generator) -> Change:
    """Functions that are right, but for an error of up to so many ulp at random, or of so many to one side."""

    def change(name: str, function: Function) -> Function:
        def computed(x: np.ndarray) -> np.ndarray:
            y = np.asarray(function(x.astype(np.longdouble)))
            off = rng.uniform(-ulp, ulp, y.shape) if side == "at random" else ulp * (1 if side == "upwards" else -1)
            exponent = np.frexp(np.nextafter(y, np.zeros_like(y)))[1] - np.finfo(x.dtype).nmant - 1
            return np.clip(y + off * np.sign(y) * np.ldexp(np.ones_like(y), exponent), *RANGES[name]).astype(x.dtype)

        return computed if name in RANGES else function

    return change


def scaled(wrong: str) -> Change:
    """Functions of which one is too small by WRONG_EPS."""

    def change(name: str, function: Function) -> Function:
        return (lambda x: (function(x) * (1 - WRONG_EPS * np.finfo(x.dtype).eps)).astype(x.dtype)) if name == wrong else function

    return change


class Differentiable(torch.autograd.Function):
    """A function of NumPy's, y = f(x), with dy/dx in terms of y."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, function: Function, slope: Callable) -> torch.Tensor:
        y = torch.from_numpy(function(x.detach().numpy()))
        ctx.save_for_backward(y)
        ctx.slope = slope
        return y

    @staticmethod
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return dy * ctx.slope(*ctx.saved_tensors), None, None


@contextmanager
def in_torch(change: Change) -> Iterator[None]:
    """Inside, the rooms of torch_impl call ``change(name, function)`` for tanh and sigmoid."""
    torch_with = SimpleNamespace(**vars(torch))
    for name, slope in SLOPES.items():
        function = change(name, FUNCTIONS[name])
        setattr(torch_with, name, lambda x, function=function, slope=slope: Differentiable.apply(x, function, slope))
    try:
        for room in TWINS:
            room.torch = torch_with
        yield
    finally:
        for room in TWINS:
            room.torch = torch


def right(case: Case, data: Data, ulp: int, side: str, seed: int) -> list[Tensors]:
    """The definition, and PyTorch's loop with autograd, with inexact functions."""
    change = inexact(ulp, side, np.random.default_rng(seed))
    with replaced(change), in_torch(change):
        return [define(case, data), compute(BUILTIN["torch.loop"].load(case.spec, data.weights), case, data)]


def wrong(case: Case, data: Data) -> dict[str, Tensors]:
    """Results that are wrong by 32 eps: each number, or tanh, or sigmoid."""
    eps = np.finfo(case.spec.dtype).eps
    found = {WRONG[0]: {k: v * (1 + WRONG_EPS * eps) for k, v in define(case, data).items()}}
    for what, function in zip(WRONG[1:], RANGES, strict=True):
        if case.spec.nonlinearity != "relu" and (function == "tanh" or case.spec.cell != "rnn"):  # is used
            with replaced(scaled(function)):
                found[what] = define(case, data)
    return found


def judged(case: Case, known: Truth, tensors: Tensors) -> Array:
    """(tensors, 2) error over allowed: by the rule without T5, and as it is"""
    pairs = []
    for name, exact in known.oracle.items():
        error, baselines = float(largest(tensors[name] - exact)), [b[name] for b in known.baselines]
        limits = (allowed(baselines, exact, case.spec.dtype, moved).largest for moved in ((), [b[name] for b in known.moved()]))
        pairs.append(tuple(error / limit if limit else float(error > 0) for limit in limits))
    return np.array(pairs)


def by_libm(gain: float, layers: Iterable[int]) -> Iterator[tuple[str, Array]]:
    """What each candidate is, a right or a wrong one, and how its tensors are judged."""
    for number in layers:
        case = layer(gain, number)
        data, known = case.data(), truth(case)
        for seed, (ulp, side) in enumerate(itertools.product(ULPS, SIDES)):
            for tensors in right(case, data, ulp, side, seed):
                yield f"{ulp} ulp {side}", judged(case, known, tensors)
        for what, tensors in wrong(case, data).items():
            yield what, judged(case, known, tensors)


def refusals() -> dict[str, list[str]]:
    """A table of the right ones that are refused, and one of the wrong ones that are: rows for each gain."""
    heads = {
        "right": ["gain", "ulp", "tensors", *(f"{side}: refused without T5" for side in SIDES), "with T5", "worst ratio"],
        "wrong": [
            "gain",
            "layers",
            "tensors",
            *(f"{w} wrong: refused without T5 → with it, layers (tensors)" for w in WRONG),
            "limits wider by",
        ],
    }
    rows: dict[str, list] = {name: [] for name in heads}
    for gain in track(GAINS, "gains, inexact functions", transient=True):
        found: dict[str, list[Array]] = {}
        for what, ratios in by_libm(gain, range(LAYERS)):
            found.setdefault(what, []).append(ratios)
        for ulp in ULPS:
            by_side = [np.concatenate(found[f"{ulp} ulp {side}"]) for side in SIDES]
            every = np.concatenate(by_side)
            counts = [(ratios[:, 0] > 1).sum() for ratios in by_side]
            rows["right"].append([gain, ulp, len(every), *counts, (every[:, 1] > 1).sum(), f"{every[:, 1].max():.2f}"])
        scale = np.concatenate(found[WRONG[0]])
        wider = np.exp(np.log(scale[:, 0] / scale[:, 1])[scale.all(1)].mean()) - 1
        rows["wrong"].append([gain, LAYERS, len(scale), *(refused(found[w]) for w in WRONG), f"{wider:.1%}"])
    return {name: markdown(heads[name], rows[name], ()) for name in heads}


def refused(layers: list[Array]) -> str:
    """Layers, and tensors, that are refused without T5 and with it, of those that can be."""
    of_layers = np.sum([(ratios > 1).any(0) for ratios in layers], axis=0)
    of_tensors = (np.concatenate(layers) > 1).sum(0)
    return f"{of_layers[0]} → {of_layers[1]} of {len(layers)} ({of_tensors[0]} → {of_tensors[1]})"


STUDY = Study("tolerances", __doc__, lambda: {"": by_baselines()} | refusals())


if __name__ == "__main__":
    sys.exit(entered(STUDY.command))
