"""How a room outside the cells is judged: one call, forward and backward, by NumPy, by PyTorch and by the complex step.

    inputs   {"x": ..., "W": ..., "dy": ...}    what goes in; "dy" is the upstream gradient of the output "y"
    results  {"y": ..., "dx": ..., "dW": ...}   what comes out; "dx" is the gradient of the input "x"

Oracle, baselines and tolerance are those of the named cases: judge/oracle.py, judge/tolerance.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from types import ModuleType

import numpy as np
import torch

import reference

from .judge.oracle import Tensors, Truth, complex_step, is_real, truth_of
from .judge.suite import described
from .judge.tolerance import Verdict
from .judge.verdicts import compare, refused, same, written_to

DTYPES = ("float32", "float64")


@dataclass(frozen=True, eq=False)
class RoomCase:
    """One call of one room."""

    room: str
    name: str
    inputs: Tensors  # by name, floating ones in float64
    run: Callable[[ModuleType, Tensors], Tensors]  # (package, inputs) -> results, with ``reference`` or a broken copy of it
    twin: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]  # inputs -> outputs in PyTorch; autograd is the backward
    fixed: tuple[str, ...] = ()  # floating inputs that have no gradient, class weights for instance
    holomorphic: bool = True  # whether the complex step gives the gradient: not where one is cut off, or the room does not branch

    def __str__(self) -> str:
        return f"{self.room}-{self.name}"

    def data(self, dtype: str) -> Tensors:
        """Copies of the inputs, the floating ones in this dtype."""
        return {k: np.array(v, dtype if is_real(v) else None) for k, v in self.inputs.items()}

    def wanted(self, outputs: Iterable[str]) -> list[str]:
        """The inputs that have a gradient: all floating ones but the upstream gradients and the fixed ones."""
        upstream = {f"d{k}" for k in outputs}
        return [k for k, v in self.inputs.items() if is_real(v) and k not in upstream and k not in self.fixed]


@cache
def truth(case: RoomCase, dtype: str) -> Truth:
    """The room in longdouble, and in the dtype."""
    return truth_of(partial(case.run, reference), case.data(dtype))


def by_numpy(case: RoomCase, dtype: str, package: ModuleType = reference) -> list[Verdict]:
    """The room, or a broken copy, called twice.  Its own baseline does not count, so that it can fail."""
    data = case.data(dtype)
    try:
        first, second = case.run(package, data), case.run(package, data)
    except Exception as e:  # a broken copy may raise anything
        return [refused("(raised)", "raised", described(e))]
    known = truth(case, dtype)
    return [
        *compare(first, replace(known, baselines=known.baselines[1:]), dtype),
        *written_to(case.data(dtype), data),
        *(refused(k, "changed", "differs in a second call") for k, v in first.items() if not same(v, second[k])),
    ]


def by_torch(case: RoomCase, dtype: str) -> list[Verdict]:
    """The twin, its gradients by autograd."""
    tensors = {k: torch.from_numpy(v).requires_grad_(is_real(v)) for k, v in case.data(dtype).items()}
    outputs = case.twin(tensors)
    results = {k: v.detach().numpy() for k, v in outputs.items()}
    if pulled := [k for k in outputs if f"d{k}" in tensors]:
        wanted, upstream = case.wanted(outputs), [tensors[f"d{k}"].detach() for k in pulled]
        grads = torch.autograd.grad([outputs[k] for k in pulled], [tensors[k] for k in wanted], upstream)
        results |= {f"d{k}": v.numpy() for k, v in zip(wanted, grads, strict=True)}
    return list(compare(results, truth(case, dtype), dtype))


def by_complex_step(case: RoomCase) -> list[Verdict]:
    """The hand-written gradients against the complex step of the room."""
    known = truth(case, "float64")
    pulled = [k for k in known.oracle if f"d{k}" in case.inputs]

    def rise(inputs: Tensors) -> float:
        results = case.run(reference, inputs)
        return sum((inputs[f"d{k}"] * results[k].imag).sum() for k in pulled)

    gradients = {f"d{k}": v for k, v in complex_step(rise, case.data("float64"), case.wanted(pulled)).items()}
    return list(compare(gradients, replace(known, oracle={k: known.oracle[k] for k in gradients}), "float64"))
