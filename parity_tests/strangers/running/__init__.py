"""Judging libraries by others: an environment for each, the judge in it, and what became of it as a file."""
