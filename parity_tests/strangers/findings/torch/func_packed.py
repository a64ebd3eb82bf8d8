"""torch 2.13.0: torch.func.vjp and grad raise for RNN, GRU and LSTM over a packed sequence on the CPU.

What: torch.func.grad of a loss of torch.nn.LSTM's outputs in its weights, by functional_call, raises RuntimeError, "Cannot access
data pointer of Tensor that doesn't have storage", if the input is a packed sequence; torch.autograd.grad of the same call works,
and so does torch.func.grad where the input is a tensor.

Witness: torch.autograd.grad of the same loss.

Upstream: pytorch/functorch #629, open, of vjp over a model whose recurrent layers are given packed sequences.  pytorch/pytorch
#103161, open, is of jacrev over an LSTM that is given a tensor, which raises no more.

Their tests: test/functorch/test_eager_transforms.py, on torch.func.grad and vjp, has no recurrent layer, and
test/functorch/test_ops.py goes through the list op_db, which has none either. torch/testing/_internal/common_modules.py makes
packed sequences for RNN and GRU if with_packed_sequence is set, and nothing in the installed package sets it.
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence

torch.manual_seed(0)
x = torch.randn(5, 2, 3, dtype=torch.float64)
packed = pack_padded_sequence(x, torch.tensor([5, 3]))
for kind in (torch.nn.RNN, torch.nn.GRU, torch.nn.LSTM):
    layer = kind(3, 4, dtype=torch.float64)
    weights = dict(layer.named_parameters())

    def loss(weights, given, layer=layer):
        y, _ = torch.func.functional_call(layer, weights, (given,))
        return (y if isinstance(y, torch.Tensor) else y.data).square().sum()

    by_autograd = torch.autograd.grad(loss(weights, x), weights["weight_hh_l0"])[0]
    error = (torch.func.grad(loss)(weights, x)["weight_hh_l0"] - by_autograd).abs().max().item()
    right = torch.autograd.grad(loss(weights, packed), weights["weight_hh_l0"])[0]
    try:
        torch.func.grad(loss)(weights, packed)
        raised = ""
    except RuntimeError as e:
        raised = str(e)
    print(f"{kind.__name__}: of a tensor {error:.1e} from autograd; packed, autograd {right.abs().max():.3f}, torch.func: {raised}")
    assert error < 1e-12
    assert right.abs().max() > 0
    assert "storage" in raised
