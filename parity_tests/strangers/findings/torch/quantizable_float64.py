"""torch 2.13.0: torch.ao.nn.quantizable.LSTM in float64 raises when no initial state is given.

What: quantizable.LSTM(3, 4, dtype=torch.float64) called with a float64 tensor alone: RuntimeError, "mat1 and mat2 must have the
same dtype".  The state that it makes by itself is always float32.  With a state of zeros in float64 the call is right.

Witness: the same call with the zeros given, and torch.nn.LSTM with the same weights.

Upstream: no thread was found in a search of its issues. torch/ao/nn/quantizable/modules/rnn.py makes the zeros with
dtype=torch.float.

Their tests: test_custom_module_lstm in test/quantization/core/test_quantized_op.py gives no initial state, and is in float32;
test_static_lstm_with_custom_fixed_qparams gives states, in float32 too.
"""

import warnings

import torch
from torch.ao.nn import quantizable

warnings.simplefilter("ignore")  # torch.ao is deprecated
torch.manual_seed(0)
theirs, layer = torch.nn.LSTM(3, 4, dtype=torch.float64), quantizable.LSTM(3, 4, dtype=torch.float64)
with torch.no_grad():
    for name, gates in (("ih", layer.layers[0].layer_fw.cell.igates), ("hh", layer.layers[0].layer_fw.cell.hgates)):
        gates.weight.copy_(getattr(theirs, f"weight_{name}_l0"))
        gates.bias.copy_(getattr(theirs, f"bias_{name}_l0"))
x = torch.randn(5, 2, 3, dtype=torch.float64)
zeros = torch.zeros(1, 2, 4, dtype=torch.float64)
error = (layer(x, (zeros, zeros))[0] - theirs(x)[0]).abs().max().item()
print(f"with a state of zeros: {error:.1e} from torch.nn.LSTM")
assert error < 1e-14
try:
    layer(x)
    raised = ""
except RuntimeError as e:
    raised = str(e)
print("without a state:", raised or "no error")
assert "same dtype" in raised
