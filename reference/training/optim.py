"""Optimisers, step for step those of torch.optim.  Derivation: notes/training/optim.md

    g ← g + λ w                                    weight decay, all but AdamW        (O1)
    u ← μ u + (1 - τ) g,  first u = g              SGD with momentum μ                (O2)
    w ← w - η u,  Nesterov: w - η (g + μ u)                                           (O3)
    v ← α v + (1 - α) g²,  centred: v - ḡ²         RMSprop                            (O4)
    s ← s + g²,  η_t = η / (1 + (t - 1) d)         Adagrad                            (O5)
    m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²  Adam                              (O6)
    m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)          the moments start at 0             (O7)
    w ← w - η g / (√v + ε)                         ε outside the root                 (O8)
    w ← w - η λ w                                  AdamW, before the step             (O9)

w a parameter, g its gradient, η the learning rate, t counts from 1.  All in place.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from ..common import checks
from ..common.arrays import Array
from ..common.module import Module

Parameters = Mapping[str, Array] | Module
Slots = dict[str, Any]      # torch's name of a quantity: an array, "step" a whole number
SQUARES = ("exp_avg_sq", "square_avg", "sum")


class Optimizer:
    """What the optimisers share: the parameters, the options, the state of each parameter.

    Parameters
    ----------
    params : mapping of names to arrays, or a Module
        Changed in place by ``step``.  A Module is asked for its ``params`` at each step, so it may load new ones.
    options
        As in torch.optim.  ``lr`` may be set between steps, which is what a schedule does.
    """

    def __init__(self, params: Parameters, **options: Any):
        for name in ("lr", "momentum", "weight_decay", "eps", "lr_decay", "alpha", "initial_accumulator_value"):
            if name in options:
                checks.zero_or_more(name, options[name])
        self._source = params
        self.options = options
        self.state: dict[str, Slots] = {}
        if not self.params:
            raise ValueError("an optimiser needs at least one parameter")

    @property
    def params(self) -> Mapping[str, Array]:
        return self._source.params if isinstance(self._source, Module) else self._source

    @property
    def lr(self) -> float:
        return self.options["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        self.options["lr"] = value

    def step(self, grads: Mapping[str, Array]) -> None:
        """One step, in place, down the gradients, which are not changed.

        Raises
        ------
        KeyError, ValueError
            The gradients are not those of the parameters: another name, another shape.  Nothing is changed then.
        """
        params = self.params
        for name in params:
            if name not in grads:
                raise KeyError(f"no gradient for {name!r}")
            if grads[name].shape != params[name].shape:
                raise ValueError(f"the gradient of {name!r} must have shape {params[name].shape}, "
                                 f"got {grads[name].shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            for name, w in params.items():
                self._update(w, grads[name], self.state.setdefault(name, {}))

    def _update(self, w: Array, g: Array, state: Slots) -> None:
        raise NotImplementedError

    def _decayed(self, w: Array, g: Array) -> Array:
        decay = self.options["weight_decay"]
        return g + decay * w if decay else g                                          # O1

    def state_dict(self) -> dict[str, Any]:
        """{"options": {...}, "state": {parameter: {torch's name of the quantity: copy, "step": int}}}"""
        return {"options": dict(self.options), "state": deepcopy(self.state)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """The inverse of ``state_dict``; also of torch_impl.training.optim.state_dict.

        Raises
        ------
        RuntimeError, TypeError, ValueError
            Options, parameters or quantities that this optimiser does not have, an option out of range, a quantity of another
            shape or dtype, squares below zero, a step that is no whole number from 0.  Nothing is changed then.
        """
        self.options, self.state = self.checked(state_dict)

    def checked(self, state_dict: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Slots]]:
        """What ``load_state_dict`` takes of it; raises as that, and changes nothing."""
        options, state = checked_state(state_dict, self.options, self.params, type(self).__name__)
        if type(self).__name__ in OPTIMIZERS:
            try:
                type(self)({"w": np.zeros(1)}, **options)
            except (TypeError, ValueError) as e:
                raise RuntimeError(f"options: {e}") from None
        return options, state


def slots_of(kind: str, options: Mapping[str, Any]) -> set[str] | None:
    """What an optimiser of this name keeps of each parameter after a step with these options; None where nobody knows."""
    momentum = {"momentum_buffer"} if options.get("momentum") else set()
    adam = {"step", "exp_avg", "exp_avg_sq"}
    centered = {"grad_avg"} if options.get("centered") else set()
    return {"SGD": momentum, "RMSprop": {"step", "square_avg"} | momentum | centered, "Adagrad": {"step", "sum"},
            "Adam": adam, "AdamW": adam}.get(kind)


def checked_options(state: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a state, pairs as tuples.  RuntimeError: other names, or one of another type."""
    if state.keys() != own.keys():
        raise RuntimeError(f"the optimiser has the options {', '.join(own)}, the state has {', '.join(map(str, state))}")
    for name, v in state.items():
        wanted = "True or False" if isinstance(own[name], bool) else "a number"
        pair = isinstance(own[name], (tuple, list))
        if pair and not (isinstance(v, (tuple, list)) and len(v) == len(own[name])):
            raise RuntimeError(f"option {name} must be {len(own[name])} numbers, got {str(v)[:40]}")
        for one, known in zip(v, own[name], strict=True) if pair else [(v, own[name])]:
            if isinstance(known, (int, float)) and (
                not isinstance(one, (int, float)) or isinstance(one, bool) != isinstance(known, bool)
            ):
                raise RuntimeError(f"option {name} must be {wanted}, got {str(v)[:40]}")
    return {k: tuple(v) if isinstance(v, list) else v for k, v in state.items()}


def checked_state(state_dict: Mapping[str, Any], options: Mapping[str, Any],
                  params: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], dict[str, Slots]]:
    """Copies of the options and the state in a state_dict, if they fit these options and parameters, and the optimiser's name."""
    found = checked_options(state_dict["options"], options)
    needed = slots_of(kind, found)
    unknown = [name for name in state_dict["state"] if name not in params]
    missing = [name for name in params if state_dict["state"] and name not in state_dict["state"]]
    if unknown or missing:
        raise RuntimeError(f"the optimiser's state does not fit: unknown {unknown}, missing {missing}")
    state: dict[str, Slots] = {name: {} for name in state_dict["state"]}
    for name, slots in state_dict["state"].items():
        shape, dtype = tuple(params[name].shape), str(params[name].dtype).rpartition(".")[2]
        if slots and needed is not None and not needed <= slots.keys() <= needed | {"momentum_buffer", "grad_avg"}:
            raise RuntimeError(f"of {name!r} it must have {', '.join(sorted(needed))}, got {', '.join(sorted(slots))[:100]}")
        for slot, v in slots.items():
            if slot == "step":
                state[name][slot] = checks.positive_or_zero(f"step of {name!r}", v)
                continue
            if np.shape(v) != shape:
                raise RuntimeError(f"{slot} of {name!r} must have shape {shape}, got {np.shape(v)}")
            state[name][slot] = np.array(v)
            if str(state[name][slot].dtype) != dtype:
                raise RuntimeError(f"{slot} of {name!r} must have dtype {dtype}, got {state[name][slot].dtype}")
            if slot in SQUARES and (state[name][slot] < 0).any():
                raise RuntimeError(f"{slot} of {name!r} has a number below zero, and is a mean or sum of squares")
    return found, state


class SGD(Optimizer):
    """Gradient descent; namesake torch.optim.SGD."""

    def __init__(self, params: Parameters, lr: float = 1e-3, momentum: float = 0.0, dampening: float = 0.0,
                 weight_decay: float = 0.0, nesterov: bool = False):
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")
        super().__init__(params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                         nesterov=bool(nesterov))

    def _update(self, w: Array, g: Array, state: Slots) -> None:
        o = self.options
        g = self._decayed(w, g)
        if o["momentum"]:
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = g.copy()                                   # O2, first
            else:
                u = state["momentum_buffer"]
                u *= o["momentum"]
                u += (1 - o["dampening"]) * g                                         # O2
            u = state["momentum_buffer"]
            g = g + o["momentum"] * u if o["nesterov"] else u
        w -= o["lr"] * g                                                              # O3


class RMSprop(Optimizer):
    """Divides by a running root mean square; namesake torch.optim.RMSprop."""

    def __init__(self, params: Parameters, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0,
                 momentum: float = 0.0, centered: bool = False):
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum,
                         centered=bool(centered))

    def _update(self, w: Array, g: Array, state: Slots) -> None:
        o = self.options
        g = self._decayed(w, g)
        v = _running(state, "square_avg", w)
        v *= o["alpha"]
        v += (1 - o["alpha"]) * g * g                                                 # O4
        if o["centered"]:
            mean = _running(state, "grad_avg", w)
            mean += (1 - o["alpha"]) * (g - mean)
            v = v - mean * mean                                                       # O4, centred
        scaled = g / (np.sqrt(v) + o["eps"])                                          # O8
        if o["momentum"]:
            u = _running(state, "momentum_buffer", w)
            u *= o["momentum"]
            u += scaled
            scaled = u
        w -= o["lr"] * scaled
        state["step"] = state.get("step", 0) + 1


class Adagrad(Optimizer):
    """Divides by the root of the sum of all squares so far; namesake torch.optim.Adagrad."""

    def __init__(self, params: Parameters, lr: float = 1e-2, lr_decay: float = 0.0, weight_decay: float = 0.0,
                 initial_accumulator_value: float = 0.0, eps: float = 1e-10):
        super().__init__(params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
                         initial_accumulator_value=initial_accumulator_value, eps=eps)

    def _update(self, w: Array, g: Array, state: Slots) -> None:
        o = self.options
        g = self._decayed(w, g)
        t = state["step"] = state.get("step", 0) + 1
        s = _running(state, "sum", w, o["initial_accumulator_value"])
        s += g * g                                                                    # O5
        w -= o["lr"] / (1 + (t - 1) * o["lr_decay"]) * g / (np.sqrt(s) + o["eps"])    # O5, O8


class Adam(Optimizer):
    """Running mean over running root mean square, both corrected for their start; namesake torch.optim.Adam."""

    decoupled = False

    def __init__(self, params: Parameters, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.0):
        if not isinstance(betas, (tuple, list)) or len(betas) != 2 or not all(0 <= b < 1 for b in betas):
            raise ValueError(f"betas must be two numbers from 0 to below 1, got {betas!r}")
        super().__init__(params, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)

    def _update(self, w: Array, g: Array, state: Slots) -> None:
        (b1, b2), o = self.options["betas"], self.options
        if self.decoupled:
            w *= 1 - o["lr"] * o["weight_decay"]                                      # O9
        else:
            g = self._decayed(w, g)
        t = state["step"] = state.get("step", 0) + 1
        m, v = _running(state, "exp_avg", w), _running(state, "exp_avg_sq", w)
        m += (1 - b1) * (g - m)                                                       # O6
        v *= b2
        v += (1 - b2) * g * g                                                         # O6
        root = np.sqrt(v)
        root /= (1 - b2**t) ** 0.5                                                    # O7
        root += o["eps"]
        np.divide(m, root, out=root)                                                  # O8
        root *= o["lr"] / (1 - b1**t)                                                 # O7
        w -= root


class AdamW(Adam):
    """Adam whose weight decay does not pass through the moments; namesake torch.optim.AdamW."""

    decoupled = True

    def __init__(self, params: Parameters, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2):
        super().__init__(params, lr, betas, eps, weight_decay)


def _running(state: Slots, slot: str, w: Array, start: float = 0.0) -> Array:
    """The quantity of this name; the first step makes it."""
    if slot not in state:
        state[slot] = np.full_like(w, start)
    return state[slot]


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {c.__name__: c for c in (SGD, RMSprop, Adagrad, Adam, AdamW)}
