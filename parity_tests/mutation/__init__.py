"""Wrong implementations, and what runs them: the test of the suite."""
