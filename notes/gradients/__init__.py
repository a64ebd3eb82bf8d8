"""Notes on gradients."""
