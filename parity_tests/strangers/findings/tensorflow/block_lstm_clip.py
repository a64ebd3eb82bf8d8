"""TensorFlow 2.21.0: the gradient of BlockLSTM leaves out that the cell state was clipped, which it is by default.

What: tf.raw_ops.BlockLSTM clips the cell state to [-cell_clip, cell_clip], 3 by default.  Where it has clipped, cs is constant and
the gradient through it is zero; BlockLSTMGrad, which is not told of cell_clip, sends it on as if nothing had been clipped.
With one unit whose cell state is 3 at its clip, the gradient of h with respect to x is far from zero where it is near it.

Witness: central differences of the forward in float32, with steps that are far above its rounding.

Upstream: no thread was found in a search of its issues. tensorflow/python/ops/rnn_grad.py does not pass cell_clip on.

Their tests: testBlockLSTMV1V2Consistency in tensorflow/python/ops/rnn_grad_test.py, the one that takes BlockLSTM's gradient,
sets cell_clip=0.0; in TensorFlow 1 tensorflow/contrib/rnn/python/kernel_tests/lstm_ops_test.py compared gradients with
cell_clip=0.
"""

import numpy as np
import tensorflow as tf

zeros = tf.zeros(1)
given = {
    "wci": zeros,
    "wcf": zeros,
    "wco": zeros,
    "b": tf.zeros(4),
    "h_prev": tf.zeros((1, 1)),
    "seq_len_max": tf.constant(1, tf.int64),
}
w = tf.constant([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])  # x goes into the candidate alone; gates i, c, f, o


def cell_state(x, c, **options):
    """cs of one step, one sequence and one unit"""
    return tf.raw_ops.BlockLSTM(x=tf.reshape(x, (1, 1, 1)), cs_prev=tf.reshape(c, (1, 1)), w=w, **given, **options)[1][0, 0, 0]


def both(c, **options):
    """The gradient with respect to x by GradientTape and by central differences"""
    x = tf.constant(0.1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = cell_state(x, c, **options)
    step = np.float32(2**-6)
    return (
        y.numpy(),
        tape.gradient(y, x).numpy(),
        (cell_state(x + step, c, **options) - cell_state(x - step, c, **options)).numpy() / (2 * step),
    )


for c in (1.0, 5.0):
    print("cell state before {:.0f}, after {:.4f}: gradient {:.4f}, central differences {:.4f}".format(c, *both(c)))
_, unclipped, by_differences = both(1.0)
assert abs(unclipped - by_differences) < 1e-3
_, clipped, by_differences = both(5.0)
assert by_differences == 0
assert clipped > 0.4
