"""Modules made of modules under names; and a model: such a module with one loss and its gradient in every parameter."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..common import checks
from ..common.arrays import Array
from ..common.module import Module


class Composite(Module):
    """A module made of modules: its attributes, in the order in which they were set.

    ``params``, ``grads`` and ``state_dict`` have the names of torch.nn.Module: "embedding.weight", "rnn.bias_hh_l0".
    A subclass gives ``vjp``, whose pullback puts the names together by ``_gather``.

        class Tagger(Model):
            def __init__(self, ..., *, dtype=np.float32, rng=None):
                super().__init__(dtype=dtype, rng=rng)
                self.embedding = Embedding(..., dtype=dtype, rng=self.rng)
                self.head = Linear(..., dtype=dtype, rng=self.rng)
    """

    def __init__(self, *, dtype: Any = np.float32, rng: np.random.Generator | None = None):
        self.dtype = checks.dtype(dtype)
        self.training = True
        self.grads: dict[str, Array] = {}
        self.rng = checks.generator("rng", rng)
        self._pullback: Callable | None = None

    @property
    def children(self) -> dict[str, Module]:
        """The modules that are attributes, by name."""
        return {name: v for name, v in vars(self).items() if isinstance(v, Module)}

    @property
    def params(self) -> dict[str, Array]:
        """The parameters of all children, under prefixed names: the arrays themselves, for an optimiser to change."""
        return {f"{name}.{k}": v for name, child in self.children.items() for k, v in child.params.items()}

    @params.setter
    def params(self, values: dict[str, Array]) -> None:
        for name, child in self.children.items():
            child.params = {k: values[f"{name}.{k}"] for k in child.params}

    def train(self, mode: bool = True):
        for child in self.children.values():
            child.train(mode)
        return super().train(mode)

    def _gather(self, **grads: dict[str, Array]) -> dict[str, Array]:
        """The gradients of each child, by its name  ->  keyed and ordered like ``params``"""
        named = {f"{name}.{k}": v for name, child in grads.items() for k, v in child.items()}
        return {k: named[k] for k in self.params}


class Model(Composite):
    """A composite with one loss."""

    def vjp(self, batch) -> tuple[Any, Callable]:
        """``loss, pullback``, with ``pullback(dloss=1.0) -> grads``, pure."""
        raise NotImplementedError

    def loss(self, batch) -> float:
        """The loss of a batch; ``backward`` then fills ``grads`` with its gradient."""
        loss, pullback = self.vjp(batch)
        self._remember(pullback)
        return float(loss)

    def backward(self) -> None:
        """The gradient of the last ``loss``, into ``grads``, keyed like ``params``.  RuntimeError: no loss before it."""
        self._pull()


def added(total: dict, grads: dict) -> dict:
    """Gradients by child and name, summed where both have them"""
    both = {child: dict(named) for child, named in total.items()}
    for child, named in grads.items():
        mine = both.setdefault(child, {})
        mine.update({k: mine[k] + v if k in mine else v for k, v in named.items()})
    return both
