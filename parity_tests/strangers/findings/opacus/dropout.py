"""Opacus 1.6.0: DPRNN, DPGRU and DPLSTM apply dropout to the state and to the last layer, and in a single layer too.

What: they are offered as drop-in replacements of torch.nn's layers, and warn that dropout is applied "after all but last recurrent
layer".  With dropout=1 torch.nn's second layer is given zeros and answers with its biases; theirs returns zeros alone, as what
a cell returns is dropped before it becomes an output and before it becomes the state of the next step.  A DPRNN of one layer
returns zeros as well.

Witness: torch.nn's layers with the same weights, where masks with dropout=1 are not a matter of chance.

Upstream: no thread was found in a search of its issues. In opacus/layers/dp_rnn.py forward_layer has dropout inside of its loop
over the steps, in every layer.

Their tests: opacus/tests/dp_layers/dp_rnn_test.py compares with torch.nn's layers, and opacus/tests/grad_samples/dp_rnn_test.py
tests gradients of samples; neither gives a dropout. dp_multihead_attention_test.py beside the first says of its dropout of 0
that it is "Untestable between two different implementations".
"""

import warnings

import torch
from opacus.layers import DPGRU, DPLSTM, DPRNN

warnings.simplefilter("ignore")
torch.manual_seed(0)
x = torch.randn(5, 2, 3)
for kind, theirs in ((DPRNN, torch.nn.RNN), (DPGRU, torch.nn.GRU), (DPLSTM, torch.nn.LSTM)):
    for layers in (1, 2):
        layer, right = kind(3, 4, layers, dropout=1.0), theirs(3, 4, layers, dropout=1.0)
        layer.load_state_dict(right.state_dict())
        found, wanted = layer(x)[0].abs().max().item(), right(x)[0].abs().max().item()
        print(f"{kind.__name__}, {layers} layers, dropout=1: max|y| {found:.3f}, torch.nn's {wanted:.3f}")
        assert found == 0
        assert wanted > 0.1
