"""MindSpore 2.10.0: with NumPy 2, which its wheel admits, the first call of a layer in a process raises SystemError.

What: the wheel asks for numpy>=1.25.0 and says as it starts that it was compiled for NumPy 1.  With NumPy 2 the first call of
nn.RNN, on the CPU in PyNative mode, raises SystemError, "returned a result with an exception set".  The second call does not.

Witness: the second call, and the requirement in the wheel's metadata.

Upstream: no thread was found in a search of its issues on GitHub.

Their tests: not known: nothing says which NumPy they run with.
"""

from importlib.metadata import requires

import mindspore
import numpy as np

mindspore.set_context(mode=mindspore.PYNATIVE_MODE, device_target="CPU")
layer, x = mindspore.nn.RNN(3, 2), mindspore.Tensor(np.zeros((4, 1, 3), np.float32))
print("NumPy", np.__version__, "where", next(r for r in requires("mindspore") if r.startswith("numpy")), "is asked for")
raised = []
for call in (1, 2):
    try:
        layer(x)
        raised.append("")
    except SystemError as e:
        raised.append(f"SystemError, ... returned {str(e).rpartition(' returned ')[2]}")
    print(f"call {call}:", raised[-1] or "no error")
assert raised[0]
assert not raised[1]
