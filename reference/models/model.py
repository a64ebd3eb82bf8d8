"""A model: a module made of modules, with one loss and its gradient with respect to every parameter."""

from typing import Any

from numpy.typing import ArrayLike

from ..common.arrays import Array
from ..common.batches import Batch, count
from ..common.module import Composite, Grads, Pullback
from ..parts import losses


class Model(Composite):
    """A composite with one loss."""

    def vjp(self, batch: Any) -> tuple[Array, Pullback]:
        """``loss, pullback``, with ``pullback(dloss=1.0) -> grads``, pure."""
        raise NotImplementedError

    def loss(self, batch: Any) -> float:
        """The loss of a batch; ``backward`` then fills ``grads`` with its gradient."""
        loss, pullback = self.vjp(batch)
        self._pullback = pullback
        return float(loss)

    def _logits(self, batch: Any) -> Any:
        """z, ``pullback(dz) -> grads``, and what else the model has"""
        raise NotImplementedError

    def logits(self, batch: Any) -> Any:
        """A row of logits for each target of a batch, which needs none: (B, classes), or packed rows (N, V)."""
        return self._logits(batch)[0]

    def count(self, batch: Batch) -> int:
        """How many targets the loss is the mean of."""
        return count(batch)

    def backward(self) -> None:
        """The gradient of the last ``loss``, into ``grads``, keyed like ``params``.  RuntimeError: no loss before it."""
        self._pull()


def cross_entropy(z: Array, targets: ArrayLike, pull_z: Pullback) -> tuple[Array, Pullback]:
    """Logits (..., V) and their pullback, targets (...)  ->  the mean cross-entropy, ``pullback(dloss=1.0)`` as pull_z(dz)"""
    loss, cache = losses.cross_entropy_forward(z, targets)
    return loss, lambda dloss=1.0: pull_z(losses.cross_entropy_backward(dloss, cache))


def added(total: dict[str, Grads], grads: dict[str, Grads]) -> dict[str, Grads]:
    """Gradients by child and name, summed where both have them"""
    both = {child: dict(named) for child, named in total.items()}
    for child, named in grads.items():
        own = both.setdefault(child, {})
        own.update({k: own[k] + v if k in own else v for k, v in named.items()})
    return both
