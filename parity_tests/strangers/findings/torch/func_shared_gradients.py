"""torch 2.13.0: torch.func.grad gives LSTM's two biases one gradient in one memory, in float32 on the CPU.

What: torch.func.grad of a loss of torch.nn.LSTM in its weights returns for bias_ih_l0 and bias_hh_l0 tensors at the same address;
what is scaled in place, as clipping does, is scaled twice.  torch.autograd.grad gives two, and so does torch.func in float64.

Witness: the addresses, and one gradient before and after the other is multiplied in place.

Upstream: no thread was found in a search of its issues. In float32 the layer is oneDNN's, whose backward has one gradient for
both.

Their tests: test/functorch/test_eager_transforms.py, on torch.func.grad and vjp, has no recurrent layer, and
test/functorch/test_ops.py goes through the list op_db, which has none either.
"""

import torch

torch.manual_seed(0)
shared = {}
for dtype in (torch.float32, torch.float64):
    layer, x = torch.nn.LSTM(3, 4, dtype=dtype), torch.randn(5, 2, 3, dtype=dtype)
    weights = dict(layer.named_parameters())

    def loss(weights, layer=layer, x=x):
        return torch.func.functional_call(layer, weights, (x,))[0].square().sum()

    by_func = torch.func.grad(loss)(weights)
    by_autograd = dict(zip(weights, torch.autograd.grad(loss(weights), list(weights.values())), strict=True))
    for name, gradients in (("torch.func.grad", by_func), ("torch.autograd.grad", by_autograd)):
        before = gradients["bias_hh_l0"].clone()
        gradients["bias_ih_l0"].mul_(0.5)
        ratio = (gradients["bias_hh_l0"] / before).mean().item()
        shared[name, dtype] = gradients["bias_ih_l0"].data_ptr() == gradients["bias_hh_l0"].data_ptr()
        print(f"{dtype}, {name}: one address {shared[name, dtype]}; bias_ih's halved, bias_hh's is {ratio:g} of what it was")
assert [k for k, found in shared.items() if found] == [("torch.func.grad", torch.float32)]
