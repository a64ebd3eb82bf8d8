"""How a part is judged: one call of a room, forward and backward, by NumPy, by PyTorch and by the complex step.

The oracle is the room in longdouble, the baselines are the room in the candidate's dtype, the rule is tolerance.py's.

    inputs   {"x": ..., "W": ..., "dy": ...}    what goes in; "dy" is the upstream gradient of the output "y"
    results  {"y": ..., "dx": ..., "dW": ...}   what comes out; "dx" is the gradient of the input "x"
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch

import reference

from ..judge.suite import broken, described
from ..judge.tolerance import Verdict, judge

Arrays = dict[str, np.ndarray]
JITTERED = 3
DTYPES = ("float32", "float64")


@dataclass(frozen=True, eq=False)
class PartCase:
    """One call of one room.

    room, name   of the case
    inputs       arrays by name, floating ones in float64
    run          (package, inputs) -> results, with ``reference`` or a broken copy of it
    twin         (inputs as tensors) -> outputs by name, in PyTorch; autograd is the backward
    fixed        floating inputs that have no gradient, class weights for instance
    holomorphic  whether the complex step gives the gradient: not where a gradient is cut off or the room does not branch
    """

    room: str
    name: str
    inputs: Arrays
    run: Callable[[Any, Arrays], Arrays]
    twin: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
    fixed: tuple[str, ...] = ()
    holomorphic: bool = True

    def __str__(self) -> str:
        return f"{self.room}-{self.name}"

    def wanted(self, outputs) -> list[str]:
        """The inputs that have a gradient: all floating ones but the upstream gradients and the fixed ones."""
        upstream = {f"d{k}" for k in outputs}
        return [k for k, v in self.inputs.items() if is_real(v) and k not in upstream and k not in self.fixed]


def is_real(v: np.ndarray) -> bool:
    return np.asarray(v).dtype.kind == "f"


def cast(inputs: Arrays, dtype) -> Arrays:
    """Copies, the floating ones in another dtype."""
    return {k: np.array(v, dtype if is_real(v) else None) for k, v in inputs.items()}


def jittered(inputs: Arrays, rng: np.random.Generator) -> Arrays:
    """Every floating number moved up or down by one rounding."""
    return {k: (v * (1 + np.finfo(v.dtype).eps * rng.choice([-1, 1], v.shape))).astype(v.dtype) if is_real(v) else v
            for k, v in inputs.items()}


@cache
def truth(case: PartCase, dtype: str) -> tuple[Arrays, list[Arrays]]:
    """(oracle, baselines); the first baseline is on the data as it is."""
    data, rng = cast(case.inputs, dtype), np.random.default_rng(0)
    moved = [jittered(data, rng) for _ in range(JITTERED)]
    return case.run(reference, cast(data, np.longdouble)), [case.run(reference, d) for d in (cast(data, dtype), *moved)]


def by_numpy(case: PartCase, dtype: str, package: ModuleType = reference) -> list[Verdict]:
    """The room, or a broken copy, called twice.  Its own baseline does not count, so that it can fail."""
    data = cast(case.inputs, dtype)
    try:
        first, second = case.run(package, data), case.run(package, data)
    except Exception as e:  # a broken copy may raise anything
        return [broken("(raised)", "raised", described(e))]
    verdicts = list(verdict(case, first, dtype, 1))
    verdicts += [broken(k, "changed", "was written to") for k, v in cast(case.inputs, dtype).items()
                 if not np.array_equal(v, data[k], equal_nan=True)]
    verdicts += [broken(k, "changed", "differs in a second call") for k in first
                 if not np.array_equal(first[k], second[k])]
    return verdicts


def by_torch(case: PartCase, dtype: str) -> list[Verdict]:
    """The twin, its gradients by autograd."""
    data = cast(case.inputs, dtype)
    tensors = {k: torch.from_numpy(np.array(v)).requires_grad_(is_real(v)) for k, v in data.items()}
    outputs = case.twin(tensors)
    wanted, pulled = case.wanted(outputs), [k for k in outputs if f"d{k}" in tensors]
    grads = torch.autograd.grad([outputs[k] for k in pulled], [tensors[k] for k in wanted],
                                [tensors[f"d{k}"].detach() for k in pulled]) if pulled else ()
    results = {k: v.detach().numpy() for k, v in outputs.items()}
    return list(verdict(case, results | {f"d{k}": v.numpy() for k, v in zip(wanted, grads, strict=bool(pulled))}, dtype))


def by_complex_step(case: PartCase, h: float = 1e-30) -> list[Verdict]:
    """The hand-written gradients against Im f(v + ih) / h, element by element; see witness.complex_step."""
    oracle, _ = truth(case, "float64")
    pulled = [k for k in oracle if f"d{k}" in case.inputs]
    wanted = case.wanted(pulled)
    inputs = {k: v.astype(complex) if k in wanted else v for k, v in cast(case.inputs, "float64").items()}
    found = {}
    for name in wanted:
        found[f"d{name}"] = np.empty(inputs[name].shape)
        for at in np.ndindex(inputs[name].shape):
            inputs[name][at] += 1j * h
            results = case.run(reference, inputs)
            found[f"d{name}"][at] = sum((inputs[f"d{k}"] * results[k].imag).sum() for k in pulled) / h
            inputs[name][at] -= 1j * h
    return list(verdict(case, found, "float64", only=tuple(found)))


def verdict(case: PartCase, results: Arrays, dtype: str, skip: int = 0, only: tuple[str, ...] = ()) -> Iterator[Verdict]:
    """A verdict on each tensor; the first ``skip`` baselines are left out."""
    oracle, baselines = truth(case, dtype)
    for name in results.keys() - oracle.keys():
        yield broken(name, "unexpected", "is no result of this case")
    for name in only or oracle:
        if name not in results:
            yield broken(name, "missing", "was not returned")
        elif np.asarray(results[name]).dtype != dtype:
            yield broken(name, "dtype", f"{np.asarray(results[name]).dtype} for {dtype}")
        else:
            yield judge(name, results[name], [b[name] for b in baselines[skip:]], oracle[name], dtype)


def catching(fault, package: ModuleType, cases: list[PartCase]) -> dict[PartCase, list[Verdict]]:
    """The cases that convict a broken package by what the fault is, a wrong number, and their wrong verdicts."""
    why = "changed" if fault.changes else "number"
    wrong = {case: [v for v in by_numpy(case, "float64", package) if not v.ok] for case in cases}
    return {case: verdicts for case, verdicts in wrong.items() if any(v.why == why for v in verdicts)}
