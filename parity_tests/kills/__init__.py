"""Applications that are killed at random moments and resumed: ``python -m parity_tests.kills``."""
