"""PaddlePaddle 3.3.1: the gradient with respect to x of nn.GRU is NaN where the reset gate is 0 in the numbers of its dtype.

What: one unit, one step, an argument of the reset gate of -200 in float32 or -1000 in float64, where its sigmoid is 0: dx is
NaN.  At -50 it is right.  The forward is right.  In float32 the gate is 0 from about -89 on.

Witness: central differences of paddle's own forward, which are finite.

Upstream: no thread was found in a search of its issues.

Their tests: test/legacy_test/test_gru_rnn_op.py checks gradients, for inputs within 0.1 of zero and weights and biases of
test/rnn/rnn_numpy.py, uniform within 1/sqrt(hidden size) of zero, with 2 and 8 units: an argument of a gate stays below 4
there.
"""

import numpy as np
import paddle

paddle.set_device("cpu")


def gradient(dtype, argument):
    """(dy/dx by paddle, by central differences) of a GRU of one unit whose gates see x, its reset gate ``argument`` besides"""
    paddle.set_default_dtype(dtype)
    layer = paddle.nn.GRU(1, 1)
    named = dict(layer.named_parameters())
    named["weight_ih_l0"].set_value(np.array([[0], [0.5], [0.5]], dtype))
    named["weight_hh_l0"].set_value(np.array([[0], [0.5], [0.5]], dtype))
    named["bias_ih_l0"].set_value(np.array([argument, 0, 0], dtype))
    named["bias_hh_l0"].set_value(np.array([0, 0, 0.5], dtype))
    h = paddle.to_tensor(np.full((1, 1, 1), 0.25, dtype))

    def y(v):
        x = paddle.to_tensor(np.full((1, 1, 1), v, dtype), stop_gradient=False)
        return layer(x, h)[0], x

    out, x = y(0.3)
    out.backward()
    return x.grad.item(), (y(0.31)[0].item() - y(0.29)[0].item()) / 0.02


for dtype, near, far in (("float32", -50, -200), ("float64", -50, -1000)):
    for argument in (near, far):
        by_paddle, by_differences = gradient(dtype, argument)
        print(f"{dtype}, reset gate sigmoid({argument}): dy/dx {by_paddle:.6g} by paddle, {by_differences:.6g} by differences")
        assert abs(by_differences) > 0.1
        assert np.isnan(by_paddle) if argument == far else abs(by_paddle - by_differences) < 1e-3
