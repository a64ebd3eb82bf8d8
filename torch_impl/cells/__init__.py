"""The cells in PyTorch, six ways and more."""
