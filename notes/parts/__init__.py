"""Notes on the parts."""
