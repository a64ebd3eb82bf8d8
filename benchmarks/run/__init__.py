"""Running it: candidates, the check, the clock, the machine, the result file."""
