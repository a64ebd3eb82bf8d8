"""Flax 0.12.8: nnx.GRUCell lacks the bias b_hn of the equation in its docstring.

What: the docstring says n = tanh(W_in x + b_in + r * (W_hn h + b_hn)); the cell has one bias for r, z and n, added to the product
with x, and none with h.  It is another function than flax.linen.GRUCell, torch.nn.GRU and cuDNN compute, and weights of those
cannot be loaded.  The parameters, printed, are 3 * H biases; linen has 4 * H.

Witness: with x = 0, W_in = 0 and r = 1/2, n at h = 0 must be tanh(b_in + b_hn / 2), which depends on r; nnx's n at h = 0 does
not depend on r, whatever its parameters.  linen's cell, set by the same equation, gives what NumPy gives.

Upstream: google/flax #5594 and PR #5595, open.

Their tests: tests/nnx/nn/recurrent_test.py compares nnx.LSTMCell, not nnx.GRUCell, with linen's; of nnx.GRUCell it looks at the
shape of an output, and tests/nnx/nn/linear_test.py at graph and metadata. Both cells' biases are zero when made, and with zeros
they agree.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

H, x, h = 2, jnp.zeros((1, 3)), jnp.zeros((1, 2))
own = nnx.GRUCell(3, H, rngs=nnx.Rngs(0))
theirs = nn.GRUCell(H).init(jax.random.key(0), h, x)["params"]
biases = sum(v.size for path, v in jax.tree.leaves_with_path(nnx.state(own, nnx.Param)) if "bias" in jax.tree_util.keystr(path))
in_linen = sum(layer["bias"].size for layer in theirs.values() if "bias" in layer)
print(f"biases of nnx.GRUCell: {biases}, of linen.GRUCell: {in_linen}, of the equation: {4 * H}")


def n_of(b_r):
    """n of nnx's cell at h = 0 and x = 0, from h' = (1 - z) n with z = 1/2; all its other biases are 0.7"""
    own.dense_i.bias[...] = jnp.array([b_r] * H + [0.0] * H + [0.7] * H)
    return 2 * np.asarray(own(h, x)[0])[0, 0]


def n_of_linen(b_r):
    theirs["ir"]["bias"], theirs["in"]["bias"], theirs["hn"]["bias"] = (jnp.full(H, v) for v in (b_r, 0.7, 1.0))
    return 2 * np.asarray(nn.GRUCell(H).apply({"params": theirs}, h, x)[0])[0, 0]


for b_r in (-2.0, 2.0):
    r = 1 / (1 + np.exp(-b_r))
    print(f"r = {r:.3f}: nnx {n_of(b_r):.6f}, linen {n_of_linen(b_r):.6f}, equation with b_hn = 1 {np.tanh(0.7 + r):.6f}")
    assert abs(n_of_linen(b_r) - np.tanh(0.7 + r)) < 1e-5
assert biases == 3 * H
assert n_of(-2.0) == n_of(2.0)
