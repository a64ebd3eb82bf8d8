"""The derivations, and what keeps them true: generated parts, the site, the explorers, the exercises."""

from torch_impl.early import early

early(__name__)
