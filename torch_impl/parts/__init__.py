"""The parts of models in PyTorch."""
