"""Initial weights drawn as ``reference`` draws them: the same generator gives the same numbers on both sides."""

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
            p.copy_(
                torch.from_numpy(
                    rng.standard_normal(p.shape)
                    if isinstance(module, nn.Embedding)
                    else rng.uniform(-bound(module), bound(module), p.shape)
                )
            )
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx] = 0


def bound(module: nn.Module) -> float:
    """1/√H, or 1/√in_features of any other module with parameters."""
    fan_in = module.hidden_size if isinstance(module, nn.RNNBase | nn.RNNCellBase) else module.in_features
    assert isinstance(fan_in, int)
    return fan_in**-0.5
