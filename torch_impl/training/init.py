"""Initial weights of a torch module, drawn as reference/training/init.py draws them: the same generator gives the same weights.

Equations I1 to I5: notes/training/init.md
"""

import torch
from torch import nn

from reference.training import init


def initialise(module: nn.Module, scheme, rng, **options) -> nn.Module:
    """Draw the weights of recurrent layers anew, gate by gate; arguments and errors as reference.training.init.initialise."""
    made = init.initialise({k: v.detach().cpu().numpy() for k, v in module.named_parameters()}, scheme, rng, **options)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.from_numpy(made[name]))
    return module
