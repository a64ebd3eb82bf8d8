"""The training of the twins."""
