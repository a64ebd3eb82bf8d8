"""Whether an implementation is right."""

from torch_impl.early import early

early(__name__)
