"""What becomes of a gradient, in PyTorch."""
