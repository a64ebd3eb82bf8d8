"""Tests of the floor that both backends share."""
