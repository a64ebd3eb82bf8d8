"""One implementation against another: a ratio for each case, with an interval."""
