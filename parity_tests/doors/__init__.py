"""What a person can do at the doors of this project, right or wrong, and what must come of it."""
