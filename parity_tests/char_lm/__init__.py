"""Tests of the character model on both sides."""
