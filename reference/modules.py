"""Linear and Embedding as torch.nn has them; backward by hand, in the rooms of the same names."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import checks, embedding, linear
from .layers import quiet
from .memory import copied
from .module import Module


class Linear(Module):
    """An affine map of the last axis; room ``reference/linear.py``, namesake torch.nn.Linear.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
    dtype : a floating or complex NumPy dtype
    rng : numpy.random.Generator; optional
        Source of the initial parameters, uniform in ±1/√in_features as in torch.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range.
    """

    def __init__(self, in_features, out_features, bias=True, *, dtype=np.float32, rng=None):
        self.in_features = checks.positive_int("in_features", in_features)
        self.out_features = checks.positive_int("out_features", out_features)
        shapes: dict[str, tuple] = {"weight": (self.out_features, self.in_features)}
        super().__init__(shapes | ({"bias": (self.out_features,)} if bias else {}), self.in_features, dtype, rng)

    def __call__(self, x):
        """x (..., in_features) ndarray in the dtype of the module  ->  y (..., out_features)

        Raises
        ------
        RuntimeError
            Wrong feature size or dtype.
        """
        y, pullback = self.vjp(x)
        self._remember(pullback)
        return y

    def backward(self, dy):
        """dy like y  ->  dx like x; fills ``grads``.  RuntimeError: no forward before it, wrong shape or dtype."""
        (dx,) = self._pull(dy)
        return dx

    @quiet
    def vjp(self, x) -> tuple[Any, Callable]:
        """The functional form: ``y, pullback``, with ``pullback(dy) -> grads, dx``, pure."""
        x = checks.features("Linear: input", x, self.in_features, self.dtype)
        y, cache = linear.forward(linear.Params(self.params["weight"], self.params.get("bias")), copied(x))

        @quiet
        def pullback(dy):
            dp, dx = linear.backward(checks.array("Linear: dy", dy, y.shape, self.dtype), cache)
            return dict(zip(self.params, dp, strict=False)), dx

        return y, pullback


class Embedding(Module):
    """A trainable row for each token; room ``reference/embedding.py``, namesake torch.nn.Embedding.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Size of the vocabulary and width of a row.
    padding_idx : int; optional
        A token whose row is zero at the start and takes no gradient; negative counts from the end, as in torch.
    dtype, rng
        As for Linear; the initial rows are standard normal as in torch.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range.
    """

    def __init__(self, num_embeddings, embedding_dim, padding_idx=None, *, dtype=np.float32, rng=None):
        self.num_embeddings = checks.positive_int("num_embeddings", num_embeddings)
        self.embedding_dim = checks.positive_int("embedding_dim", embedding_dim)
        self.padding_idx = checks.index("padding_idx", padding_idx, self.num_embeddings)
        super().__init__({"weight": (self.num_embeddings, self.embedding_dim)}, self.embedding_dim, dtype, rng,
                         lambda g, shape: g.standard_normal(shape))
        if self.padding_idx is not None:
            self.params["weight"][self.padding_idx] = 0

    def __call__(self, ids):
        """ids (...) whole numbers  ->  y (..., embedding_dim)

        Raises
        ------
        IndexError
            A token below 0 or not below num_embeddings.
        RuntimeError
            Not whole numbers.
        """
        y, pullback = self.vjp(ids)
        self._remember(pullback)
        return y

    def backward(self, dy) -> None:
        """dy like y; fills ``grads``.  Tokens have no gradient.  RuntimeError: as for Linear."""
        self._pull(dy)

    def vjp(self, ids) -> tuple[Any, Callable]:
        """The functional form: ``y, pullback``, with ``pullback(dy) -> grads``, pure."""
        ids = checks.tokens("Embedding: ids", ids, self.num_embeddings)
        y, cache = embedding.forward(self.params["weight"], ids, self.padding_idx)

        @quiet
        def pullback(dy):
            return {"weight": embedding.backward(checks.array("Embedding: dy", dy, y.shape, self.dtype), cache)}

        return y, pullback
