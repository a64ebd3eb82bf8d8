"""Opacus 1.6.0: DPRNN, DPGRU and DPLSTM return final states in float32 where a packed sequence is in float64.

What: a DPLSTM in float64 given a packed sequence in float64 returns outputs in float64 and h_n and c_n in float32, so half of their
digits are lost, and so are those of gradients that pass through them.  Given a tensor it returns all in float64.

Witness: torch.nn.LSTM with the same weights returns float64; the outputs at the last steps, which are h_n, differ from it.

Upstream: no thread was found in a search of its issues. opacus/layers/dp_rnn.py makes h_last and c_last with
torch.zeros(max_batch_size, self.hidden_size), without a dtype or a device.

Their tests: opacus/tests/dp_layers/dp_rnn_test.py compares outputs and final states, for packed sequences too, with torch.nn's,
but makes all layers and inputs in float32. So does opacus/tests/grad_samples/dp_rnn_test.py, which looks at gradients.
"""

import torch
from opacus.layers import DPGRU, DPLSTM, DPRNN
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(0)
x = torch.randn(5, 2, 3, dtype=torch.float64)
packed = pack_padded_sequence(x, torch.tensor([5, 3]))
for kind, theirs in ((DPRNN, torch.nn.RNN), (DPGRU, torch.nn.GRU), (DPLSTM, torch.nn.LSTM)):
    layer, right = kind(3, 4).double(), theirs(3, 4, dtype=torch.float64)
    layer.load_state_dict(right.state_dict())
    y, state = layer(packed)
    h_n = (state[0] if kind is DPLSTM else state)[0]
    y = pad_packed_sequence(y)[0]
    last = torch.stack([y[4, 0], y[2, 1]])
    error = (h_n - last).abs().max().item()
    print(f"{kind.__name__}: y {y.dtype}, h_n {h_n.dtype}, wrong by {error:.1e}; torch.nn's {right(packed)[1][0].dtype}")
    assert y.dtype == right(packed)[1][0].dtype == torch.float64
    assert h_n.dtype == torch.float32
    assert 1e-10 < error < 1e-6
