"""Cases and faults of reference/training/optim.py: the parameters after three steps, given the gradient of each."""

from typing import Any

import numpy as np
import torch

from ..helpers import draw
from ..mutation.catalogue import Fault
from ..rooms import RoomCase

STEPS = 3
GRADIENTS = tuple(f"g{n}" for n in range(STEPS))


def case(kind: str, name: str, **options: Any) -> RoomCase:
    """The gradients differ in size from step to step, and are small enough for an epsilon to show."""

    def run(package, d):
        w = {"w": np.array(d["w"])}
        optimizer, results = getattr(package.optim, kind)(w, **options), {}
        for n, g in enumerate(GRADIENTS):
            optimizer.step({"w": d[g]})
            results[f"w{n + 1}"] = w["w"].copy()
        return results

    def twin(d):
        w, results = torch.nn.Parameter(d["w"].detach().clone()), {}
        optimizer = getattr(torch.optim, kind)([w], **options)
        for n, g in enumerate(GRADIENTS):
            w.grad = d[g].detach().clone()
            optimizer.step()
            results[f"w{n + 1}"] = w.detach().clone()
        return results

    inputs = {"w": draw(0, 3, 4)} | {g: 10.0**-n * draw(1 + n, 3, 4) for n, g in enumerate(GRADIENTS)}
    return RoomCase("optim", f"{kind}-{name}", inputs, run, twin, fixed=("w", *GRADIENTS), holomorphic=False)


CASES = [
    case("SGD", "plain", lr=0.1),
    case("SGD", "momentum", lr=0.1, momentum=0.9, dampening=0.4, weight_decay=0.1),
    case("SGD", "nesterov", lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.1),
    case("RMSprop", "plain", lr=0.1, alpha=0.8, eps=0.01, weight_decay=0.1),
    case("RMSprop", "centred", lr=0.1, alpha=0.8, eps=0.01, centered=True, momentum=0.7),
    case("Adagrad", "decay", lr=0.1, lr_decay=0.2, weight_decay=0.1, eps=0.01, initial_accumulator_value=0.3),
    case("Adam", "decay", lr=0.1, betas=(0.7, 0.9), eps=0.01, weight_decay=0.1),
    case("AdamW", "decay", lr=0.1, betas=(0.7, 0.9), eps=0.01, weight_decay=0.1),
]

# fmt: off
FAULTS = [
    Fault("no weight decay", "Optimizer._decayed", "g + decay * w if decay else g", "g"),
    Fault("weight decay pulls away from zero", "Optimizer._decayed", "g + decay * w", "g - decay * w"),
    Fault("weight decay coupled in AdamW", "Adam._update", "self.decoupled", "False",
          source="Loshchilov & Hutter 2019: what the name AdamW is about"),
    Fault("decoupled decay without the learning rate", "Adam._update", '1 - o["lr"] * o["weight_decay"]', '1 - o["weight_decay"]'),
    Fault("first moment not corrected", "Adam._update", 'root *= o["lr"] / (1 - b1**t)', 'root *= o["lr"]'),
    Fault("second moment not corrected", "Adam._update", "root /= (1 - b2**t) ** 0.5", "root /= 1"),
    Fault("correction counts from 0", "Adam._update", "root /= (1 - b2**t) ** 0.5", "root /= (1 - b2**(t + 1)) ** 0.5"),
    Fault("epsilon inside the root", "Adam._update", "root += o[\"eps\"]\nnp.divide(m, root, out=root)",
          "np.divide(m, np.sqrt(root**2 + o['eps']), out=root)"),
    Fault("epsilon added before the correction", "Adam._update", "root /= (1 - b2**t) ** 0.5",
          'root = (root + o["eps"]) / (1 - b2**t) ** 0.5 - o["eps"]'),
    Fault("moments weighted the wrong way round", "Adam._update", "m += (1 - b1) * (g - m)", "m += b1 * (g - m)"),
    Fault("second moment of the mean, not of the gradient", "Adam._update", "v += (1 - b2) * g * g", "v += (1 - b2) * m * m"),
    Fault("momentum of the first step dampened", "SGD._update", "g.copy()", '(1 - o["dampening"]) * g'),
    Fault("Nesterov is plain momentum", "SGD._update", 'g + o["momentum"] * u if o["nesterov"] else u', "u"),
    Fault("centred mean not squared", "RMSprop._update", "v = v - mean * mean", "v = v - np.abs(mean)"),
    Fault("RMSprop's epsilon inside the root", "RMSprop._update", 'g / (np.sqrt(v) + o["eps"])', 'g / np.sqrt(v + o["eps"])',
          source="TensorFlow's RMSprop, which is another algorithm under this name"),
    Fault("Adagrad forgets", "Adagrad._update", "s += g * g", "s *= 0.9\ns += g * g"),
    Fault("Adagrad's rate decays one step early", "Adagrad._update", '1 + (t - 1) * o["lr_decay"]', '1 + t * o["lr_decay"]'),
    Fault("gradient written to", "SGD._update", "g = self._decayed(w, g)", 'g += o["weight_decay"] * w', shows="changed"),
]
