"""A training step: loss and backward; of an application, as its command does it, also clipping and optimiser, in place.

The options are the defaults of ``char_lm`` and ``forecast``.  The learning rate is constant, and nothing is logged.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, SupportsFloat

import numpy as np
import torch

import torch_impl.training.clip
import torch_impl.training.optim
from reference.char_lm.options import DEFAULTS as CHAR_LM
from reference.common.command import Model
from reference.forecast.options import DEFAULTS as FORECAST
from reference.forecast.train import MAX_NORM
from reference.training import clip, optim

Step = Callable[[Any], tuple[Any, Any]]  # batch -> loss, gradients; both as their side has them


class Application(NamedTuple):
    """What is trained, and by which optimiser."""

    model: str
    optimizer: str
    options: dict[str, float]
    max_norm: float


APPLICATIONS = {
    "char_lm": Application("language_model", "Adam", {"lr": CHAR_LM["lr"]}, CHAR_LM["clip"]),
    "forecast": Application("forecaster", "AdamW", {k: FORECAST[k] for k in ("lr", "weight_decay")}, MAX_NORM),
}


def numpy_step(model: Model, application: Application | None) -> Step:
    """Loss and gradients by the name of the parameter; of an application the whole step, gradients after clipping."""

    def gradients(batch):
        loss = model.loss(batch)
        model.backward()
        return loss, model.grads

    if application is None:
        return gradients
    optimizer = optim.OPTIMIZERS[application.optimizer](model, **application.options)

    def step(batch):
        loss, grads = gradients(batch)
        norm = clip.global_norm(grads)
        finite(loss, norm)
        clip.scale_to_norm(grads, application.max_norm, norm)
        optimizer.step(grads)
        return loss, grads

    return step


def torch_step(model: Model, application: Application | None) -> Step:
    """The same, gradients in the order of the parameters."""
    params = dict(model.named_parameters())

    def gradients(batch):
        loss = model.loss(batch)
        return loss, torch.autograd.grad(loss, list(params.values()))

    if application is None:
        return gradients
    optimizer = torch_impl.training.optim.OPTIMIZERS[application.optimizer](model, **application.options)

    def step(batch):
        model.zero_grad()
        loss = model.loss(batch)
        loss.backward()
        norm = torch_impl.training.clip.global_norm(params)
        finite(loss.detach(), norm)
        torch_impl.training.clip.scale_to_norm(params, application.max_norm, norm)
        optimizer.step()
        return loss, [p.grad for p in params.values()]

    return step


def finite(loss: SupportsFloat, norm: SupportsFloat) -> None:
    """As the training loop asks at each step: both are read as numbers, so a GPU is waited for."""
    if not np.isfinite([float(loss), float(norm)]).all():
        raise FloatingPointError(f"the loss is {float(loss)}, the norm of the gradients {float(norm)}")
