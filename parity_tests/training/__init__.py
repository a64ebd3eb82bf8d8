"""Cases, faults and tests of training."""
