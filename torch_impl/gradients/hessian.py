"""Hessian-vector products of reference/gradients/hessian.py by double backward: reverse over reverse.

notes/gradients/hessian.md, HV4

A loop over the steps is a graph of operations and can be differentiated any number of times.  cuDNN's backward is one
kernel, of which nobody has written the derivative: on CUDA torch.nn's layer raises.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def product(loss: Callable[..., Tensor], inputs: Sequence[Tensor], v: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """∇²ℓ v and the gradient: ``loss(*inputs)`` a scalar, ``inputs`` and ``v`` equally many tensors

    ->  gradients, products, in the order of the inputs                                                       HV4
    """
    inputs = [u.detach().requires_grad_() for u in inputs]
    gradients = torch.autograd.grad(loss(*inputs), inputs, create_graph=True)
    along = torch.stack([(g * w).sum() for g, w in zip(gradients, v, strict=True)]).sum()                   # HV1
    return [g.detach() for g in gradients], list(torch.autograd.grad(along, inputs))
