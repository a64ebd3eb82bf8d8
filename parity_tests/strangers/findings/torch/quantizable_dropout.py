"""torch 2.13.0: torch.ao.nn.quantizable.LSTM has no dropout, though it takes the argument.

What: quantizable.LSTM(3, 4, num_layers=2, dropout=0.5) in training mode gives the same outputs at each call, and so does one with
dropout=1; from_float takes the dropout of a torch.nn.LSTM over and does not use it either.  The constructor checks the
argument, and warns if there is one layer only.

Witness: torch.nn.LSTM with the same weights: with dropout=1 its second layer is given zeros, and its outputs are others.

Upstream: no thread was found in a search of its issues. self.dropout is set in torch/ao/nn/quantizable/modules/rnn.py and read
nowhere in it but in from_float.

Their tests: test_custom_module_lstm in test/quantization/core/test_quantized_op.py sets dropout to 0, with the comment "This is
not supported", and compares in evaluation mode.
"""

import warnings

import torch
from torch.ao.nn import quantizable

warnings.simplefilter("ignore")  # torch.ao is deprecated
torch.manual_seed(0)
x = torch.randn(5, 2, 3)
for p in (0.5, 1.0):
    theirs = torch.nn.LSTM(3, 4, num_layers=2, dropout=p)
    theirs.qconfig = None
    layer = quantizable.LSTM.from_float(theirs)
    first, second, by_nn = layer(x)[0], layer(x)[0], theirs(x)[0]
    without = theirs.eval()(x)[0]
    print(f"dropout={p}, layer.dropout {layer.dropout}, training {layer.training}: twice the same {bool((first == second).all())}")
    print(f"  from no dropout {(first - without).abs().max():.1e}, torch.nn.LSTM in training {(by_nn - without).abs().max():.1e}")
    assert layer.training
    assert layer.dropout == p
    assert (first - without).abs().max() < 1e-6
    assert (by_nn - without).abs().max() > 1e-3
