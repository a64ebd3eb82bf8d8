"""MLX 0.32.4: exp and sigmoid of float64 are computed in float32 on the CPU.

What: mx.exp of a float64 array gives a float64 array that holds numbers of float32 only, wrong by up to 1.8e-6 of themselves in
[-20, 20], and infinity above 88, where e^100 is 2.7e43.  mx.sigmoid uses it and is wrong by as much; mx.tanh
is right to 3e-16.  In the judge's cases nn.LSTM and nn.GRU of float64 are wrong likewise, and nn.RNN is right.

Witness: NumPy in longdouble.

Upstream: ml-explore/mlx #3047, open, and #4158. In mlx/backend/cpu/simd/math.h exp of any type starts with a Simd<float, N> of
its argument.

Their tests: test_unary_ops in python/tests/test_double.py (read at v0.32.1) rounds exp of a float64 array to float32 and
compares it with exp in float32, by mx.allclose, whose rtol is 1e-5, on nine normal numbers. sigmoid is not among its
operations.
"""

import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
x = np.linspace(-20, 20, 4001)
exact = x.astype(np.longdouble)
functions = {
    "exp": (mx.exp, np.exp(exact)),
    "sigmoid": (mx.sigmoid, 1 / (1 + np.exp(-exact))),
    "tanh": (mx.tanh, np.tanh(exact)),
}
wrong = {}
for name, (function, right) in functions.items():
    y = np.array(function(mx.array(x, mx.float64)))
    assert y.dtype == np.float64
    wrong[name] = float((np.abs(y - right) / np.maximum(np.abs(right), 1e-300)).max())
    print(f"{name} in float64 is wrong by up to {wrong[name]:.1e} of itself")
narrow = np.array(mx.exp(mx.array(x, mx.float64))).astype(np.float32)
print("exp(100) in float64:", mx.exp(mx.array(100.0, mx.float64)).item(), "and NumPy's", np.exp(100.0))
print("exp in float64 holds numbers of float32 only:", bool((narrow == np.array(mx.exp(mx.array(x, mx.float64)))).all()))
assert wrong["exp"] > 1e-8
assert wrong["sigmoid"] > 1e-8
assert wrong["tanh"] < 1e-15
assert mx.exp(mx.array(100.0, mx.float64)).item() == np.inf
