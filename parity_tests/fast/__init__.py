"""Tests of the engine that is written for speed."""
