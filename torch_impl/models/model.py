"""What the models of ``torch_impl`` share: parameters and masks from a NumPy generator, batches as tensors.

A model is a torch.nn.Module with the constructor and the attributes of its namesake in ``reference``; the same
generator gives it the same parameters, dropout masks, coins and tokens.
"""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import PackedSequence

from reference.common import checks
from reference.common.packing import positions

from ..cells import layers
from ..parts.losses import IGNORE, classes

CELLS = {"rnn": layers.RNN, "lstm": layers.LSTM, "gru": layers.GRU}


class Model(nn.Module):
    """The base of the models.

    Parameters
    ----------
    dtype : torch.dtype or its name
    rng : numpy.random.Generator; optional
    way : "library" or one of modules.WAYS
        How the rnn is computed; "library" is torch.nn's own layer, where no dropout mask must be given.
    """

    def __init__(self, *, dtype: Any = "float32", rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__()
        self.dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype
        self.rng = checks.generator("rng", rng)
        self.way = way

    def recurrent(self, cell, *args, **kwargs):
        """An rnn layer by the name of its cell."""
        way = "hoisted" if self.way == "library" else self.way
        return CELLS[checks.choice("cell", cell, tuple(CELLS))](*args, dtype=self.dtype, way=way, **kwargs)

    def table(self, num_embeddings, embedding_dim):
        """An embedding of sizes above zero."""
        return nn.Embedding(checks.positive_int("num_embeddings", num_embeddings),
                            checks.positive_int("embedding_dim", embedding_dim), dtype=self.dtype)

    def linear(self, in_features, out_features):
        """A linear layer of sizes above zero."""
        return nn.Linear(checks.positive_int("in_features", in_features), checks.positive_int("out_features", out_features),
                         dtype=self.dtype)

    def embed(self, table, ids) -> torch.Tensor:
        """The rows of an embedding, for whole numbers in its range"""
        return table(self.tensor(checks.tokens("Embedding: ids", ids, table.num_embeddings)))

    def cross_entropy(self, z, target) -> torch.Tensor:
        """z (..., V), target (...)  ->  the mean over what is not ignored, 0-d.  Raises as the namesake's."""
        target, kept = classes(target, tuple(z.shape[:-1]), z.shape[-1], IGNORE)
        if not kept.any():
            raise ValueError("targets must include one that is not ignored, got none: there is nothing to take the mean of")
        return cross_entropy(z.flatten(0, -2), self.tensor(np.where(kept, target, IGNORE)).flatten())

    def loss(self, batch) -> torch.Tensor:
        """The loss of a batch, 0-d."""
        raise NotImplementedError

    def count(self, batch) -> int:
        """How many targets the loss is the mean of."""
        return len(batch.target)

    def forward(self, batch, **options):
        """The loss, as torch.func.functional_call and DistributedDataParallel ask for it."""
        return self.loss(batch, **options)

    def run(self, rnn, x, state=None):
        """A layer on a PackedSequence, its dropout masks drawn from ``rng``  ->  y, state_n"""
        masks = self._masks(rnn, len(x.data))
        if masks is None and self.way == "library":
            return rnn.library(x, state)
        return rnn(x, state, keep=masks)

    def _masks(self, rnn, rows):
        if not (rnn.training and rnn.dropout and rnn.num_layers > 1):
            return None
        shape = rows, (1 + rnn.bidirectional) * rnn.hidden_size
        return [self.tensor(self.rng.random(shape) >= rnn.dropout) for _ in range(rnn.num_layers - 1)]

    def tensor(self, array) -> torch.Tensor:
        """An array as a tensor where the parameters are."""
        return torch.as_tensor(np.asarray(array), device=next(self.parameters()).device)

    def packed(self, sequence, data) -> PackedSequence:
        """The order of a packed batch of arrays, with other data."""
        order = [None if v is None else self.tensor(v) for v in sequence[2:]]
        return PackedSequence(data, torch.as_tensor(sequence.batch_sizes), *order)


def hidden(state) -> torch.Tensor:
    """The hidden state h of a state, an array or a pair"""
    return state[0] if isinstance(state, tuple) else state


def rows_of(padded, like) -> torch.Tensor:
    """padded (T, B, F)  ->  the true rows (N, F), in the order of the PackedSequence ``like``.

    pack_padded_sequence would sort again, and torch's sort may lay sequences of one length in another order.
    """
    t, b = map(torch.from_numpy, positions(np.asarray(like.batch_sizes)))
    return (padded if like.sorted_indices is None else padded[:, like.sorted_indices])[t, b]


def one_step(u):
    """u (B, E)  ->  packed, one step of B sequences"""
    return PackedSequence(u, torch.tensor([len(u)]))
