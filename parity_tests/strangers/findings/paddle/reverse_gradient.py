"""PaddlePaddle 3.3.1: gradients of the reverse direction are wrong where sequences end early and an initial state is given.

What: nn.SimpleRNN, nn.GRU and nn.LSTM with direction="bidirect", sequence_length=[1, 2] and initial states, on the CPU.
The forward is right.  The gradient of weight_hh_l0_reverse is not, in all three.  With equal lengths, or without initial states,
it is right to 1e-9.

Witness: central differences of paddle's own forward in float64.

Upstream: no thread was found in a search of its issues, in English and Chinese.

Their tests: test_rnn_op.py, test_gru_rnn_op.py and test_simple_rnn_op.py in test/legacy_test check gradients with initial
states of zeros, and with zeros the error measured here is 1e-10 or less; of the three only the first has two directions with
unequal lengths. test/rnn/test_rnn_nets.py gives random initial states, and compares forwards alone.
"""

import numpy as np
import paddle

paddle.set_device("cpu")
paddle.set_default_dtype("float64")


def wrong_by(cell, lengths, given):
    """max |paddle's gradient of weight_hh_l0_reverse - central differences|"""
    rng = np.random.default_rng(0)
    layer = getattr(paddle.nn, cell)(1, 1, direction="bidirect")
    for p in layer.parameters():
        p.set_value(rng.standard_normal(p.shape))
    x, h = paddle.to_tensor(rng.standard_normal((2, 2, 1))), paddle.to_tensor(rng.standard_normal((2, 2, 1)))
    state = None if not given else (h, h) if cell == "LSTM" else h
    upstream = np.array([[[1, 0.5], [0, 0]], [[-0.5, 1], [2, -1]]])  # none at the step that the first sequence does not have
    w = dict(layer.named_parameters())["weight_hh_l0_reverse"]

    def loss():
        y, _ = layer(x, state, sequence_length=paddle.to_tensor(np.array(lengths, "int32")))
        return (y * paddle.to_tensor(upstream)).sum()

    loss().backward()
    gradient, value, differences = w.grad.numpy(), w.numpy(), np.zeros(w.shape)
    for at in np.ndindex(*w.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = value.copy()
            moved[at] += step
            w.set_value(moved)
            sides.append(float(loss()))
        differences[at] = (sides[0] - sides[1]) / 2e-6
    return np.abs(gradient - differences).max()


wrong = []
for cell in ("SimpleRNN", "GRU", "LSTM"):
    for lengths in ([2, 2], [1, 2]):
        for given in (False, True):
            error = wrong_by(cell, lengths, given)
            print(f"{cell:9} lengths {lengths}, initial state {'given' if given else 'not given'}: wrong by {error:.1e}")
            wrong.append(error > 1e-3)
assert wrong == [False, False, False, True] * 3
