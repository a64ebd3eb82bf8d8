"""Libraries by others, each timed beside torch.nn's layer in an environment of its own."""
