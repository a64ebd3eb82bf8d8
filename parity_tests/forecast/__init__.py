"""Tests of the forecaster's application on both sides."""
