"""Tests of the cells, the stack and the layers."""
