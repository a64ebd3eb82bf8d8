"""Keras 3.15.1: a GRU without a bias raises with the JAX backend where 64-bit numbers are enabled.

What: GRU(use_bias=False, dtype="float32"), with reset_after and no mask, raises TypeError once jax_enable_x64 is set: "scan body
function carry input and carry output must have equal types".  keras/src/backend/jax/rnn.py puts ``jnp.zeros(3 * hidden_size)``
for the bias that is not there, which is float64 then.  With a bias, or with a mask, the same layer runs.

Witness: the same layer with use_bias=True, and with a mask of ones, which take no such zeros.

Upstream: no thread was found; keras PR #22401 brought the JAX backend's own GRU.

Their tests: not known; the fault needs jax_enable_x64, or another default dtype than the layer's.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)

x = np.ones((2, 3, 4), np.float32)
print("with a bias:", keras.layers.GRU(5, dtype="float32")(x).dtype)
print("without, under a mask of ones:", keras.layers.GRU(5, use_bias=False, dtype="float32")(x, mask=np.ones((2, 3), bool)).dtype)
said = ""
try:
    keras.layers.GRU(5, use_bias=False, dtype="float32")(x)
except TypeError as e:
    said = str(e)
print("without:", said)
assert "carry" in said
