"""Keras 3.15.1 on JAX: GRU(use_bias=False) raises in every dtype but JAX's default.

What: keras/src/backend/jax/rnn.py adds jnp.zeros(3 * hidden_size) where there is no bias, in JAX's default dtype, not in that of
the layer.  Under the policies mixed_bfloat16 and mixed_float16 the state then turns float32 in the first step, and in float32
with jax_enable_x64 it turns float64: "TypeError: scan body function carry input and carry output must have equal types".

Witness: the same layers with use_bias=True, and a GRU without a bias in float32 before float64 is switched on, raise nothing.

Upstream: no thread was found; the code came with keras-team/keras PR #22401, merged in April 2026.

Their tests: keras/src/layers/rnn/gru_test.py has one GRU without a bias, in test_correctness, in float32, and no test of theirs
sets jax_enable_x64 to True. test_basics, whose run_layer_test calls a layer in mixed_float16 too, makes layers with a bias.
"""

import os

os.environ |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}

import jax
import keras
import numpy as np

x = np.zeros((2, 4, 3), "float32")


def raises(dtype, bias):
    try:
        keras.layers.GRU(5, dtype=dtype, use_bias=bias)(x)
    except TypeError as error:
        return "carry output must have equal types" in str(error)
    return False


found = {}
for x64 in (False, True):
    jax.config.update("jax_enable_x64", x64)
    for dtype in ("float32", "mixed_bfloat16", "mixed_float16"):
        for bias in (True, False):
            found[dtype, x64, bias] = raises(dtype, bias)
print(f"Keras {keras.__version__} on JAX {jax.__version__}: GRU raises TypeError with")
for (dtype, x64, bias), bad in found.items():
    if bad:
        print(f"  {dtype}, use_bias={bias}, jax_enable_x64={x64}")
assert not any(bad for (_, _, bias), bad in found.items() if bias)
assert not found["float32", False, False]
assert found["float32", True, False]
assert found["mixed_bfloat16", False, False]
assert found["mixed_float16", False, False]
