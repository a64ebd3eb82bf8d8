"""Joules of a call, where the machine has a counter that may be read."""
