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

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from ..common import checks
from ..common.arrays import Array
from ..common.module import Module
from .optim_checks import OPTIONS, Slots, checked_grads, checked_state
from .optim_checks import same_names as same_names

Parameters = Mapping[str, Array] | Module


class Optimizer:
    """What the optimisers share: the parameters, the options, the state of each parameter.

    Parameters
    ----------
    params : mapping of names to arrays, or a Module
        Changed in place by ``step``.  A Module is asked for its ``params`` at each step, so it may load new ones.
    options
        As in torch.optim.  ``lr`` may be set between steps, which is what a schedule does.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range; a parameter that is read-only.
    """

    def __init__(self, params: Parameters, **options: Any):
        for name, value in options.items():
            OPTIONS[name](name, value)
        checks.floats("params", params.params if isinstance(params, Module) else params, write=True)
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
        OPTIONS["lr"]("lr", value)
        self.options["lr"] = value

    def step(self, grads: Mapping[str, Array]) -> None:
        """One step, in place, down the gradients, which are not changed.

        Raises
        ------
        KeyError, TypeError, ValueError
            The gradients are not those of the parameters: another name, another shape, no floating-point numbers or complex
            ones of a real parameter; or a parameter is read-only.  Nothing is changed then.
        """
        params = checks.floats("params", self.params, write=True)
        checked_grads(grads, params)
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
        return fitting(state_dict, self.options, self.params, type(self).__name__)


def fitting(state_dict: Mapping[str, Any], options: Collection[str],
            params: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], dict[str, Slots]]:
    """Copies of options and state for an optimiser of this name, of either backend.  RuntimeError, TypeError: they do not fit."""
    found, state = checked_state(state_dict, options, params, kind)
    if kind in OPTIMIZERS:
        try:
            OPTIMIZERS[kind]({"w": np.zeros(1)}, **found)                             # which checks what goes together
        except (TypeError, ValueError) as e:
            raise RuntimeError(f"options: {e}") from None
    return found, state


class SGD(Optimizer):
    """Gradient descent; namesake torch.optim.SGD."""

    def __init__(self, params: Parameters, lr: float = 1e-3, momentum: float = 0.0, dampening: float = 0.0,
                 weight_decay: float = 0.0, nesterov: bool = False):
        super().__init__(params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")

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
                         centered=centered)

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
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        self.options["betas"] = tuple(betas)

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
