"""The next token from logits: greedy, temperature, top-k, nucleus; and beam search.  Derivation: notes/common/sampling.md

    log p = log softmax((z - max z) / τ);  τ = 0 keeps the most likely one      (P1)
    top-k: the k most likely stay                                               (P2)
    nucleus: a token stays if those before it, most likely first, hold less than top_p   (P3)
    the token is the first whose cumulated p exceeds u Σ p,  u ~ uniform [0, 1)   (P4)
    beam: score = Σ log p / nᵅ of n tokens; of all continuations the best stay   (P5)

z logits (..., V), τ temperature.  P1 to P3 are applied in this order.  Of equal logits the lower token is the more
likely one.  Nothing here has a gradient: a drawn token cuts it.

A model that reads its own output is free_run, with any choice of token, and beam_run, over one kind of step:

    step(tokens (N,), state) -> logits (N, V), state

The logits are arrays, the state is the model's affair: both backends decode with these loops.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax

from . import checks
from .arrays import Array

S = TypeVar("S")                              # a model's state, whatever it is
Step = Callable[[Array, S], tuple[Array, S]]
Select = Callable[[S, Array], S]


def greedy(logits: ArrayLike) -> Array:
    """logits (..., V)  ->  the most likely token (...)"""
    return finite(logits).argmax(-1)


def sample(logits: ArrayLike, rng: np.random.Generator, temperature: float = 1.0, top_k: int | None = None,
           top_p: float | None = None) -> Array:
    """Draw a token for each row; in float64, whatever the dtype of the logits.

    Parameters
    ----------
    logits : (..., V) ndarray
    rng : numpy.random.Generator
        One uniform number is taken for each row, none at temperature 0.
    temperature : float, at least 0
        0 takes the most likely token.
    top_k : int from 1; optional
        More than V keeps all.
    top_p : float above 0, at most 1; optional

    Returns
    -------
    tokens : (...) ndarray of int64

    Raises
    ------
    ValueError, TypeError
        An argument out of range; logits that are NaN, or infinite in a way that leaves nothing to choose.
    """
    checks.source("rng", rng)
    log_p = log_probabilities(checks.numbers("logits", logits, "biuf").astype(np.float64), temperature, top_k, top_p)
    return log_p.argmax(-1) if temperature == 0 else choose(np.exp(log_p), rng.random(log_p.shape[:-1]))


def log_probabilities(logits: ArrayLike, temperature: float = 1.0, top_k: int | None = None,
                      top_p: float | None = None) -> Array:
    """What ``sample`` draws from: logits (..., V)  ->  log p (..., V), -inf where a token is out of the question"""
    z, temperature = finite(logits), checks.at_least_zero("temperature", temperature)
    k = None if top_k is None else checks.positive_int("top_k", top_k)
    share = None if top_p is None else checks.fraction("top_p", top_p)
    k = 1 if temperature == 0 else k
    with np.errstate(over="ignore"):  # by a tiny temperature everything but the maximum becomes -inf
        log_p = log_softmax((z - z.max(-1, keepdims=True)) / (temperature or 1), axis=-1)          # P1
    if k is not None:
        log_p = log_softmax(np.where(rank(log_p) < k, log_p, -np.inf), axis=-1)         # P2
    if share is not None:
        log_p = log_softmax(np.where(before(log_p) < share, log_p, -np.inf), axis=-1)   # P3
    return log_p


def rank(log_p: Array) -> Array:
    """(..., V)  ->  how many tokens are more likely than each one"""
    return np.argsort(np.argsort(-log_p, -1, kind="stable"), -1)


def before(log_p: Array) -> Array:
    """(..., V)  ->  the probability of all tokens that are more likely than each one"""
    order = np.argsort(-log_p, -1, kind="stable")
    p = np.take_along_axis(np.exp(log_p), order, -1)
    earlier = np.concatenate([np.zeros_like(p[..., :1]), np.cumsum(p, -1)[..., :-1]], -1)
    return np.take_along_axis(earlier, np.argsort(order, -1), -1)


def choose(p: Array, u: Array) -> Array:
    """p (..., V), u (...) in [0, 1)  ->  tokens (...).  Σ p need not be 1 to the last digit."""
    total = np.cumsum(p, -1)
    return (total <= u[..., None] * total[..., -1:]).sum(-1)                            # P4


def finite(logits: ArrayLike) -> Array:
    """The logits, if there is a largest one in each row; -inf forbids a token."""
    z = checks.numbers("logits", logits, "biuf")
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError(f"logits must have a token on the last axis, got shape {z.shape}")
    top = z.max(-1)
    if not np.isfinite(top).all():
        raise ValueError(f"logits must have a finite largest value in each row, got {top[~np.isfinite(top)].flat[0]}")
    return z


class Hypothesis(NamedTuple):
    """One result of beam_search."""

    tokens: tuple[int, ...]   # without the start, with the end if it was reached
    log_p: float              # of all tokens
    score: float              # by which the beam ranks
    ended: bool


def beam_search(step: Step[S], select: Select[S], state: S, start: int, end: int, width: int, max_length: int,
                length_power: float = 0.0) -> list[Hypothesis]:
    """The most likely sequences that a model can be found to say, for one input.

    Parameters
    ----------
    step : ``step(tokens (N,), state) -> logits (N, V), state``
        One step of N hypotheses side by side.
    select : ``select(state, rows (N,)) -> state``
        The state of some hypotheses; a row may be taken more than once.
    state
        That of one hypothesis.
    start, end : int
        The token that is given first, and the one that ends a sequence.
    width, max_length : int, at least 1
        Hypotheses kept, and the most tokens of one, the end included.
    length_power : float, at least 0
        α: 0 ranks by log p, which prefers short sequences; 1 by log p for each token.

    Returns
    -------
    hypotheses : list, best first, at most ``width``
        Ended ones first; those cut off at max_length only where too few ended.

    Raises
    ------
    TypeError, ValueError
        An argument out of range, or logits that leave nothing to choose.
    """
    checks.function("step", step), checks.function("select", select)
    start, end = checks.positive_or_zero("start", start), checks.positive_or_zero("end", end)
    checks.positive_int("width", width)
    checks.positive_int("max_length", max_length)
    alpha = checks.at_least_zero("length_power", length_power)
    finished: list[Hypothesis] = []
    alive: list[tuple[int, ...]] = [()]
    log_p, last = np.zeros(1), np.array([start])
    for n in range(1, max_length + 1):
        logits, state = step(last, state)
        total = log_p[:, None] + log_softmax(finite(np.asarray(logits, np.float64)), axis=-1)  # P5
        rows, tokens, ended = best(total, end, width)
        finished += [Hypothesis((*alive[r], end), float(total[r, end]), float(total[r, end]) / power(n, alpha), True)
                 for r in ended]
        finished = sorted(finished, key=lambda h: -h.score)[:width]                     # P5
        alive = [(*alive[r], int(t)) for r, t in zip(rows, tokens, strict=True)]
        log_p, last = total[rows, tokens], tokens
        if not alive or (len(finished) == width and log_p.max() / power(max_length, alpha) <= finished[-1].score):
            break
        state = select(state, rows)
    cut = [Hypothesis(t, float(p), float(p) / power(n, alpha), False) for t, p in zip(alive, log_p, strict=True)]
    return (finished + sorted(cut, key=lambda h: -h.score))[:width]


def power(n: int, alpha: float) -> float:
    """nᵅ, infinite where no float holds it"""
    try:
        return float(n) ** alpha
    except OverflowError:
        return np.inf


def best(total: Array, end: int, width: int) -> tuple[Array, Array, list[int]]:
    """total (N, V)  ->  rows and tokens of the ``width`` best that go on, and the rows of those, as good, that end"""
    going: list[tuple[int, int]] = []
    ended: list[int] = []
    for k in np.argsort(-total, None, kind="stable"):                                   # P5
        row, token = divmod(int(k), total.shape[1])
        if len(going) == width or total[row, token] == -np.inf:
            break
        if token == end:
            ended.append(row)
        else:
            going.append((row, token))
    pairs = np.array(going, int).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], ended


def free_run(step: Step[S], choose: Callable[[Array], Array], state: S, start: int, end: int, count: int,
             max_length: int) -> list[Array]:
    """``count`` sequences side by side, each up to its first ``end``, which is left out, or to max_length.

    choose : ``choose(logits (N, V)) -> tokens (N,)``, as ``sampling.greedy`` or ``sampling.sample``
    """
    checks.function("step", step), checks.function("choose", choose)
    start, end = checks.positive_or_zero("start", start), checks.positive_or_zero("end", end)
    checks.fits({"count": checks.positive_or_zero("count", count)}, count, np.dtype(np.int64))
    tokens, drawn, ended = np.full(count, start), [], np.zeros(count, bool)
    for _ in range(checks.positive_int("max_length", max_length)):
        logits, state = step(tokens, state)
        tokens = choose(logits)
        drawn.append(tokens)
        ended |= tokens == end
        if ended.all():
            break
    return [until(column, end) for column in np.stack(drawn).T]


def beam_run(step: Step[S], select: Select[S], state: S, start: int, end: int, count: int, max_length: int, width: int,
             length_power: float = 0.0) -> list[Array]:
    """The best hypothesis of a beam search for each of ``count`` sequences, without its end.

    select : ``select(state, rows (N,)) -> state``
    """
    checks.function("select", select)
    checks.fits({"count": checks.positive_or_zero("count", count)}, count, np.dtype(np.int64), count)
    beams = [beam_search(step, select, select(state, np.array([b])), start, end, width, max_length, length_power)
             for b in range(count)]
    return [until(np.array(hypotheses[0].tokens), end) for hypotheses in beams]


def until(tokens: Array, end: int) -> Array:
    """tokens (T,)  ->  those before the first end"""
    ends = np.flatnonzero(tokens == end)
    return tokens[: ends[0]] if len(ends) else tokens
