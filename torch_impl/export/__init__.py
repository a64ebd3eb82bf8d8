"""``python -m torch_impl.export``: a trained model as ONNX."""
