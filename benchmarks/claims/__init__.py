"""What README.md and the notes say of measured times, each held against the result files."""
