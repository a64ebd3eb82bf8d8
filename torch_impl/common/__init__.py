"""What the twins share: checkpoints, initial weights, sampling, precision."""
