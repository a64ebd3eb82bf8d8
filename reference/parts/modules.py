"""Linear and Embedding as torch.nn has them, and Attention; backward by hand, in the rooms of the same names."""

import numpy as np
from numpy.typing import DTypeLike

from ..common import checks
from ..common.arrays import Array
from ..common.module import Composite, Grads, Module, Pullback, quiet
from . import attention, embedding, linear


class Linear(Module):
    """An affine map of the last axis; room ``reference/parts/linear.py``, namesake torch.nn.Linear.

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

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, dtype: DTypeLike = np.float32,
                 rng: np.random.Generator | None = None):
        super().__init__(dtype=dtype, rng=rng)
        self.in_features = checks.positive_int("in_features", in_features)
        self.out_features = checks.positive_int("out_features", out_features)
        shapes: dict[str, tuple] = {"weight": (self.out_features, self.in_features)}
        shapes |= {"bias": (self.out_features,)} if checks.flag("bias", bias) else {}
        checks.fits({"in_features": in_features, "out_features": out_features}, self.in_features * self.out_features, self.dtype)
        self.params = self.uniform(shapes, self.in_features)

    def __call__(self, x: Array) -> Array:
        """x (..., in_features) ndarray in the dtype of the module  ->  y (..., out_features)

        Raises
        ------
        RuntimeError
            Wrong feature size or dtype.
        """
        y, pullback = self.vjp(x)
        self._pullback = pullback
        return y

    def backward(self, dy: Array) -> Array:
        """dy like y  ->  dx like x; fills ``grads``.  RuntimeError: no forward before it, wrong shape or dtype."""
        (dx,) = self._pull(dy)
        return dx

    @quiet
    def vjp(self, x: Array) -> tuple[Array, Pullback]:
        """The functional form: ``y, pullback``, with ``pullback(dy) -> grads, dx``, pure."""
        x = checks.features("Linear: input", x, self.in_features, self.dtype)
        y, cache = linear.forward(linear.Params(self.params["weight"], self.params.get("bias")), x.copy())

        @quiet
        def pullback(dy: Array) -> tuple[Grads, Array]:
            dp, dx = linear.backward(checks.array("Linear: dy", dy, y.shape, self.dtype), cache)
            return {name: d for name, d in zip(self.params, dp, strict=False) if d is not None}, dx

        return y, pullback


class Embedding(Module):
    """A trainable row for each token; room ``reference/parts/embedding.py``, namesake torch.nn.Embedding.

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

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, *,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None):
        super().__init__(dtype=dtype, rng=rng)
        self.num_embeddings = checks.positive_int("num_embeddings", num_embeddings)
        self.embedding_dim = checks.positive_int("embedding_dim", embedding_dim)
        self.padding_idx = checks.index("padding_idx", padding_idx, self.num_embeddings)
        sizes = {"num_embeddings": self.num_embeddings, "embedding_dim": self.embedding_dim}
        checks.fits(sizes, self.num_embeddings * self.embedding_dim, self.dtype)
        self.params = {"weight": self.rng.standard_normal((self.num_embeddings, self.embedding_dim)).astype(self.dtype)}
        if self.padding_idx is not None:
            self.params["weight"][self.padding_idx] = 0

    def __call__(self, ids: Array) -> Array:
        """ids (...) whole numbers  ->  y (..., embedding_dim)

        Raises
        ------
        IndexError
            A token below 0 or not below num_embeddings.
        RuntimeError
            Not whole numbers.
        """
        y, pullback = self.vjp(ids)
        self._pullback = pullback
        return y

    def backward(self, dy: Array) -> None:
        """dy like y; fills ``grads``.  Tokens have no gradient.  RuntimeError: as for Linear."""
        self._pull(dy)

    def vjp(self, ids: Array) -> tuple[Array, Pullback]:
        """The functional form: ``y, pullback``, with ``pullback(dy) -> grads``, pure."""
        ids = checks.tokens("Embedding: ids", ids, self.num_embeddings)
        y, cache = embedding.forward(self.params["weight"], ids, self.padding_idx)

        @quiet
        def pullback(dy: Array) -> Grads:
            return {"weight": embedding.backward(checks.array("Embedding: dy", dy, y.shape, self.dtype), cache)}

        return y, pullback


class Attention(Composite):
    """Attention over a memory; room ``reference/parts/attention.py``, twin torch_impl.parts.attention.Attention.

    Parameters
    ----------
    query_size, memory_size : int
        Q and K; equal for "dot" and "scaled".
    kind : "additive", "dot", "general" or "scaled"
    attention_size : int; optional
        A, for "additive" only; memory_size if not given.
    dtype, rng
        As for Linear, which ``query``, ``memory`` and ``score`` are.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range.
    """

    NAMES = {"W_q": "query.weight", "W_k": "memory.weight", "b": "memory.bias", "v": "score.weight"}

    def __init__(self, query_size: int, memory_size: int, kind: str = "additive", attention_size: int | None = None, *,
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None):
        super().__init__(dtype=dtype, rng=rng)
        self.kind = checks.choice("kind", kind, attention.KINDS)
        self.query_size = checks.positive_int("query_size", query_size)
        self.memory_size = checks.positive_int("memory_size", memory_size)
        if attention_size is not None and kind != "additive":
            raise ValueError(f"attention_size is for kind 'additive', got it for {kind!r}")
        if kind in ("dot", "scaled") and self.query_size != self.memory_size:
            raise ValueError(f"query_size must equal memory_size for kind {kind!r}, got {query_size} and {memory_size}")
        A = checks.positive_int("attention_size", memory_size if attention_size is None else attention_size)
        if kind in ("additive", "general"):
            self.query = Linear(self.query_size, A, bias=False, dtype=dtype, rng=self.rng)
        if kind == "additive":
            self.memory = Linear(self.memory_size, A, dtype=dtype, rng=self.rng)
            self.score = Linear(A, 1, bias=False, dtype=dtype, rng=self.rng)

    def __call__(self, q: Array, h: Array, mask: Array | None = None) -> tuple[Array, Array]:
        """Attend.

        Parameters
        ----------
        q : (T, B, Q) ndarray, or (B, Q) for one step
            The queries.
        h : (S, B, K) ndarray
            The memory.
        mask : (S, B) boolean ndarray; optional
            True where the memory is, False where it is padding, which may hold anything, NaN too.

        Returns
        -------
        context : (T, B, K) or (B, K) ndarray
        weights : (T, B, S) or (B, S) ndarray
            They sum to 1, and are 0 where the mask is False.

        Raises
        ------
        ValueError
            The mask keeps nothing of a sequence (a softmax over nothing is NaN in torch), or the memory is empty.
        RuntimeError
            Wrong shape or dtype.
        """
        context, weights, pullback = self.vjp(q, h, mask)
        self._pullback = pullback
        return context, weights

    def backward(self, dcontext: Array | None = None, dweights: Array | None = None) -> tuple[Array, Array]:
        """Gradients like context and weights, zeros if not given  ->  dq, dh; fills ``grads``."""
        dq, dh = self._pull(dcontext, dweights)
        return dq, dh

    @property
    def p(self) -> attention.Params:
        """The parameters as the room takes them; ``named`` is the inverse."""
        values = {field: self.params[name] for field, name in self.NAMES.items() if name in self.params}
        return attention.Params(**values | ({"v": values["v"][0]} if "v" in values else {}))

    def named(self, dp: attention.Params) -> Grads:
        """A room's gradients, keyed like ``params``."""
        values = {self.NAMES[field]: v for field, v in dp._asdict().items() if v is not None}
        return values | ({"score.weight": values["score.weight"][None]} if "score.weight" in values else {})

    @quiet
    def vjp(self, q: Array, h: Array, mask: Array | None = None) -> tuple[Array, Array, Pullback]:
        """``context, weights, pullback``, with ``pullback(dcontext=None, dweights=None) -> grads, dq, dh``, pure."""
        h = checks.features("Attention: memory", h, self.memory_size, self.dtype)
        q = checks.features("Attention: query", q, self.query_size, self.dtype)
        if h.ndim != 3 or q.ndim not in (2, 3) or q.shape[-2] != h.shape[1]:
            raise RuntimeError("Attention: query must be (T, B, Q) or (B, Q) and memory (S, B, K) with the same B, "
                               f"got {q.shape} and {h.shape}")
        one = q.ndim == 2
        context, w, cache = attention.forward(self.p, (q[None] if one else q).copy(), h.copy(), mask, self.kind)
        weights = w.copy()  # the caller's; those of the cache are for the backward

        @quiet
        def pullback(dcontext: Array | None = None, dweights: Array | None = None) -> tuple[Grads, Array, Array]:
            def full(name: str, d: Array | None, like: Array) -> Array:
                return np.zeros_like(like) if d is None else checks.array(
                    f"Attention: {name}", d, like.shape[one:], self.dtype).reshape(like.shape)

            dp, dq, dh = attention.backward(full("dcontext", dcontext, context), full("dweights", dweights, weights), cache)
            return self.named(dp), dq[0] if one else dq, dh

        return (context[0], weights[0], pullback) if one else (context, weights, pullback)
