"""Cases and faults of reference/training/optim.py: the parameters after three steps, given the gradient of each."""

import numpy as np
import torch

from ..helpers import draw
from ..mutation.faults import Fault
from ..parts.harness import PartCase

STEPS = 3
GRADIENTS = tuple(f"g{n}" for n in range(STEPS))


def case(kind, name, **options):
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

    inputs = {"w": draw(0, 3, 4)} | {g: 10.0 ** -n * draw(1 + n, 3, 4) for n, g in enumerate(GRADIENTS)}
    return PartCase("optim", f"{kind}-{name}", inputs, run, twin, fixed=("w", *GRADIENTS), holomorphic=False)


CASES = [
    case("SGD", "plain", lr=0.1), case("SGD", "momentum", lr=0.1, momentum=0.9, dampening=0.4, weight_decay=0.1),
    case("SGD", "nesterov", lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.1),
    case("RMSprop", "plain", lr=0.1, alpha=0.8, eps=0.01, weight_decay=0.1),
    case("RMSprop", "centred", lr=0.1, alpha=0.8, eps=0.01, centered=True, momentum=0.7),
    case("Adagrad", "decay", lr=0.1, lr_decay=0.2, weight_decay=0.1, eps=0.01, initial_accumulator_value=0.3),
    case("Adam", "decay", lr=0.1, betas=(0.7, 0.9), eps=0.01, weight_decay=0.1),
    case("AdamW", "decay", lr=0.1, betas=(0.7, 0.9), eps=0.01, weight_decay=0.1),
]

FAULTS = [
    Fault("no weight decay", "training/optim.py", "return g + decay * w if decay else g", "return g"),
    Fault("weight decay pulls away from zero", "training/optim.py", "g + decay * w", "g - decay * w"),
    Fault("weight decay coupled in AdamW", "training/optim.py", "if self.decoupled:", "if False:",
          source="Loshchilov & Hutter 2019: what the name AdamW is about"),
    Fault("decoupled decay without the learning rate", "training/optim.py", '1 - o["lr"] * o["weight_decay"]',
          '1 - o["weight_decay"]'),
    Fault("first moment not corrected", "training/optim.py", 'root *= o["lr"] / (1 - b1**t)', 'root *= o["lr"]'),
    Fault("second moment not corrected", "training/optim.py", "root /= (1 - b2**t) ** 0.5", "root /= 1"),
    Fault("correction counts from 0", "training/optim.py", "root /= (1 - b2**t) ** 0.5", "root /= (1 - b2**(t + 1)) ** 0.5"),
    Fault("epsilon inside the root", "training/optim.py",
          'root += o["eps"]\n        np.divide(m, root, out=root)', "np.divide(m, np.sqrt(root**2 + o['eps']), out=root)"),
    Fault("epsilon added before the correction", "training/optim.py", "root /= (1 - b2**t) ** 0.5",
          'root = (root + o["eps"]) / (1 - b2**t) ** 0.5 - o["eps"]'),
    Fault("moments weighted the wrong way round", "training/optim.py", "m += (1 - b1) * (g - m)", "m += b1 * (g - m)"),
    Fault("second moment of the mean, not of the gradient", "training/optim.py", "v += (1 - b2) * g * g", "v += (1 - b2) * m * m"),
    Fault("momentum of the first step dampened", "training/optim.py", 'state["momentum_buffer"] = g.copy()',
          'state["momentum_buffer"] = (1 - o["dampening"]) * g'),
    Fault("Nesterov is plain momentum", "training/optim.py", 'g = g + o["momentum"] * u if o["nesterov"] else u', "g = u"),
    Fault("centred mean not squared", "training/optim.py", "v = v - mean * mean", "v = v - np.abs(mean)"),
    Fault("RMSprop's epsilon inside the root", "training/optim.py", 'scaled = g / (np.sqrt(v) + o["eps"])',
          'scaled = g / np.sqrt(v + o["eps"])', source="TensorFlow's RMSprop, which is another algorithm under this name"),
    Fault("Adagrad forgets", "training/optim.py", "        s += g * g", "        s *= 0.9\n        s += g * g"),
    Fault("Adagrad's rate decays one step early", "training/optim.py", '(1 + (t - 1) * o["lr_decay"])', '(1 + t * o["lr_decay"])'),
    Fault("gradient written to", "training/optim.py", "        g = self._decayed(w, g)\n        if o[\"momentum\"]:",
          "        g += o[\"weight_decay\"] * w\n        if o[\"momentum\"]:", changes=True),
]
