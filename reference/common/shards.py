"""A batch taken apart by its sequences, so that several processes can each have a part, and how much a part counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import Array
from .batches import Labelled, Window, Windowed
from .packing import PackedSequence, pack_sequence, pad_packed_sequence


def count(batch: Any) -> int:
    """How many terms the mean of a model's loss is over: the targets of the batch."""
    if isinstance(batch, Windowed):
        return np.size(batch.future[..., 0])
    return np.size(batch.targets if isinstance(batch, Window) else batch.target)


def sequences(batch: Any) -> int:
    """How many sequences, or streams, are in a batch."""
    if isinstance(batch, Windowed):
        return batch.past.shape[1]
    return batch.tokens.shape[1] if isinstance(batch, Window) else int(batch.tokens.batch_sizes[0])


def share(batch: Any, rank: int, world: int) -> tuple[Any, int]:
    """The part of one process of several, and how many terms of the loss it has.

    The parts differ by one sequence at most.  Where there are fewer sequences than processes, some get the first
    sequence, so that they have something to compute, and a count of 0, so that it has no weight.

    Raises
    ------
    ValueError
        A rank outside 0 to below world; dropout masks in a packed batch.
    """
    if not 0 <= rank < world:
        raise ValueError(f"rank must be from 0 to below {world}, got {rank}")
    mine = np.array_split(np.arange(sequences(batch)), world)[rank]
    part = select(batch, mine if len(mine) else np.array([0]))
    return part, count(part) if len(mine) else 0


def select(batch: Any, which: Sequence[int] | Array) -> Any:
    """The batch of these sequences only, in this order."""
    if isinstance(batch, Window):
        return batch._replace(tokens=batch.tokens[:, which], targets=batch.targets[:, which],
                              masks=batch.masks and _masks(batch, which))
    if isinstance(batch, Windowed):
        return Windowed(batch.past[:, which], batch.future[:, which])
    made: dict[str, Any] = {}
    for name, v in batch._asdict().items():
        if isinstance(v, PackedSequence):
            made[name] = _packed(v, which)
        elif name == "target" and not isinstance(batch, Labelled):
            made[name] = _packed(batch.tokens._replace(data=v), which).data  # rows like those of tokens
        else:
            made[name] = v[which]
    return type(batch)(**made)


def _packed(sequence: PackedSequence, which: Sequence[int] | Array) -> PackedSequence:
    padded, lengths = pad_packed_sequence(sequence)
    return pack_sequence([padded[: lengths[b], b] for b in which], enforce_sorted=False)


def _masks(batch: Window, which: Sequence[int] | Array) -> Any:
    T, B = batch.tokens.shape
    between = [m.reshape(T, B, -1)[:, which].reshape(T * len(which), -1) for m in batch.masks.between]
    return type(batch.masks)(batch.masks.input[:, which], between, batch.masks.output[:, which])
