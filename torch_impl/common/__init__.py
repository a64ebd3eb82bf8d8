"""What the twins share: devices, precision, processes, checkpoints, draws."""
