"""Tests of how the judge is run."""
