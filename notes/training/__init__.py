"""Notes on training."""
