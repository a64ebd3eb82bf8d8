"""What a result file says of the place where it was made, beyond the machine's name and the versions."""
