"""Other ways of torch than those of torch_impl, and libraries on it."""
