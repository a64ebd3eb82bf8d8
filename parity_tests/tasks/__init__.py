"""Tests of the tasks on both sides."""
