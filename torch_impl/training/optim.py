"""torch.optim under the names of reference/training/optim.py: parameters by name, and one form of state for both sides.

    adam = torch_impl.training.optim.Adam(model, lr=1e-3)        # a module, or a dict of named parameters
    adam.load_state_dict(reference_adam.state_dict())   # and the other way round

Equations O1 to O9: notes/training/optim.md
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from reference.common import checks
from reference.training.optim import OPTIONS, fitting, same_names


class Optimizer:
    """One of torch.optim's; constructor arguments and defaults are torch's."""

    kind: type[torch.optim.Optimizer]
    names: tuple[str, ...]  # the options that both sides have

    def __init__(self, params: nn.Module | Mapping[str, torch.Tensor], *args: Any, **options: Any):
        self.params = dict(params.named_parameters() if isinstance(params, nn.Module) else checks.mapping("params", params))
        for name, p in self.params.items():
            if not isinstance(p, torch.Tensor):
                raise TypeError(f"params[{name!r}] must be a tensor, got {type(p).__name__}")
        self.inner = self.kind(list(self.params.values()), *args, **options)

    @property
    def lr(self) -> float:
        return self.inner.param_groups[0]["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        OPTIONS["lr"]("lr", value)
        self.inner.param_groups[0]["lr"] = value

    def step(self, grads: Mapping[str, torch.Tensor] | None = None) -> None:
        """One step down the gradients that the parameters hold, or those given.

        KeyError, TypeError, ValueError: those given are not those of the parameters.  Nothing is changed then.
        """
        if grads is not None:
            checked_grads(grads, self.params)
            for name, p in self.params.items():
                p.grad = grads[name]
        self.inner.step()

    def state_dict(self) -> dict[str, Any]:
        """As reference.training.optim.Optimizer.state_dict: NumPy arrays, by the names of the parameters."""
        group, state = self.inner.param_groups[0], {}
        for name, p in self.params.items():
            state[name] = {
                k: int(v) if k == "step" else v.detach().cpu().numpy().copy()
                for k, v in self.inner.state[p].items()
                if v is not None
            }
        return {"options": {k: group[k] for k in self.names}, "state": state}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """The inverse of ``state_dict``; also of reference.training.optim's.  Raises as that's, and changes nothing then."""
        options, state = self.checked(state_dict)
        self.inner.param_groups[0].update(options)
        self.inner.state.update((self.params[name], slots) for name, slots in state.items())

    def checked(self, state_dict: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, torch.Tensor]]]:
        """What ``load_state_dict`` takes of it; raises as that, and changes nothing."""
        options, state = fitting(state_dict, self.names, self.params, type(self).__name__)
        tensors = {
            name: {
                k: torch.tensor(float(v)) if k == "step" else torch.from_numpy(v).to(self.params[name]) for k, v in slots.items()
            }
            for name, slots in state.items()
        }
        return options, tensors


def checked_grads(grads: Mapping[str, torch.Tensor], params: Mapping[str, torch.Tensor]) -> None:
    """KeyError, TypeError, ValueError: the gradients are not those of the parameters."""
    same_names(checks.mapping("grads", grads), params)
    for name, p in params.items():
        g = grads[name]
        if not isinstance(g, torch.Tensor) or g.dtype != p.dtype or g.device != p.device:
            got = f"{g.dtype} on {g.device}" if isinstance(g, torch.Tensor) else type(g).__name__
            raise TypeError(f"the gradient of {name!r} must be a tensor of {p.dtype} on {p.device}, got {got}")
        if g.shape != p.shape:
            raise ValueError(f"the gradient of {name!r} must have shape {tuple(p.shape)}, got {tuple(g.shape)}")


class SGD(Optimizer):
    kind, names = torch.optim.SGD, ("lr", "momentum", "dampening", "weight_decay", "nesterov")


class RMSprop(Optimizer):
    kind, names = torch.optim.RMSprop, ("lr", "alpha", "eps", "weight_decay", "momentum", "centered")


class Adagrad(Optimizer):
    kind, names = torch.optim.Adagrad, ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")


class Adam(Optimizer):
    kind, names = torch.optim.Adam, ("lr", "betas", "eps", "weight_decay")


class AdamW(Optimizer):
    kind, names = torch.optim.AdamW, ("lr", "betas", "eps", "weight_decay")


OPTIMIZERS = {c.__name__: c for c in (SGD, RMSprop, Adagrad, Adam, AdamW)}
