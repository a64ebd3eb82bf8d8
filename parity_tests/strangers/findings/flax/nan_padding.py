"""Flax 0.12.8: a NaN past the end of a sequence makes every gradient of nn.RNN NaN, though seq_lengths promises to ignore it.

What: linen's nn.RNN says of seq_lengths that elements past a length "will be considered padding and will be ignored".  Outputs and
final states ignore it, gradients do not: the cell is run over the padding as well, and in the backward a zero from above is
multiplied by the slope at NaN.  Zeros in the padding give the right gradient.

Witness: the same call with zeros in the padding, whose loss is equal, and central differences of that loss.

Upstream: no thread was found in a search of its issues.

Their tests: tests/linen/linen_recurrent_test.py and tests/nnx/nn/recurrent_test.py take no gradient and hold no NaN. Of linen's
with lengths, test_numerical_equivalence_with_mask compares outputs and final states of an input that is 1 everywhere, the
padding too.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

x, lengths = np.random.default_rng(0).standard_normal((2, 4, 3)), jnp.array([4, 2])
padded, zeroed = x.copy(), x.copy()
padded[1, 2:], zeroed[1, 2:] = np.nan, 0
rnn = nn.RNN(nn.LSTMCell(5, param_dtype=jnp.float64), return_carry=True)
params = rnn.init(jax.random.key(0), zeroed)


@jax.jit
def loss(params, x):
    (_, h), _ = rnn.apply(params, x, seq_lengths=lengths)
    return (h**2).sum()


kernel = params["params"]["cell"]["ii"]["kernel"]
step, at = 1e-6, kernel.at[0, 0]
moved = [jax.tree.map(lambda v, to=to: v if v is not kernel else to, params) for to in (at.add(step), at.add(-step))]
difference = float((loss(moved[0], padded) - loss(moved[1], padded)) / (2 * step))
of_nan, of_zero = (jax.grad(loss)(params, v)["params"]["cell"]["ii"]["kernel"] for v in (padded, zeroed))
print(f"loss: NaN in the padding {loss(params, padded):.6f}, zeros {loss(params, zeroed):.6f}")
print(f"gradient of one weight: NaN {of_nan[0, 0]:.6f}, zeros {of_zero[0, 0]:.6f}, central differences {difference:.6f}")
assert abs(difference - of_zero[0, 0]) < 1e-6
assert np.isnan(of_nan).all()
