"""Tests of the engine under Numba."""
