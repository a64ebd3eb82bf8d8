"""Batches of sequences of different lengths, as torch.nn.utils.rnn keeps them, and the gradients of each step.

    padded   (T, B, *)  every sequence filled up to the longest          pad_sequence, unpad_sequence
    packed   (N, *)     only the real steps, time-major, longest first   pack_sequence, pack_padded_sequence

Every function here moves values without changing them, so each adjoint is the move back: what lay in
the padding, or was cut off, has no gradient.  Derivation: notes/cells/stack.md
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import checks
from .arrays import Array


class PackedSequence(NamedTuple):
    """The fields of torch's PackedSequence.  The indices are None if the caller's order was already sorted by length."""

    data: Array  # (N, *)  all first steps, then all second steps, and so on; N = sum of the lengths
    batch_sizes: Array  # (T,)  int64, how many sequences are still running at each step
    sorted_indices: Array | None = None  # (B,)  int64, the caller's order sorted by length
    unsorted_indices: Array | None = None  # (B,)  int64, and back


def padding_mask(lengths: Sequence[int] | Array, T: int | None = None) -> Array:
    """Where padded sequences have steps: lengths (B,)  ->  (T, B) boolean; T is the longest if not given.

    Raises
    ------
    ValueError
        Lengths that are not whole numbers from 0 to T, in one dimension.
    """
    n = np.asarray(lengths)
    if n.ndim != 1 or n.dtype.kind not in "iu":
        raise ValueError(f"lengths must be whole numbers in one dimension, got {n.dtype} in {n.ndim}")
    T = int(n.max(initial=0)) if T is None else T
    outside = n[(n < 0) | (n > T)]
    if outside.size:
        raise ValueError(f"lengths must be from 0 to {T}, got {outside[0]}")
    return np.arange(T)[:, None] < n


def lengths_of(batch_sizes: Array) -> Array:
    """batch_sizes (T,)  ->  lengths (B,), longest first"""
    return (batch_sizes[:, None] > np.arange(batch_sizes[0])).sum(0)


def positions(batch_sizes: Array) -> tuple[Array, Array]:
    """Step and sequence of each packed row: two (N,) index arrays."""
    t, b = np.nonzero(batch_sizes[:, None] > np.arange(batch_sizes[0]))
    return t, b


def _time_first(name: str, value: Array, batch_first: bool) -> Array:
    """A padded batch, (B, T, *) if ``batch_first``  ->  (T, B, *), and back"""
    x = np.asarray(value)
    if x.ndim < 2:
        raise ValueError(f"{name} must have a time and a batch axis, got {x.ndim}-D")
    return np.swapaxes(x, 0, 1) if checks.flag("batch_first", batch_first) else x


def _increases(n: Array) -> bool:
    """Whether a number is above the one before it; compared, because a difference of unsigned numbers wraps around."""
    return bool((n[1:] > n[:-1]).any())


def _checked_lengths(lengths: Any, T: int, B: int, enforce_sorted: bool = False, least: int = 1) -> Array:
    n = np.asarray(lengths.cpu() if hasattr(lengths, "cpu") else lengths)
    if n.ndim != 1:
        raise RuntimeError(f"lengths must be 1-D, got {n.ndim}-D")
    if n.size and n.dtype.kind not in "iu":
        raise ValueError(f"lengths must be integers, got dtype {n.dtype}")
    if len(n) != B:
        raise RuntimeError(f"lengths must have one entry for each of the {B} sequences, got {len(n)}")
    if (n < least).any():
        raise RuntimeError(f"lengths must all be at least {least}, got {n.min()}")
    if (n > T).any():
        raise ValueError(f"lengths must not exceed the {T} steps of the input, got {n.max()}")
    if enforce_sorted and _increases(n):
        raise RuntimeError(
            "lengths must be in decreasing order when enforce_sorted is True; pass enforce_sorted=False to have them sorted"
        )
    return n.astype(np.int64)


def pack_padded_sequence(
    input: Array, lengths: Sequence[int] | Array, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Keep the real steps of a padded batch.

    Parameters
    ----------
    input : (T, B, *) ndarray, or (B, T, *) if ``batch_first``
    lengths : (B,) integers of any type, each from 1 to T
    enforce_sorted : bool
        True demands decreasing lengths; False sorts, and remembers the order in the result.

    Raises
    ------
    RuntimeError
        lengths not 1-D, of the wrong count, zero or negative, or unsorted where sorted was promised; an empty input.
    ValueError
        lengths beyond T (torch reads past the end there), or not integers; an input of fewer than 2 axes.
    TypeError
        batch_first or enforce_sorted is not a bool.
    """
    x = _time_first("input", input, batch_first)
    T, B = x.shape[:2]
    if not T or not B:
        raise RuntimeError(f"input must not be empty, got {T} steps of {B} sequences")
    n = _checked_lengths(lengths, T, B, checks.flag("enforce_sorted", enforce_sorted))
    if enforce_sorted:
        batch_sizes = padding_mask(n).sum(1)
        return PackedSequence(x[positions(batch_sizes)], batch_sizes)
    order = np.argsort(-n, kind="stable")
    packed = pack_padded_sequence(x[:, order], n[order])
    return packed._replace(sorted_indices=order, unsorted_indices=np.argsort(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Array, Array]:
    """The padded batch (T, B, *), or (B, T, *) if ``batch_first``, and its lengths (B,), in the caller's order.

    Raises
    ------
    TypeError
        sequence is not a PackedSequence, or batch_first not a bool.
    ValueError
        total_length is shorter than the longest sequence.
    """
    data, batch_sizes, _, back = checked_packed(sequence)
    T = len(batch_sizes) if total_length is None else total_length
    if len(batch_sizes) > T:
        raise ValueError(f"total_length must be at least the longest length, {len(batch_sizes)}, got {total_length}")
    padded = np.full((T, batch_sizes[0], *data.shape[1:]), padding_value, data.dtype)
    padded[positions(batch_sizes)] = data
    lengths = lengths_of(batch_sizes)
    if back is not None:
        padded, lengths = padded[:, back], lengths[back]
    return _time_first("padded", padded, batch_first), lengths


def pad_sequence(
    sequences: Sequence[Array], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Array:
    """Sequences (T_b, *)  ->  (T, B, *), or (B, T, *) if ``batch_first``; T is the longest T_b.

    Raises
    ------
    RuntimeError
        No sequences, sequences of different features, or an unknown padding_side.
    TypeError
        sequences is no list, or holds something else than arrays of numbers; batch_first is not a bool.
    """
    if not np.iterable(sequences):
        raise TypeError(f"sequences must be a list of arrays, got {type(sequences).__name__}")
    arrays = [checks.numbers(f"sequences[{b}]", s) for b, s in enumerate(sequences)]
    if not arrays:
        raise RuntimeError("sequences must not be empty")
    if padding_side not in ("right", "left"):
        raise RuntimeError(f"padding_side must be 'right' or 'left', got {padding_side!r}")
    feature = arrays[0].shape[1:]
    for s in arrays:
        if s.ndim == 0 or s.shape[1:] != feature:
            raise RuntimeError(f"sequences must all be (T, {', '.join(map(str, feature))}), got shape {s.shape}")
    T = max(map(len, arrays))
    padded = np.full((T, len(arrays), *feature), padding_value, np.result_type(*arrays))
    for b, s in enumerate(arrays):
        padded[_side(len(s), T, padding_side), b] = s
    return _time_first("padded", padded, batch_first)


def _side(length: int, T: int, padding_side: str) -> slice:
    return slice(length) if padding_side == "right" else slice(T - length, T)


def unpad_sequence(padded_sequences: Array, lengths: Sequence[int] | Array, batch_first: bool = False) -> list[Array]:
    """The inverse of pad_sequence: (T, B, *), or (B, T, *) if ``batch_first``  ->  B arrays (T_b, *).

    Raises as ``pack_padded_sequence``, but a length of 0 is an empty sequence.
    """
    x = _time_first("padded_sequences", padded_sequences, batch_first)
    n = _checked_lengths(lengths, x.shape[0], x.shape[1], least=0)
    return [x[:length, b].copy() for b, length in enumerate(n)]


def pack_sequence(sequences: Sequence[Array], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (T_b, *)  ->  PackedSequence.  Raises as ``pad_sequence`` and ``pack_padded_sequence``."""
    return pack_padded_sequence(pad_sequence(sequences), [len(s) for s in sequences], enforce_sorted=enforce_sorted)


def one_step(x: Array) -> PackedSequence:
    """x (B, *)  ->  one step of B sequences, packed: what a decoder reads at a time"""
    return PackedSequence(x, np.array([len(x)]))


def pack_padded_sequence_backward(dpacked: PackedSequence, total_length: int, batch_first: bool = False) -> Array:
    """The adjoint of pack_padded_sequence: total_length is the T of its input.  The padding had no influence: zero."""
    return pad_packed_sequence(dpacked, batch_first, 0.0, total_length)[0]


def pad_packed_sequence_backward(dpadded: Array, sequence: PackedSequence, batch_first: bool = False) -> PackedSequence:
    """The adjoint of pad_packed_sequence: sequence is its input; what arrives at the padding is dropped."""
    dx, sequence = _time_first("dpadded", dpadded, batch_first), checked_packed(sequence)
    if sequence.sorted_indices is not None:
        dx = dx[:, sequence.sorted_indices]
    return sequence._replace(data=dx[positions(sequence.batch_sizes)])


def pad_sequence_backward(
    dpadded: Array, lengths: Sequence[int] | Array, batch_first: bool = False, padding_side: str = "right"
) -> list[Array]:
    """The adjoint of pad_sequence: B gradients (T_b, *).  Raises as ``unpad_sequence``."""
    dx = _time_first("dpadded", dpadded, batch_first)
    n = _checked_lengths(lengths, dx.shape[0], dx.shape[1], least=0)
    return [dx[_side(length, len(dx), padding_side), b].copy() for b, length in enumerate(n)]


def unpad_sequence_backward(dsequences: Sequence[Array], total_length: int, batch_first: bool = False) -> Array:
    """The adjoint of unpad_sequence: total_length is the T of its input."""
    dx = pad_sequence(dsequences)
    padded = np.zeros((total_length, *dx.shape[1:]), dx.dtype)
    padded[: len(dx)] = dx
    return _time_first("padded", padded, batch_first)


def pack_sequence_backward(dpacked: PackedSequence) -> list[Array]:
    """The adjoint of pack_sequence: B gradients (T_b, *), in the caller's order."""
    return unpad_sequence(*pad_packed_sequence(dpacked))


def checked_packed(sequence: Any) -> PackedSequence:
    """A PackedSequence of arrays, if it is one: torch's too, its tensors read; the data is not copied, the rest is.

    unsorted_indices are filled in where only sorted_indices are given, as torch's constructor does.

    TypeError: it has not the fields of a PackedSequence.  ValueError: batch_sizes is empty, not of integers, increases,
    ends below 1 or does not add up to the rows of data; the indices are no permutations of the sequences.
    """
    if not all(hasattr(sequence, field) for field in PackedSequence._fields):
        raise TypeError(f"sequence must be a PackedSequence, got {type(sequence).__name__}")
    data, sizes = np.asarray(sequence[0]), np.asarray(sequence[1])
    if sizes.ndim != 1 or not len(sizes) or sizes[-1] < 1 or _increases(sizes):
        raise ValueError(f"batch_sizes must be positive and never increase, got {sizes}")
    if sizes.dtype.kind not in "iu":
        raise ValueError(f"batch_sizes must be integers, got dtype {sizes.dtype}")
    if sizes.sum() != len(data):
        raise ValueError(f"batch_sizes must add up to the {len(data)} rows of data, got {sizes.sum()}")
    order: list[Any] = [None if v is None else np.asarray(v).copy() for v in sequence[2:]]
    packed = PackedSequence(data, sizes.astype(np.int64), *order)
    for name in ("sorted_indices", "unsorted_indices"):
        indices = getattr(packed, name)
        if indices is not None and not np.array_equal(np.sort(indices), np.arange(sizes[0])):
            raise ValueError(f"{name} must be a permutation of the {sizes[0]} sequences, got {indices}")
    if packed.sorted_indices is not None and packed.unsorted_indices is None:
        return packed._replace(unsorted_indices=np.argsort(packed.sorted_indices))
    return packed
