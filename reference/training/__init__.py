"""How models are trained: the loop, initialisation, clipping, optimisers."""

from .loop import evaluate, train

__all__ = ["evaluate", "train"]
