"""Keras on each of its backends, and TensorFlow."""
