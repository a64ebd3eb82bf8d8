"""Initial weights of a torch module, drawn as reference/training/init.py draws them: the same generator gives the same weights.

Equations I1 to I5: notes/training/init.md
"""

from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from reference.common import checks
from reference.training import init
from reference.training.init import Scheme

M = TypeVar("M", bound=nn.Module)


def initialise(module: M, scheme: str | Scheme, rng: np.random.Generator, **options: Any) -> M:
    """Draw the weights of recurrent layers anew, gate by gate; options and errors as reference.training.init.initialise."""
    checks.has("module", module, "named_parameters")
    weights = init.initialise({k: v.detach().cpu().numpy() for k, v in module.named_parameters()}, scheme, rng, **options)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.from_numpy(weights[name]))
    return module
