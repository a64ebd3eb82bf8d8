"""Initial weights drawn as ``reference`` draws them: the same generator gives the same numbers on both sides."""

from typing import Any

import numpy as np
import torch
from torch import nn


@torch.no_grad()
def draw(model: nn.Module, rng: np.random.Generator) -> None:
    """Fill every parameter of a model, module by module in the order in which they were set, as reference.Model does.

    Uniform in ±1/√H in recurrent layers and ±1/√fan_in elsewhere, standard normal in embeddings: torch's defaults.
    """
    for module in model.modules():
        for p in module.parameters(recurse=False):
            p.copy_(torch.from_numpy(rng.standard_normal(p.shape) if isinstance(module, nn.Embedding)
                                     else rng.uniform(-bound(module), bound(module), p.shape)))
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx] = 0


def bound(module: nn.Module) -> float:
    """1/√H or 1/√fan_in; a module of another kind says its own ``fan_in``."""
    fan: Any = module.hidden_size if isinstance(module, nn.RNNBase | nn.RNNCellBase) else getattr(
        module, "in_features", None) or module.fan_in
    return fan**-0.5
