"""TensorFlow 2.21.0: tf.raw_ops.BlockLSTMV2, whose gates are in the order i f c o.  All else as in tensorflow_raw.py."""

import tensorflow as tf

from . import tensorflow_raw


def lstm(*given):
    return tensorflow_raw.lstm(tf.raw_ops.BlockLSTMV2, "ifgo", *given)


def load(spec, weights):
    return tensorflow_raw.Layer(spec, weights, lstm)


def declines(spec):
    """A reason, or None."""
    if spec.cell == "gru":
        return "the same as tensorflow_raw"
    return tensorflow_raw.declines(spec)


def about():
    """Version."""
    return f"TensorFlow {tf.__version__}, BlockLSTMV2"
