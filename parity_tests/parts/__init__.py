"""Cases, faults and tests of the parts."""
