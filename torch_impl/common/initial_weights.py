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
            if isinstance(module, nn.Embedding):
                p.copy_(torch.from_numpy(rng.standard_normal(p.shape)))
            else:
                recurrent = isinstance(module, nn.RNNBase | nn.RNNCellBase)
                bound = getattr(module, "hidden_size" if recurrent else "in_features") ** -0.5
                p.copy_(torch.from_numpy(rng.uniform(-bound, bound, p.shape)))
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx] = 0
