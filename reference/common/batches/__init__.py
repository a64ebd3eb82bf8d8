"""Batches of sequences of different lengths: what the models take, as arrays, the same for both backends.

Tokens are int64.  Sequences are packed (``packing``): (N,) rows, time-major, the longest first; whatever belongs to a
sequence as a whole is (B,) in the caller's order.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from .. import checks
from ..arrays import Array
from ..packing import PackedSequence, checked_packed, pack_sequence, pad_packed_sequence
from .fields import condition_of, shape_of, source_of, target_of, tokens_of, window_of, window_tokens

__all__ = ["condition_of", "shape_of", "source_of", "target_of", "tokens_of", "window_of", "window_tokens"]


class Labelled(NamedTuple):
    """``classifier``: one class for a whole sequence."""

    tokens: PackedSequence  # (N,)
    target: Array  # (B,)


class Conditioned(NamedTuple):
    """``generator``: a sequence that starts from a condition; ``target`` is what comes after each of ``tokens``."""

    condition: Array  # (B, C)
    tokens: PackedSequence  # (N,)   begins with bos
    target: Array  # (N,)   ends with eos


class Tagged(NamedTuple):
    """``tagger``: one tag for each step."""

    tokens: PackedSequence  # (N,)
    target: Array  # (N,)


class Translated(NamedTuple):
    """``seq2seq``: a sequence for a sequence of another length; ``target`` is what comes after each of ``tokens``."""

    source: PackedSequence  # (N,)
    tokens: PackedSequence  # (M,)   begins with bos
    target: Array  # (M,)   ends with eos


class Window(NamedTuple):
    """``language_model``: T steps of B streams, side by side; the next window goes on where this one ends."""

    tokens: Array  # (T, B)
    targets: Array  # (T, B)   what comes after each of ``tokens``
    first: bool = False  # whether the streams start here, so that no state is carried in
    masks: Any = None  # language_model.Masks, or None: drawn by the model


class Windowed(NamedTuple):
    """``forecaster``: T steps that are known and the K that follow, F variables, the target first."""

    past: Array  # (T, B, F)
    future: Array  # (K, B, F)


Batch = Labelled | Conditioned | Tagged | Translated | Window | Windowed


class Tokens(Protocol):
    """Anything with packed tokens."""

    @property
    def tokens(self) -> PackedSequence: ...


def pack(name: str, sequences: Sequence[Array]) -> PackedSequence:
    """Token sequences (T_b,)  ->  packed rows.  ValueError: none, or an empty one.  RuntimeError: one that is not 1-D."""
    if not len(checks.several(name, sequences)):
        raise ValueError(f"{name} must hold at least one sequence, got none")
    arrays = [whole(name, s) for s in sequences]
    for b, s in enumerate(arrays):
        if s.ndim != 1:
            raise RuntimeError(f"{name} must each be (T,), got shape {s.shape} for sequence {b}")
        if not len(s):
            raise ValueError(f"{name} must hold no empty sequence, but sequence {b} is")
    return pack_sequence(arrays, enforce_sorted=False)


def labelled(sequences: Sequence[Array], classes: Sequence[int] | Array) -> Labelled:
    """Raises ValueError where there is not one class for each sequence, or as ``pack``."""
    same_count("classes", classes, sequences)
    return Labelled(pack("sequences", sequences), whole("classes", classes))


def conditioned(conditions: Sequence[Any] | Array, sequences: Sequence[Array], bos: int, eos: int) -> Conditioned:
    """The sequences come without bos and eos.  Raises ValueError as ``labelled``."""
    same_count("conditions", conditions, sequences)
    tokens, target = shifted("sequences", sequences, bos, eos)
    return Conditioned(whole("conditions", conditions), tokens, target)


def tagged(sequences: Sequence[Array], tags: Sequence[Array]) -> Tagged:
    """Raises ValueError where there is not one tag for each step of each sequence, or as ``pack``."""
    same_count("tags", tags, sequences)
    tokens, target = pack("sequences", sequences), pack("tags", tags)
    for b, (s, t) in enumerate(zip(sequences, tags, strict=True)):
        if len(s) != len(t):
            raise ValueError(f"tags must be as long as the sequences, got {len(t)} for the {len(s)} steps of sequence {b}")
    return Tagged(tokens, target.data)


def translated(sources: Sequence[Array], targets: Sequence[Array], bos: int, eos: int) -> Translated:
    """The targets come without bos and eos, and may be empty; sources may not.  Raises ValueError as ``labelled``."""
    same_count("targets", targets, sources, "sources")
    return Translated(pack("sources", sources), *shifted("targets", targets, bos, eos))


def shifted(name: str, sequences: Sequence[Array], bos: int, eos: int) -> tuple[PackedSequence, Array]:
    """Sequences (T_b,)  ->  bos and the sequence, packed (N,), and the sequence and eos (N,)"""
    bos, eos = checks.positive_or_zero("bos", bos), checks.positive_or_zero("eos", eos)
    ids = [whole(name, s) for s in checks.several(name, sequences)]
    for b, s in enumerate(ids):
        if s.ndim != 1:
            raise RuntimeError(f"{name} must each be (T,), got shape {s.shape} for sequence {b}")
    tokens = pack(name, [np.concatenate([[bos], s]) for s in ids])
    return tokens, pack(name, [np.concatenate([s, [eos]]) for s in ids]).data


def whole(name: str, values: ArrayLike) -> Array:
    """As int64.  RuntimeError: 0.5 is not cut down to 0.  TypeError: no array."""
    x = checks.given(name, values)
    if (x.size or x.dtype.kind not in "fiu") and x.dtype.kind not in "iu":
        raise RuntimeError(f"{name} must be whole numbers, got {x.dtype}")
    return x.astype(np.int64)


def same_count(name: str, values: Sequence | Array, sequences: Sequence, of: str = "sequences") -> None:
    if len(checks.several(name, values)) != len(checks.several(of, sequences)):
        raise ValueError(f"{name} must be one for each of the {len(sequences)} sequences, got {len(values)}")


def shuffled(lengths: Sequence[int], size: int, rng: np.random.Generator, pool: int = 20) -> Iterator[Array]:
    """Index arrays of one pass in random order, ``size`` each, the last perhaps smaller.

    Sequences of a batch have similar lengths, which saves padding where attention must pad: each ``pool`` batches
    drawn together are sorted by length before they are cut, then come in random order.

    RuntimeError: lengths that are not whole numbers.
    """
    checks.positive_int("size", size), checks.positive_int("pool", pool)
    n = whole("lengths", checks.several("lengths", lengths))
    order = checks.source("rng", rng).permutation(len(n))
    for start in range(0, len(order), size * pool):
        drawn = order[start : start + size * pool]
        drawn = drawn[np.argsort(-n[drawn], kind="stable")]
        blocks = [drawn[k : k + size] for k in range(0, len(drawn), size)]
        for k in rng.permutation(len(blocks)):
            yield blocks[k]


def in_order(count: int, size: int) -> Iterator[Array]:
    """Index arrays of one pass in the given order, for evaluation."""
    checks.positive_int("size", size), checks.positive_or_zero("count", count)
    for start in range(0, count, size):
        yield np.arange(start, min(start + size, count))


def windows(tokens: Array, size: int, steps: int) -> list[Window]:
    """A text (N,) cut into ``size`` streams of equal length, side by side, and these into windows of ``steps``.

    The last window may be shorter; what does not fill a stream at the end of the text is left out.

    ValueError: the text is too short for one step of each stream.
    """
    checks.positive_int("size", size), checks.positive_int("steps", steps)
    tokens = whole("tokens", tokens)
    if tokens.ndim != 1:
        raise ValueError(f"tokens must be (N,), got shape {tokens.shape}")
    length = (len(tokens) - 1) // size
    if length < 1:
        raise ValueError(f"{size} streams need at least {size + 1} tokens, got {len(tokens)}")
    x, y = (np.ascontiguousarray(np.reshape(tokens[k : k + size * length], (size, length)).T) for k in (0, 1))
    return [Window(x[t : t + steps], y[t : t + steps], t == 0) for t in range(0, length, steps)]


def count(batch: Batch) -> int:
    """How many terms the mean of a model's loss is over: the targets of the batch."""
    if isinstance(batch, Windowed):
        return math.prod(_shape("future", batch.future, 3)[:-1])
    target = batch.targets if isinstance(batch, Window) else getattr(batch, "target", None)
    if target is None:
        raise TypeError(f"batch must have targets, got {type(batch).__name__}")
    return checks.given("targets", target).size


def sequences(batch: Batch) -> int:
    """How many sequences, or streams, are in a batch."""
    if isinstance(batch, Windowed):
        return _shape("past", batch.past, 3)[1]
    return _shape("tokens", batch.tokens, 2)[1] if isinstance(batch, Window) else shape_of(tokens_of(batch))[1]


def _shape(name: str, value: object, axes: int) -> tuple[int, ...]:
    """ValueError: it has not so many axes."""
    x = checks.given(name, value)
    if x.ndim != axes:
        raise ValueError(f"{name} must have {axes} axes, got shape {x.shape}")
    return x.shape


def share(batch: Batch, rank: int, world: int) -> tuple[Batch, int]:
    """The part of one process of several, and how many terms of the loss it has.

    The parts differ by one sequence at most.  Where there are fewer sequences than processes, some get the first
    sequence, so that they have something to compute, and a count of 0, so that it has no weight.

    ValueError: a rank outside 0 to below world.
    """
    checks.positive_int("world", world)
    if not 0 <= checks.whole("rank", rank) < world:
        raise ValueError(f"rank must be from 0 to below {world}, got {rank}")
    each, over = divmod(sequences(batch), world)
    start = rank * each + min(rank, over)
    own = np.arange(start, start + each + (rank < over))
    part = select(batch, own if len(own) else np.array([0]))
    return part, count(part) if len(own) else 0


def select(batch: Batch, which: Sequence[int] | Array) -> Batch:
    """The batch of these sequences only, in this order."""
    which = checks.tokens("which", checks.several("which", which), sequences(batch))
    if isinstance(batch, Windowed):
        return Windowed(batch.past[:, which], batch.future[:, which])
    if isinstance(batch, Window):
        (T, B), masks = batch.tokens.shape, batch.masks
        if masks is not None:
            between = [m.reshape(T, B, -1)[:, which].reshape(T * len(which), -1) for m in masks.between]
            masks = masks._replace(input=masks.input[:, which], between=between, output=masks.output[:, which])
        return batch._replace(tokens=batch.tokens[:, which], targets=batch.targets[:, which], masks=masks)

    def packed(name: str, rows: PackedSequence) -> PackedSequence:
        padded, lengths = pad_packed_sequence(checked_packed(rows, name))
        return pack_sequence([padded[: lengths[b], b] for b in which], enforce_sorted=False)

    target = whole("targets", batch.target)
    kept = target[which] if isinstance(batch, Labelled) else packed("targets", batch.tokens._replace(data=target)).data
    picked = batch._replace(tokens=packed("tokens", batch.tokens), target=kept)
    if isinstance(picked, Translated):
        return picked._replace(source=packed("source", picked.source))
    if isinstance(picked, Conditioned):
        return picked._replace(condition=checks.matrix("condition", picked.condition)[which])
    return picked
