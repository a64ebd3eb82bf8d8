"""What layers, cells, parts and models have in common: parameters, gradients, mode, and one remembered forward."""

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from . import checks
from .arrays import Array

Grads = dict[str, Array]
Pullback = Callable[..., Any]  # gradients of what came out  ->  Grads, and the gradients of what went in

# As in torch, inf and NaN flow through without a warning.
quiet = np.errstate(over="ignore", invalid="ignore")


class Module:
    """Parameters under torch's names, with hand-written gradients in place of autograd.

    The object keeps three things: ``params``; ``grads``, replaced (not accumulated) by each ``backward``; and
    the pullback of its *last* forward, which one ``backward`` uses up.  So two forwards before two backwards
    cannot mix: the second ``backward`` raises RuntimeError.  To hold several forwards at once use ``vjp``,
    which keeps nothing in the object, so that any number of threads may call it at once.  Before a process with
    threads is forked: notes/compiled.md.

    Parameters must be replaced, not changed in place, between a forward and its backward: the cache holds them.
    """

    params: dict[str, Array]

    def __init__(self, *, dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None):
        self.dtype = checks.dtype(dtype)
        self.rng = checks.generator("rng", rng)
        self.training = True
        self.grads: Grads = {}
        self._pullback: Pullback | None = None

    def uniform(self, shapes: Mapping[str, tuple], fan_in: int) -> dict[str, Array]:
        """Initial parameters in ±1/√fan_in: torch's default, in recurrent layers for biases and projection, too."""
        bound = fan_in**-0.5
        return {k: self.rng.uniform(-bound, bound, shape).astype(self.dtype) for k, shape in shapes.items()}

    def vjp(self, *inputs: Any, **options: Any) -> Any:
        raise NotImplementedError

    def train(self, mode: bool = True) -> Self:
        """Training mode, in which dropout acts; returns self.  TypeError: mode is not a bool."""
        self.training = checks.flag("mode", mode)
        return self

    def eval(self) -> Self:
        """Evaluation mode, in which dropout does nothing; returns self."""
        return self.train(False)

    def state_dict(self) -> dict[str, Array]:
        """Copies of the parameters; ``load_state_dict`` of the torch.nn namesake takes them as tensors."""
        return {k: v.copy() for k, v in self.params.items()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Replace every parameter by a copy, cast to ``dtype``; arrays and torch tensors are accepted.

        Raises
        ------
        RuntimeError
            Missing, unexpected or misshapen entries.  Nothing is changed then.
        TypeError
            Not a mapping.
        """
        self.params = checks.state_dict(state_dict, {k: v.shape for k, v in self.params.items()}, self.dtype)

    def _pull(self, *gradients: Any) -> list[Any]:
        if self._pullback is None:
            raise RuntimeError(
                "backward needs a forward before it, and each forward allows one backward; vjp holds several at once"
            )
        pulled = self._pullback(*gradients)
        self.grads, *of_inputs = pulled if isinstance(pulled, tuple) else (pulled,)
        self._pullback = None
        return of_inputs


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

    def train(self, mode: bool = True) -> Self:
        checks.flag("mode", mode)
        for child in self.children.values():
            child.train(mode)
        return super().train(mode)

    def _gather(self, **grads: Grads) -> Grads:
        """The gradients of each child, by its name  ->  keyed and ordered like ``params``"""
        named = {f"{name}.{k}": v for name, child in grads.items() for k, v in child.items()}
        return {k: named[k] for k in self.params}
