"""Cases, faults and tests of the models."""
