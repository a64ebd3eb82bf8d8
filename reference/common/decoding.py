"""A model that reads its own output: free running with any choice of token, and beam search, over one kind of step.

    step(tokens (N,), state) -> logits (N, V), state

The logits are arrays, the state is the model's affair: both sides decode with these loops.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import checks, sampling
from .arrays import Array


def free_run(step: Callable, choose: Callable, state: Any, start: int, end: int, count: int, max_length: int) -> list[Array]:
    """``count`` sequences side by side, each up to its first ``end``, which is left out, or to max_length.

    choose : ``choose(logits (N, V)) -> tokens (N,)``, as ``sampling.greedy`` or ``sampling.sample``
    """
    tokens, drawn, ended = np.full(count, start), [], np.zeros(count, bool)
    for _ in range(checks.positive_int("max_length", max_length)):
        logits, state = step(tokens, state)
        tokens = choose(logits)
        drawn.append(tokens)
        ended |= tokens == end
        if ended.all():
            break
    return [until(column, end) for column in np.stack(drawn).T]


def beam_run(step: Callable, select: Callable, state: Any, start: int, end: int, count: int, max_length: int, width: int,
             length_power: float = 0.0) -> list[Array]:
    """The best hypothesis of a beam search for each of ``count`` sequences, without its end.

    select : ``select(state, rows (N,)) -> state``
    """
    found = [sampling.beam_search(step, select, select(state, np.array([b])), start, end, width, max_length, length_power)
             for b in range(count)]
    return [until(np.array(hypotheses[0].tokens), end) for hypotheses in found]


def until(tokens: Array, end: int) -> Array:
    """tokens (T,)  ->  those before the first end"""
    ends = np.flatnonzero(tokens == end)
    return tokens[: ends[0]] if len(ends) else tokens
