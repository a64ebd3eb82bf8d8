"""Cases, faults and tests of the gradients chapter."""
