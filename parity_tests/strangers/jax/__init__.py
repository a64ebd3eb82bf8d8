"""Libraries on JAX."""
