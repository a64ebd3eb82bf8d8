"""``python -m torch_impl.forecast``: the application of reference/forecast in PyTorch."""
