"""The fields of a batch, checked: anything that has them will do."""

from typing import Any

from .. import checks
from ..arrays import Array
from ..packing import PackedSequence, checked_packed


def shape_of(packed: PackedSequence) -> tuple[int, int]:
    """Steps and sequences of a packed batch"""
    return len(packed.batch_sizes), int(packed.batch_sizes[0])


def tokens_of(batch: Any) -> PackedSequence:
    """The tokens of any batch that has them packed.  TypeError, ValueError: it has none, or not packed as they should be."""
    checks.has("batch", batch, "tokens")
    return checked_packed(batch.tokens, "tokens")


def target_of(batch: Any) -> Array:
    """The target of any batch that has one.  TypeError: it has none."""
    checks.has("batch", batch, "target")
    return batch.target


def condition_of(batch: Any, B: int) -> Array:
    """The condition of any batch that has one.  TypeError, ValueError: it has none, no rows.  RuntimeError: not B rows."""
    checks.has("batch", batch, "condition")
    condition = checks.matrix("condition", batch.condition)
    if len(condition) != B:
        raise RuntimeError(f"condition must have one row for each of the {B} sequences, got {len(condition)}")
    return condition


def source_of(batch: Any) -> PackedSequence:
    """The source of any batch that has one.  TypeError, ValueError: it has none.  RuntimeError: not one for each target."""
    checks.has("batch", batch, "source")
    source, B = checked_packed(batch.source, "source"), shape_of(batch.tokens)[1]
    if shape_of(source)[1] != B:
        raise RuntimeError(f"batch must have one target for each of the {shape_of(source)[1]} sources, got {B}")
    return source


def window_of(batch: Any) -> tuple[Array, Any]:
    """Tokens (T, B) and targets of a window.  TypeError: it has none.  RuntimeError: tokens that are not (T, B)."""
    checks.has("batch", batch, "tokens", "targets", "first", "masks"), checks.flag("first", batch.first)
    return window_tokens(batch.tokens), batch.targets


def window_tokens(value: Any) -> Array:
    """RuntimeError: not (T, B)."""
    tokens = checks.given("tokens", value)
    if tokens.ndim != 2 or not len(tokens):
        raise RuntimeError(f"tokens must be (T, B) with at least one time step, got shape {tokens.shape}")
    return tokens
