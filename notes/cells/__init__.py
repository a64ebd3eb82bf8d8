"""Notes on the cells."""
