"""Tests of the vectors, of both checkers, and of the node tests."""
