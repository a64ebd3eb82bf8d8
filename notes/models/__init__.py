"""Notes on the models."""
