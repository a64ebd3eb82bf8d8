"""What gradients and a state must be for an optimiser to take them, of either backend."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from ..common import checks
from ..common.arrays import Array

Slots = dict[str, Any]  # torch's name of a quantity: an array, "step" a whole number
SQUARES = ("exp_avg_sq", "square_avg", "sum")


def two_shares(name: str, value: Any) -> None:
    """ValueError: no two numbers from 0 to below 1."""
    if not isinstance(value, (tuple, list)) or len(value) != 2 or not all(checks.is_real(b) and 0 <= b < 1 for b in value):
        raise ValueError(f"{name} must be two numbers from 0 to below 1, got {checks.shown(value)}")


# What each option must be, in a constructor and in a state.
OPTIONS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("lr", "momentum", "weight_decay", "eps", "lr_decay", "alpha", "initial_accumulator_value"),
                    checks.zero_or_more),
    "dampening": checks.finite, "betas": two_shares, "nesterov": checks.flag, "centered": checks.flag}


def slots_of(kind: str, options: Mapping[str, Any]) -> set[str] | None:
    """What an optimiser of this name keeps of each parameter after a step with these options; None where nobody knows."""
    momentum = {"momentum_buffer"} if options.get("momentum") else set()
    adam = {"step", "exp_avg", "exp_avg_sq"}
    centered = {"grad_avg"} if options.get("centered") else set()
    return {"SGD": momentum, "RMSprop": {"step", "square_avg"} | momentum | centered, "Adagrad": {"step", "sum"},
            "Adam": adam, "AdamW": adam}.get(kind)


def checked_grads(grads: Mapping[str, Array], params: Mapping[str, Array]) -> None:
    """KeyError, TypeError, ValueError: the gradients are not those of the parameters."""
    same_names(checks.floats("grads", grads), params)
    for name, w in params.items():
        g = grads[name]
        if g.shape != w.shape:
            raise ValueError(f"the gradient of {name!r} must have shape {w.shape}, got {g.shape}")
        if g.dtype != w.dtype and not np.can_cast(g.dtype, w.dtype, "same_kind"):
            raise TypeError(f"the gradient of {name!r} must be castable to {w.dtype}, got {g.dtype}")


def same_names(grads: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """KeyError: a parameter has no gradient, or a gradient no parameter."""
    if grads.keys() != params.keys():
        lacking, more = params.keys() - grads.keys(), grads.keys() - params.keys()
        raise KeyError(f"no gradient for {min(lacking)!r}" if lacking else f"a gradient for {min(more)!r}, which is no parameter")


def checked_state(state_dict: Mapping[str, Any], options: Collection[str],
                  params: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], dict[str, Slots]]:
    """Copies of the options and the state in a state_dict, if they fit these options and parameters, and the optimiser's name.

    RuntimeError: they do not.  TypeError: they are no mappings.
    """
    for part in ("options", "state"):
        if part not in checks.mapping("state_dict", state_dict):
            raise RuntimeError(f"state_dict must have {part!r}, and has {', '.join(state_dict) or 'nothing'}")
        checks.mapping(f"state_dict[{part!r}]", state_dict[part])
    given, held = state_dict["options"], state_dict["state"]
    if given.keys() != set(options):
        raise RuntimeError(f"the optimiser has the options {', '.join(options)}, the state has {', '.join(map(str, given))}")
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    unknown = [name for name in held if name not in params]
    missing = [name for name in params if held and name not in held]
    if unknown or missing:
        raise RuntimeError(f"the optimiser's state does not fit: unknown {unknown}, missing {missing}")
    try:
        for name, value in given.items():
            OPTIONS[name](f"option {name}", value)
        needed = slots_of(kind, given)
        return given, {name: checked_slots(name, checks.mapping(name, own), needed, params[name]) for name, own in held.items()}
    except (TypeError, ValueError) as e:
        raise RuntimeError(str(e)) from e


def checked_slots(name: str, slots: Mapping[str, Any], needed: set[str] | None, parameter: Any) -> Slots:
    """Copies of the quantities of one parameter, of either backend.  TypeError, ValueError: it cannot have them."""
    if slots and needed is not None and not needed <= slots.keys() <= needed | {"momentum_buffer", "grad_avg"}:
        raise ValueError(f"of {name!r} it must have {', '.join(sorted(needed))}, got {', '.join(sorted(slots))[:100]}")
    return {slot: checked_slot(f"{slot} of {name!r}", slot, v, parameter) for slot, v in slots.items()}


def checked_slot(what: str, slot: str, value: Any, parameter: Any) -> Any:
    if slot == "step":
        return checks.positive_or_zero(what, value)
    v, shape, dtype = checks.numbers(what, value, "fc"), tuple(parameter.shape), str(parameter.dtype).rpartition(".")[2]
    if v.shape != shape:
        raise ValueError(f"{what} must have shape {shape}, got {v.shape}")
    if str(v.dtype) != dtype:
        raise TypeError(f"{what} must have dtype {dtype}, got {v.dtype}")
    if slot in SQUARES and (v < 0).any():
        raise ValueError(f"{what} has a number below zero, and is a mean or sum of squares")
    return v.copy()
