"""The language model of reference/models/language_model.py in PyTorch.  Autograd is the backward.

Equations U1 to U6: notes/models/language_model.md
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from reference.common import checks
from reference.common.arrays import Array
from reference.common.batches import Window, window_of, window_tokens
from reference.models.language_model import Masks, check_carried, draw_masks

from ..cells.layers import State, as_state, fields
from ..common.initial_weights import draw
from ..parts import dropout
from .model import Model


class TiedHead(nn.Module):
    """U4 with the embedding's matrix: only the bias is its own."""

    def __init__(self, in_features: int, out_features: int, *, dtype: torch.dtype):
        super().__init__()
        self.in_features = in_features
        self.bias = nn.Parameter(torch.empty(out_features, dtype=dtype))


class LanguageModel(Model):
    """As reference.models.language_model.LanguageModel, errors included; ``way`` as for Model."""

    carried: State | None  # (L, B, H) each: where the next window starts

    def __init__(self, num_embeddings: int, embedding_dim: int = 128, hidden_size: int = 256, num_layers: int = 1, *,
                 cell: str = "lstm", dropout: float = 0.0, tied: bool = False, dtype: str | torch.dtype = "float32",
                 rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        checks.sizes(num_embeddings=num_embeddings, embedding_dim=embedding_dim, hidden_size=hidden_size, num_layers=num_layers)
        self.dropout, self.tied, self.carried = checks.probability("dropout", dropout), checks.flag("tied", tied), None
        self.cell = cell
        if tied and embedding_dim != hidden_size:
            raise ValueError(f"tied needs embedding_dim == hidden_size, got {embedding_dim} and {hidden_size}")
        self.embedding = self.table(num_embeddings, embedding_dim)
        self.rnn = self.recurrent(cell, embedding_dim, hidden_size, num_layers, dropout=dropout if num_layers > 1 else 0.0)
        head = partial(TiedHead, dtype=self.dtype) if tied else self.linear
        self.head = head(hidden_size, num_embeddings)
        draw(self, self.rng)

    def loss(self, batch: Window) -> Tensor:
        """Window  ->  the loss, 0-d; the next window starts from the final state, cut off from this one's graph"""
        loss, state = self.window(batch, self.carried)
        self.carried = as_state([s.detach() for s in fields(state)])                      # U6
        return loss

    def masked(self, batch: Window) -> Window:
        """The window with the dropout masks of all its streams, as ``loss`` would draw them."""
        shape = *window_of(batch)[0].shape, self.embedding.embedding_dim
        return batch._replace(masks=self._window_masks(batch.masks, shape))

    def window(self, batch: Window, state: State | None = None) -> tuple[Tensor, State]:
        """One window from a given state  ->  loss, state_n; the gradient goes on into the state"""
        tokens, targets = window_of(batch)
        x = self.embed(self.embedding, tokens)                                            # U1
        masks = self._window_masks(batch.masks, tuple(x.shape))
        if masks:
            x = dropout.forward(x, self.tensor(masks.input), self.dropout)                # U2
        y, state_n = self._layer(x, None if batch.first else state, masks)                # U3
        if masks:
            y = dropout.forward(y, self.tensor(masks.output), self.dropout)               # U2
        return self.cross_entropy(self._head(y), targets), state_n                        # U5

    def logits(self, tokens: Array, state: State | None = None) -> tuple[Tensor, State]:
        """tokens (T, B)  ->  z (T, B, V), state_n; in evaluation mode without dropout"""
        y, state_n = self._layer(self.embed(self.embedding, window_tokens(tokens)), state, None)  # U1, U3
        return self._head(y), state_n

    def _head(self, y: Tensor) -> Tensor:
        return linear(y, self.embedding.weight, self.head.bias) if self.tied else self.head(y)  # U4

    def _layer(self, x: Tensor, state: State | None, masks: Masks | None) -> tuple[Tensor, State]:
        wanted = len(self.rnn.room.State._fields)
        if state is not None and [isinstance(s, Tensor) for s in fields(state)] != [True] * wanted:
            raise TypeError(f"state must be {'a pair of tensors' if wanted == 2 else 'a tensor'}, got {checks.shown(state)}")
        if self.way == "library" and not (masks and masks.between):
            return self.rnn.library(x, state)
        return self.rnn(x, state, keep=[self.tensor(m) for m in masks.between] if masks else None)

    def _window_masks(self, masks: Masks | None, shape: tuple[int, ...]) -> Masks | None:
        if self.training and self.dropout > 0:
            if masks is not None:
                checks.has("masks", masks, "input", "between", "output")
            return masks or draw_masks(self.rng, shape, self.rnn.hidden_size, self.rnn.num_layers, self.dropout)
        if masks is not None:
            raise ValueError("masks need training mode and dropout above 0")
        return None

    def carried_state(self) -> dict[str, Array]:
        """``carried`` as named arrays, for a checkpoint."""
        state = () if self.carried is None else fields(self.carried)
        return {k: s.cpu().numpy() for k, s in zip("hc", state, strict=False)}

    def load_carried_state(self, carried: Mapping[str, Array]) -> None:
        """The inverse of ``carried_state``.  RuntimeError: it is none of this model's; nothing is changed then."""
        self.checked_carried(carried)
        state = [self.tensor(np.array(carried[k])) for k in "hc" if k in carried]
        self.carried = as_state(state) if state else None

    def checked_carried(self, carried: Mapping[str, Array]) -> None:
        """Raises as ``load_carried_state``."""
        check_carried(carried, self.cell, self.rnn.num_layers, self.rnn.hidden_size, str(self.dtype).rpartition(".")[2])
