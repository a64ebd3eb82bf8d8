"""``python -m torch_impl.convert``: the command of reference/convert, with PyTorch's files."""
