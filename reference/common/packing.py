"""Batches of sequences of different lengths, as torch.nn.utils.rnn keeps them, and the gradients of each step.

    padded   (T, B, *)  every sequence filled up to the longest          pad_sequence, unpad_sequence
    packed   (N, *)     only the real steps, time-major, longest first   pack_sequence, pack_padded_sequence

Every function here moves values without changing them, so each adjoint is the move back: what lay in the padding, or was
cut off, has no gradient.  Derivation: notes/cells/stack.md
"""

import math
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
    n = checks.given("lengths", lengths)
    if n.ndim != 1 or n.dtype.kind not in "iu":
        raise ValueError(f"lengths must be whole numbers in one dimension, got {n.dtype} in {n.ndim}")
    T = int(n.max(initial=0)) if T is None else checks.positive_or_zero("T", T)
    checks.fits({"T": T}, T * (8 + len(n)), np.dtype(bool))
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
    x = checks.numbers(name, value)
    if x.ndim < 2:
        raise ValueError(f"{name} must have a time and a batch axis, got {x.ndim}-D")
    return np.swapaxes(x, 0, 1) if checks.flag("batch_first", batch_first) else x


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
    n = checks.lengths(lengths, T, B, checks.flag("enforce_sorted", enforce_sorted))
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
    T = len(batch_sizes) if total_length is None else checks.total(len(batch_sizes), total_length)
    checks.fits({"total_length": T}, T * int(batch_sizes[0]) * math.prod(data.shape[1:]), data.dtype)
    padded = np.full((T, batch_sizes[0], *data.shape[1:]), checks.padding(padding_value, data.dtype), data.dtype)
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
    arrays = checks.sequences(sequences)
    checks.side(padding_side)
    feature = arrays[0].shape[1:]
    T = max(map(len, arrays))
    kind = np.result_type(*arrays)
    padded = np.full((T, len(arrays), *feature), checks.padding(padding_value, kind), kind)
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
    n = checks.lengths(lengths, x.shape[0], x.shape[1], least=0)
    return [x[:length, b].copy() for b, length in enumerate(n)]


def pack_sequence(sequences: Sequence[Array], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (T_b, *)  ->  PackedSequence.  Raises as ``pad_sequence`` and ``pack_padded_sequence``."""
    checks.flag("enforce_sorted", enforce_sorted)
    arrays = checks.sequences(sequences)
    return pack_padded_sequence(pad_sequence(arrays), list(map(len, arrays)), enforce_sorted=enforce_sorted)


def one_step(x: Array) -> PackedSequence:
    """x (B, *)  ->  one step of B sequences, packed: what a decoder reads at a time"""
    return PackedSequence(x, np.array([len(x)]))


def pack_padded_sequence_backward(dpacked: PackedSequence, total_length: int, batch_first: bool = False) -> Array:
    """The adjoint of pack_padded_sequence: total_length is the T of its input.  The padding had no influence: zero."""
    return pad_packed_sequence(dpacked, batch_first, 0.0, total_length)[0]


def pad_packed_sequence_backward(dpadded: Array, sequence: PackedSequence, batch_first: bool = False) -> PackedSequence:
    """The adjoint of pad_packed_sequence: sequence is its input; what arrives at the padding is dropped."""
    dx, sequence = _time_first("dpadded", dpadded, batch_first), checked_packed(sequence)
    T, B = len(sequence.batch_sizes), int(sequence.batch_sizes[0])
    if len(dx) < T or dx.shape[1] != B:
        raise ValueError(f"dpadded must have at least {T} steps of {B} sequences, got {len(dx)} of {dx.shape[1]}")
    if sequence.sorted_indices is not None:
        dx = dx[:, sequence.sorted_indices]
    return sequence._replace(data=dx[positions(sequence.batch_sizes)])


def pad_sequence_backward(
    dpadded: Array, lengths: Sequence[int] | Array, batch_first: bool = False, padding_side: str = "right"
) -> list[Array]:
    """The adjoint of pad_sequence: B gradients (T_b, *).  Raises as ``unpad_sequence``."""
    dx = _time_first("dpadded", dpadded, batch_first)
    checks.side(padding_side)
    n = checks.lengths(lengths, dx.shape[0], dx.shape[1], least=0)
    return [dx[_side(length, len(dx), padding_side), b].copy() for b, length in enumerate(n)]


def unpad_sequence_backward(dsequences: Sequence[Array], total_length: int, batch_first: bool = False) -> Array:
    """The adjoint of unpad_sequence: total_length is the T of its input."""
    dx = pad_sequence(dsequences)
    checks.fits({"total_length": checks.total(len(dx), total_length)}, total_length * math.prod(dx.shape[1:]), dx.dtype)
    padded = np.zeros((total_length, *dx.shape[1:]), dx.dtype)
    padded[: len(dx)] = dx
    return _time_first("padded", padded, batch_first)


def pack_sequence_backward(dpacked: PackedSequence) -> list[Array]:
    """The adjoint of pack_sequence: B gradients (T_b, *), in the caller's order."""
    return unpad_sequence(*pad_packed_sequence(dpacked))


def checked_packed(sequence: Any, name: str = "sequence") -> PackedSequence:
    """A PackedSequence of arrays, if it is one: torch's too, its tensors read; the data is not copied, the rest is.

    unsorted_indices are filled in where only sorted_indices are given, as torch's constructor does.
    TypeError: it has not the fields of a PackedSequence, or no array of numbers in them.  ValueError: batch_sizes is empty, not
    of integers, increases, ends below 1 or does not add up to the rows of data; the indices are no permutations of the sequences.
    """
    if not all(hasattr(sequence, field) for field in reversed(PackedSequence._fields)):
        raise TypeError(f"{name} must be a PackedSequence, got {type(sequence).__name__}")
    data, sizes = checks.numbers(f"{name}.data", sequence.data), checks.given("batch_sizes", sequence.batch_sizes)
    whole = sizes.dtype.kind in "iu"
    if sizes.ndim != 1 or not len(sizes) or (whole and (sizes[-1] < 1 or checks.increases(sizes))):
        raise ValueError(f"batch_sizes must be positive and never increase, got {checks.shown(sizes)}")
    if not whole:
        raise ValueError(f"batch_sizes must be integers, got dtype {sizes.dtype}")
    if data.ndim == 0 or sizes.sum() != len(data):
        raise ValueError(f"batch_sizes must add up to the {len(data) if data.ndim else 0} rows of data, got {sizes.sum()}")
    order = [checks.permutation(field, getattr(sequence, field), int(sizes[0])) for field in PackedSequence._fields[2:]]
    packed = PackedSequence(data, sizes.astype(np.int64), *order)
    if packed.sorted_indices is not None and packed.unsorted_indices is None:
        return packed._replace(unsorted_indices=np.argsort(packed.sorted_indices))
    return packed
