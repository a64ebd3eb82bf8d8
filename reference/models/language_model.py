"""The next token of a stream, window by window, the state carried over.  Derivation: notes/models/language_model.md

    x_t = E[token_t]                                                (U1)
    x ← x ∘ keep / (1 - p),  y likewise     dropout                 (U2)
    y, s_n = rnn(x, s_0)                                            (U3)
    z_t = y_t Wᵀ + b,  W = E if tied                                (U4)
    ℓ = mean cross-entropy of z_t against the next token            (U5)
    s_0 of the next window = s_n, as a constant                     (U6)

So a gradient ends at its window's edge: truncated BPTT.  The starred labels are the adjoints.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..cells.inputs import State
from ..common import checks
from ..common.arrays import Array
from ..common.batches import Window, window_of, window_tokens
from ..common.module import Grads, Module, Pullback, quiet
from ..parts import dropout, linear, losses
from ..parts.modules import Embedding, Linear
from .model import Model
from .recurrent import as_state, fields, recurrent


class Masks(NamedTuple):
    """What dropout keeps, boolean."""

    input: Array            # (T, B, E)
    between: list[Array]    # (T·B, H) for each layer but the last
    output: Array           # (T, B, H)


class TiedHead(Module):
    """U4 with the embedding's matrix: only the bias is its own."""

    def __init__(self, in_features: int, out_features: int, *, dtype: DTypeLike, rng: np.random.Generator | None):
        super().__init__(dtype=dtype, rng=rng)
        self.params = self.uniform({"bias": (out_features,)}, in_features)

    def vjp(self, y: Array, W: Array) -> tuple[Array, Pullback]:
        """y (T, B, H), W (V, H)  ->  z (T, B, V), ``pullback(dz) -> grads, dy, dW``"""
        z, cache = linear.forward(linear.Params(W, self.params["bias"]), y)                 # U4

        def pullback(dz: Array) -> tuple[Grads, Array, Array]:
            dp, dy = linear.backward(dz, cache)                                             # U4*
            assert dp.b is not None
            return {"bias": dp.b}, dy, dp.W

        return z, pullback


class LanguageModel(Model):
    """Embedding, rnn, linear layer at every step; the state goes from one window to the next.

    Parameters
    ----------
    num_embeddings : int
        Size of the vocabulary.
    embedding_dim, hidden_size, num_layers : int
    cell : "rnn", "lstm" or "gru"
    dropout : float from 0 to 1
        On the rnn's input, between its layers, and on its output, in training mode.
    tied : bool
        The embedding's matrix is the output's too; needs embedding_dim == hidden_size.
    dtype, rng, engine
        As for the layers; ``rng`` draws the initial parameters, in the order of the attributes, then dropout masks.

    Attributes
    ----------
    carried : state of the rnn, or None for zeros
        Where the next window starts; ``loss`` puts the final state of its window there.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int = 128, hidden_size: int = 256, num_layers: int = 1, *,
                 cell: str = "lstm", dropout: float = 0.0, tied: bool = False,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "fast"):
        super().__init__(dtype=dtype, rng=rng)
        self.dropout, self.tied = checks.probability("dropout", dropout), checks.flag("tied", tied)
        checks.sizes(num_embeddings=num_embeddings, embedding_dim=embedding_dim, hidden_size=hidden_size, num_layers=num_layers)
        self.carried: State | None = None
        self.cell = cell
        if tied and embedding_dim != hidden_size:
            raise ValueError(f"tied needs embedding_dim == hidden_size, got {embedding_dim} and {hidden_size}")
        self.embedding = Embedding(num_embeddings, embedding_dim, dtype=dtype, rng=self.rng)
        self.rnn = recurrent(cell, embedding_dim, hidden_size, num_layers, dropout=dropout if num_layers > 1 else 0.0,
                             dtype=dtype, rng=self.rng, engine=engine)
        kind: type[TiedHead] | type[Linear] = TiedHead if tied else Linear
        self.head = kind(hidden_size, num_embeddings, dtype=dtype, rng=self.rng)

    def loss(self, batch: Window) -> float:
        """Window  ->  the loss; ``backward`` is possible then, and the next window starts from the final state."""
        loss, self.carried, pullback = self.window(batch, self.carried)                     # U6
        self._pullback = lambda: pullback()[0]
        return float(loss)

    def vjp(self, batch: Window) -> tuple[Array, Pullback]:
        """Window  ->  loss, ``pullback(dloss=1.0) -> grads``; starts from ``carried``, which stays."""
        loss, _, pullback = self.window(batch, self.carried)
        return loss, lambda dloss=1.0: pullback(dloss)[0]

    @quiet
    def window(self, batch: Window, state: State | None = None) -> tuple[Array, State, Pullback]:
        """One window from a given state, pure.

        Returns
        -------
        loss
        state_n : the state after the window
        pullback : ``pullback(dloss=1.0, dstate_n=None) -> grads, dstate``
            With dstate_n the gradient of a later window's loss: what truncated BPTT leaves out.

        Raises
        ------
        IndexError
            A token or target out of range.
        RuntimeError
            Targets of another shape, a state of another batch size, no time step.
        ValueError
            Masks where dropout is not active.
        """
        tokens, targets = window_of(batch)
        x, pull_x = self.embedding.vjp(tokens)                                              # U1
        masks = self._masks(batch.masks, x.shape)
        if masks:
            x, kept_x = dropout.forward(x, masks.input, self.dropout)                       # U2
        start = None if batch.first else state
        y, state_n, pull_y = self.rnn.vjp(x, start, (masks and masks.between) or None)      # U3
        if masks:
            y, kept_y = dropout.forward(y, masks.output, self.dropout)                      # U2
        z, pull_z = self._head(y)                                                           # U4
        loss, cache = losses.cross_entropy_forward(z, targets)                              # U5

        def pullback(dloss: ArrayLike = 1.0, dstate_n: State | None = None) -> tuple[Grads, State]:
            head, dy, *dW = pull_z(losses.cross_entropy_backward(dloss, cache))             # U5*, U4*
            if masks:
                dy = dropout.backward(dy, kept_y)                                           # U2*
            rnn, dx, dstate = pull_y(dy, dstate_n)                                          # U3*
            if masks:
                dx = dropout.backward(dx, kept_x)                                           # U2*
            embedding = {"weight": pull_x(dx)["weight"] + sum(dW)}                          # U1*, U4*
            return self._gather(embedding=embedding, rnn=rnn, head=head), dstate

        return loss, state_n, pullback

    def logits(self, tokens: Array, state: State | None = None) -> tuple[Array, State]:
        """tokens (T, B)  ->  z (T, B, V), state_n; in evaluation mode without dropout"""
        y, state_n, _ = self.rnn.vjp(self.embedding.vjp(window_tokens(tokens))[0], state)   # U1, U3
        return self._head(y)[0], state_n                                                    # U4

    def _head(self, y: Array) -> tuple[Array, Pullback]:
        return self.head.vjp(y, self.embedding.params["weight"]) if isinstance(self.head, TiedHead) else self.head.vjp(y)

    def carried_state(self) -> dict[str, Array]:
        """``carried`` as named arrays, for a checkpoint."""
        return {} if self.carried is None else dict(zip("hc", fields(self.carried), strict=False))

    def load_carried_state(self, carried: Mapping[str, Array]) -> None:
        """The inverse of ``carried_state``.  RuntimeError: it is none of this model's; nothing is changed then."""
        self.checked_carried(carried)
        self.carried = as_state([carried[k] for k in "hc" if k in carried]) if carried else None

    def checked_carried(self, carried: Mapping[str, Array]) -> None:
        """Raises as ``load_carried_state``."""
        check_carried(carried, self.cell, self.rnn.num_layers, self.rnn.hidden_size, str(self.dtype))

    def _masks(self, masks: Masks | None, shape: tuple[int, ...]) -> Masks | None:
        if self.training and self.dropout > 0:
            if masks is not None:
                checks.has("masks", masks, "input", "between", "output")
            return masks or draw_masks(self.rng, shape, self.rnn.hidden_size, self.rnn.num_layers, self.dropout)
        if masks is not None:
            raise ValueError("masks need training mode and dropout above 0")
        return None


def check_carried(arrays: Mapping[str, Array], cell: str, num_layers: int, hidden_size: int, dtype: str) -> None:
    """RuntimeError: these are not the states (L, B, H) of a model of this cell, these sizes and this dtype, nor none at all.
    TypeError: they are no mapping of arrays."""
    checks.mapping("carried", arrays)
    names = ["h", "c"] if cell == "lstm" else ["h"]
    if arrays and {*arrays} != {*names}:
        raise RuntimeError(f"the carried state of a {cell} is {' and '.join(names)}, got {', '.join(map(str, arrays))[:100]}")
    arrays = {name: checks.given(f"carried {name}", v) for name, v in arrays.items()}
    B = next((v.shape[1] for v in arrays.values() if v.ndim == 3), 0)
    for name, v in arrays.items():
        if v.shape != (num_layers, B, hidden_size) or not B:
            raise RuntimeError(f"carried {name} must have shape ({num_layers}, B, {hidden_size}), one B for all, got {v.shape}")
        if str(v.dtype) != dtype:
            raise RuntimeError(f"carried {name} must have dtype {dtype}, that of the weights, got {v.dtype}")


def draw_masks(rng: np.random.Generator, shape: tuple, hidden_size: int, num_layers: int, p: float) -> Masks:
    """The masks of one window whose rnn's input has this shape (T, B, E), drawn in the order in which they act."""
    T, B, _ = shape
    return Masks(dropout.draw(rng, shape, p), [dropout.draw(rng, (T * B, hidden_size), p) for _ in range(num_layers - 1)],
                 dropout.draw(rng, (T, B, hidden_size), p))
