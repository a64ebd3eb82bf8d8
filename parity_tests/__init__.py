"""Whether an implementation is right."""
