"""``python -m torch_impl.char_lm``: the application of reference/char_lm in PyTorch."""
