"""torch 2.13.0: in bfloat16 GRU's gradients are too large where the update gate is near 1, on the CPU.

What: torch.nn.GRU computes h' = (h - n) z + n, so that autograd has dn = dh' - dh' z.  Where z is near 1 the two terms are few
roundings apart.  With z = 255/256, which bfloat16 holds exactly, dn is up to twice what is right, and 1.4 times in the mean.
h' = (1 - z) n + z h, as torch's documentation has it, gives dn = dh' (1 - z), which is exact here.  A GRU that is to remember over
hundreds of steps has its update gate there.

Witness: one step whose right gradient is dh'/256, and either equation with autograd in bfloat16.

Upstream: no thread was found in a search of its issues.

Their tests: the inputs of torch.nn.GRU in torch/testing/_internal/common_modules.py, for which gradients are tested, are in float32
and float64 only.
"""

import torch

B, H = 64, 100
torch.manual_seed(0)
layer = torch.nn.GRU(H, H, dtype=torch.bfloat16)
with torch.no_grad():
    for w in layer.parameters():
        w.zero_()
    layer.weight_ih_l0[2 * H :] = torch.eye(H)  # n = tanh(x), so that dx is dn where x is 0
    layer.bias_ih_l0[H : 2 * H] = torch.tensor(255.0).log()  # z = 255/256
    z = torch.sigmoid(layer.bias_ih_l0[H : 2 * H])
assert (z == 255 / 256).all()
x, dy = torch.zeros(1, B, H).bfloat16(), torch.randn(1, B, H).bfloat16()


def gradient(of):
    """dx in float64"""
    given = x.clone().requires_grad_()
    return torch.autograd.grad(of(given), given, dy)[0].double()


right = dy.double() / 256
found = {
    "torch.nn.GRU": gradient(lambda x: layer(x)[0]),
    "(h - n) z + n, h = 0": gradient(lambda x: (0 - torch.tanh(x)) * z + torch.tanh(x)),
    "(1 - z) n + z h, h = 0": gradient(lambda x: (1 - z) * torch.tanh(x) + z * 0),
}
for name, dx in found.items():
    times = dx / right
    print(f"{name}: dx is {times.min():.2f} to {times.max():.2f} times what is right, {times.mean():.2f} in the mean")
    found[name] = times
assert found["torch.nn.GRU"].mean() > 1.2
assert (found["torch.nn.GRU"] == found["(h - n) z + n, h = 0"]).all()
assert (found["(1 - z) n + z h, h = 0"] == 1).all()
