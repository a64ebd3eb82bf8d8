"""What runs ONNX models."""
