"""What is printed for people fits whoever reads it, however narrow."""
