"""``python -m torch_impl.export``: a trained model as an ONNX file."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
