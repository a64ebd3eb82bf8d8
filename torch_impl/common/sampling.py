"""Sampling of tensors: reference/common/sampling.py on the CPU in float64, so both sides draw alike.

P1 to P5: notes/common/sampling.md
"""

import numpy as np
import torch

from reference.common import sampling


def greedy(logits):
    """logits (..., V)  ->  tokens (...), on the device of the logits"""
    return logits.argmax(-1)


def sample(logits, rng, temperature=1.0, top_k=None, top_p=None):
    """As reference.common.sampling.sample; tokens on the device of the logits."""
    return tensor(sampling.sample(array(logits), rng, temperature, top_k, top_p), logits.device)      # P1 to P4


def beam_search(step, select, state, start, end, width, max_length, length_power=0.0, device="cpu"):
    """As reference.common.sampling.beam_search; ``step`` and ``select`` are given tensors, and logits may be on any device."""
    def step_(tokens, state):
        logits, state = step(tensor(tokens, device), state)
        return array(logits), state

    with torch.no_grad():
        return sampling.beam_search(step_, lambda s, rows: select(s, tensor(rows, device)), state, start, end, width,
                                    max_length, length_power)                                         # P5


def array(logits):
    return logits.detach().double().cpu().numpy()


def tensor(tokens, device):
    return torch.from_numpy(np.asarray(tokens, np.int64)).to(device)
