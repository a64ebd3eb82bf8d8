"""What becomes of a gradient over time, and other ways to it."""
