"""What the models of ``torch_impl`` share: parameters and masks from a NumPy generator, batches as tensors.

A model is a torch.nn.Module with the constructor and the attributes of its namesake in ``reference``; the same
generator gives it the same parameters, dropout masks, coins and tokens.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import PackedSequence

from reference.common import checks, packing
from reference.common.arrays import Array
from reference.common.batches import Batch, count, target_of

from ..cells import layers
from ..cells.layers import State, Written
from ..common import precision
from ..parts.losses import IGNORE, classes

CELLS: dict[str, Callable[..., Written]] = {"rnn": layers.RNN, "lstm": layers.LSTM, "gru": layers.GRU}


class Model(nn.Module):
    """The base of the models.

    Parameters
    ----------
    dtype : torch.dtype or its name
    rng : numpy.random.Generator; optional
    way : "library" or one of torch_impl.cells.layers.WAYS
        How the rnn is computed; "library" is torch.nn's own layer, where no dropout mask must be given.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type, or out of range.
    """

    def __init__(self, *, dtype: str | torch.dtype = "float32", rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__()
        self.dtype = precision.dtype(dtype)
        self.rng = checks.generator("rng", rng)
        self.way = checks.choice("way", way, ("library", *layers.WAYS))

    def recurrent(self, cell: str, *sizes: int, **options: float | str) -> Written:
        """An rnn layer by the name of its cell.  ValueError: there is no such cell, or as torch.nn."""
        checks.sizes(**dict(zip(("input_size", "hidden_size", "num_layers"), sizes, strict=False)))
        checks.probability("dropout", options.get("dropout", 0.0))
        way = "hoisted" if self.way == "library" else self.way
        return CELLS[checks.choice("cell", cell, tuple(CELLS))](*sizes, dtype=self.dtype, way=way, **options)

    def table(self, num_embeddings: int, embedding_dim: int) -> nn.Embedding:
        """An embedding.  ValueError: a size that is not above zero."""
        fits(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        return nn.Embedding(num_embeddings, embedding_dim, dtype=self.dtype)

    def linear(self, in_features: int, out_features: int) -> nn.Linear:
        """A linear layer.  ValueError: a size that is not above zero."""
        fits(in_features=in_features, out_features=out_features)
        return nn.Linear(in_features, out_features, dtype=self.dtype)

    def embed(self, table: nn.Embedding, ids: Array) -> Tensor:
        """ids (...)  ->  (..., E).  Raises as the namesake's for what are no whole numbers in range."""
        return table(self.tensor(checks.tokens("Embedding: ids", ids, table.num_embeddings)))

    def cross_entropy(self, z: Tensor, target: Array) -> Tensor:
        """z (..., V), target (...)  ->  the mean over what is not ignored, 0-d.  Raises as the namesake's."""
        target, kept = classes(target, tuple(z.shape[:-1]), z.shape[-1], IGNORE)
        if not kept.any():
            raise ValueError("targets must include one that is not ignored, got none: there is nothing to take the mean of")
        return cross_entropy(z.flatten(0, -2), self.tensor(np.where(kept, target, IGNORE)).flatten())

    def logits(self, batch: Any) -> Any:
        raise NotImplementedError

    def loss(self, batch: Any) -> Tensor:
        """The loss of a batch, 0-d: the mean cross-entropy of its logits, if the model does not say otherwise."""
        return self.cross_entropy(self.logits(batch), target_of(batch))

    def count(self, batch: Batch) -> int:
        """How many targets the loss is the mean of."""
        return count(batch)

    def forward(self, batch: Any, **options: Any) -> Tensor:
        """The loss, as torch.func.functional_call and DistributedDataParallel ask for it."""
        return self.loss(batch, **options)

    def run(self, rnn: Written, x: PackedSequence, state: State | None = None) -> tuple[PackedSequence, State]:
        """A layer on a PackedSequence, its dropout masks drawn from ``rng``  ->  y, state_n"""
        masks = self._masks(rnn, len(x.data))
        if masks is None and self.way == "library":
            return rnn.library(x, state)
        return rnn(x, state, keep=masks)

    def _masks(self, rnn: Written, rows: int) -> list[Tensor] | None:
        if not (rnn.training and rnn.dropout and rnn.num_layers > 1):
            return None
        shape = rows, (1 + rnn.bidirectional) * rnn.hidden_size
        return [self.tensor(self.rng.random(shape) >= rnn.dropout) for _ in range(rnn.num_layers - 1)]

    def tensor(self, array: Array | Tensor) -> Tensor:
        """An array as a tensor where the parameters are."""
        return torch.as_tensor(np.asarray(array), device=next(self.parameters()).device)

    def packed(self, sequence: packing.PackedSequence, data: Tensor) -> PackedSequence:
        """The order of a packed batch of arrays, with other data."""
        order = [None if v is None else self.tensor(v) for v in sequence[2:]]
        return PackedSequence(data, torch.as_tensor(sequence.batch_sizes, dtype=torch.int64), *order)


def fits(**sizes: int) -> None:
    """TypeError, ValueError: sizes of a matrix that are none, or that no memory holds."""
    checks.sizes(**sizes)
    checks.fits(sizes, prod(sizes.values()), np.dtype(np.float32))


def rows_of(padded: Tensor, like: PackedSequence) -> Tensor:
    """padded (T, B, F)  ->  the true rows (N, F), in the order of the PackedSequence ``like``.

    pack_padded_sequence would sort again, and torch's sort may lay sequences of one length in another order.
    """
    t, b = map(torch.from_numpy, packing.positions(np.asarray(like.batch_sizes)))
    return (padded if like.sorted_indices is None else padded[:, like.sorted_indices])[t, b]


def one_step(u: Tensor) -> PackedSequence:
    """u (B, E)  ->  packed, one step of B sequences"""
    return PackedSequence(u, torch.tensor([len(u)]))
