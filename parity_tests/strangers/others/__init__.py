"""Libraries that stand alone."""
