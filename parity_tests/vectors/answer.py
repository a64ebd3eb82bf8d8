"""What an implementation that is called from Python answers to the vectors, from their files alone."""

from pathlib import Path
from typing import Any

import numpy as np

from ..judge import oracle
from ..judge.cases import Case, Data, Spec
from ..judge.contracts.call import DeclinedError
from ..judge.implementations import Implementation
from ..judge.oracle import Tensors
from . import folder
from .tensors import full

Json = dict[str, Any]
DECLINED = "declined.json"


def answer(implementation: Implementation, described: Json, given: Tensors) -> Tensors:
    """Every output and gradient of the calls of a case, in the order of its steps.  DeclinedError: it is not for it."""
    spec = Spec(**described["spec"])
    if reason := implementation.reason_to_decline(spec):
        raise DeclinedError(reason)
    if precision := implementation.precision(spec):
        raise DeclinedError(f"computes {spec.dtype} in {precision}; these vectors allow what {spec.dtype} does")
    calls = {call["name"]: call for call in described["calls"]}
    data = {name: data_of(spec, call, given) for name, call in calls.items()}
    layers: dict[str, Any] = {}
    results: Tensors = {}
    for step in described["steps"]:
        verb, _, name = step.partition(" ")
        if verb == "load":
            layers[name] = implementation.load(spec, weights_of(spec, name, given))
            continue
        layer, case = layers[calls[name]["layer"]], Case(spec)
        if verb == "backward":
            found = oracle.backward(layer, case, data[name]) if hasattr(layer, "backward") else {}
        elif verb == "infer" and not hasattr(layer, "infer"):
            raise DeclinedError("has no infer(x, state, lengths)")
        else:
            found = oracle.forward(layer, case, data[name], verb)
        if calls[name]["asked"]:
            results |= {full(name, k): np.copy(v) for k, v in found.items()}
    return results


def data_of(spec: Spec, call: Json, given: Tensors) -> Data:
    """What goes into a call; where no gradients are asked for, there is no upstream gradient."""

    def those(*names: str) -> list[np.ndarray]:
        return [given[name] for name in (full(call["name"], name) for name in names) if name in given]

    masks = (f"mask_l{k}" for k in range(spec.num_layers))
    return Data(
        weights=weights_of(spec, call["layer"], given),
        x=given[full(call["name"], "x")],
        state=tuple(those("h_0", "c_0")) or None,
        dy=given.get(full(call["name"], "dy"), np.empty(0)),
        dstate=tuple(those("dh_n", "dc_n")),
        masks=those(*masks) or None,
        lengths=given.get(full(call["name"], "lengths")),
    )


def weights_of(spec: Spec, layer: str, given: Tensors) -> Tensors:
    """The weights of a layer, by their names in torch."""
    return {name: given[full(layer, name)] for name in spec.weight_shapes()}


def write(implementation: Implementation, vectors: Path, name: str, out: Path) -> str:
    """Answer a case; returns why not, if it is declined."""
    described, given = folder.read(vectors, name)
    try:
        folder.save(out / f"{name}.safetensors", answer(implementation, described, given))
    except DeclinedError as e:
        return str(e)
    return ""
