"""The forms in which a caller may hand over sequences, and the packed rows that ``stack`` works on.

Dense (T, B, F), batch first (B, T, F), unbatched (T, F), or a PackedSequence.
"""

from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..common import checks
from ..common.arrays import Array
from ..common.packing import PackedSequence, checked_packed

Sequences = Array | PackedSequence
State = Array | tuple[Array, Array]           # as a caller holds it: h, or for an LSTM (h, c)
X = TypeVar("X", Array, PackedSequence)       # what comes out lies as what went in


class Form(NamedTuple):
    """How one input lay.  What comes out, and every gradient, lies the same way."""

    batch_sizes: Array             # (T,)
    batched: bool                  # False: (T, F)
    batch_first: bool              # True: (B, T, F)
    packed: PackedSequence | None  # the caller's, for its indices

    def shape(self, features: int) -> tuple:
        """The caller's shape of a sequence array with so many features."""
        T, B = len(self.batch_sizes), int(self.batch_sizes[0])
        if self.packed is not None:
            return (int(self.batch_sizes.sum()), features)
        if not self.batched:
            return (T, features)
        return (B, T, features) if self.batch_first else (T, B, features)

    def state_shape(self, count: int, features: int) -> tuple:
        """The caller's shape of a state: (L·D, B, features), never batch first."""
        return (count, int(self.batch_sizes[0]), features) if self.batched else (count, features)

    def rows(self, x: Array, copy: bool = True) -> Array:
        """The caller's array of sequences  ->  (N, F), contiguous"""
        x = np.swapaxes(x, 0, 1) if self.batch_first else x
        return (x.copy() if copy else np.ascontiguousarray(x)).reshape(-1, x.shape[-1])

    def like(self, rows: Array) -> Any:
        """(N, F)  ->  what the caller handed over, with these values"""
        if self.packed is not None:
            return self.packed._replace(data=rows)
        if self.batch_first:
            return np.swapaxes(rows.reshape(len(self.batch_sizes), -1, rows.shape[-1]), 0, 1).copy()
        return rows.reshape(self.shape(rows.shape[-1]))

    def states_in(self, s: Array) -> Array:
        """The caller's state  ->  (L·D, B, F), longest sequence first, a copy"""
        if not self.batched:
            return s[:, None].copy()
        if self.packed is not None and self.packed.sorted_indices is not None:
            return s[:, self.packed.sorted_indices]
        return s.copy()

    def states_out(self, s: Array) -> Array:
        """The inverse of states_in"""
        if not self.batched:
            return s[:, 0]
        if self.packed is not None and self.packed.unsorted_indices is not None:
            return s[:, self.packed.unsorted_indices]
        return s


def open_input(name: str, x: Sequences, batch_first: bool, input_size: int, dtype: np.dtype,
               copy: bool = True) -> tuple[Form, Array]:
    """Check an input and take it apart: its Form, and its packed rows (N, I); ``copy`` if they are to be kept."""
    if isinstance(x, tuple):
        packed = checked_packed(x)
        form, data = Form(packed.batch_sizes, True, False, packed), packed.data
        if data.ndim != 2:
            raise RuntimeError(f"{name}: input.data must be 2-D (rows, input_size), got {data.ndim}-D")
    else:
        data = checks.rank(f"{name}: input", x, 2)
        batched = data.ndim == 3
        batch_first = batched and batch_first
        T, B = data.shape[:2] if batched else (len(data), 1)
        T, B = (B, T) if batch_first else (T, B)
        if T == 0:
            raise RuntimeError(f"{name}: input must have at least one time step, got shape {data.shape}")
        form = Form(np.full(T, B), batched, batch_first, None)
    if data.shape[-1] != input_size:
        raise RuntimeError(f"{name}: input must have input_size {input_size} as its last axis, got {data.shape[-1]}")
    checks.array(f"{name}: input", data, data.shape, dtype, ValueError)
    return form, form.rows(data, copy)


def open_gradient(name: str, dy: Sequences | None, form: Form, features: int, dtype: np.dtype) -> Array:
    """Check an upstream gradient that should lie like the output: its packed rows (N, F); None means zeros."""
    shape = form.shape(features)
    if dy is None:
        return np.zeros((int(form.batch_sizes.sum()), features), dtype)
    if isinstance(dy, tuple) and form.packed is not None:
        packed = checked_packed(dy)
        if not same_order(packed, form.packed):
            raise RuntimeError(f"{name} must be packed as the output is, {form.packed[1:]}, got {packed[1:]}")
        dy = packed.data
    return form.rows(checks.array(name, dy, shape, dtype), copy=False)


def same_order(a: PackedSequence, b: PackedSequence) -> bool:
    """Whether two packed sequences hold the same steps of the same sequences in the same rows."""
    pairs: list[tuple[Any, Any]] = list(zip(a[1:], b[1:], strict=True))
    return all(np.array_equal(u, v) for u, v in pairs)
