"""Chainer 7.8.1: the docstring of n_step_lstm has the output gate and the candidate exchanged.

What: chainer.functions.n_step_lstm and n_step_bilstm say that W2 and W6 are the output gate's weights, W3 and W7 the candidate's.
What is computed has them the other way round: i f a o.  Who loads weights by the docstring gets numbers that are wrong
by as much as they are large, and no error.

Witness: the docstring's equations in NumPy, in both orders.

Upstream: chainer/chainer #8579 of 2020, closed as stale.

Their tests: test_function_n_step_lstm.py in tests/chainer_tests/functions_tests/rnn_tests has equations of its own, with the
gates as they are computed; nothing reads the docstring.
"""

import numpy as np

vars(np)["sctypes"] = {"int": [np.int32, np.int64], "float": [np.float16, np.float32, np.float64]}  # which NumPy 2 has no more
import chainer.functions as functions  # noqa: E402

rng = np.random.default_rng(0)
I, H = 3, 2
w = [rng.standard_normal((H, I if k < 4 else H)) for k in range(8)]
b = [rng.standard_normal(H) for _ in range(8)]
x, h, c = rng.standard_normal((1, I)), rng.standard_normal((1, H)), rng.standard_normal((1, H))
_, _, (y,) = functions.n_step_lstm(1, 0.0, h[None], c[None], [w], [b], [x])


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def step(i, f, o, a):
    """One step, by which of the matrices belongs to which gate"""
    gate = [x @ w[k].T + h @ w[k + 4].T + b[k] + b[k + 4] for k in range(4)]
    return sigmoid(gate[o]) * np.tanh(sigmoid(gate[f]) * c + sigmoid(gate[i]) * np.tanh(gate[a]))


wrong = {order: np.abs(y.array - step(*at)).max() for order, at in {"i f o a": (0, 1, 2, 3), "i f a o": (0, 1, 3, 2)}.items()}
print(*(f"order {order}: differs by {error:.1e}" for order, error in wrong.items()), sep="\n")
assert wrong["i f o a"] > 0.1
assert wrong["i f a o"] < 1e-12
