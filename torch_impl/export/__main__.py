"""``python -m torch_impl.export``: a trained model as an ONNX file."""

import sys

from .. import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("apps,torch", "torch", "safetensors", "fastjsonschema", "onnx", "onnxruntime")

from reference.common.command import entered

from .command import main

if __name__ == "__main__":
    sys.exit(entered(main))
