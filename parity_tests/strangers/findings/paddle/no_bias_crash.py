"""PaddlePaddle 3.3.1: a layer without biases ends the process on the CPU, or cannot be built.

What: nn.SimpleRNN(3, 6, bias_ih_attr=False, bias_hh_attr=False), one call: Segmentation fault; nn.LSTM and nn.GRU likewise.
With two layers or two directions the constructor raises IndexError.  The documentation of both arguments says that False means
no bias.

Witness: the exit status of a process that does nothing else; the same call with biases returns.

Upstream: PaddlePaddle/Paddle #70231, open. In python/paddle/nn/layer/rnn.py flatten_parameters takes weight number i to belong
to layer i // 4: it counts four parameters to each layer, and there are two.

Their tests: test/rnn/test_rnn_cells.py makes cells without biases; test/rnn/test_rnn_nets.py makes layers, all with biases, and
test_rnn_op.py, test_gru_rnn_op.py and test_simple_rnn_op.py in test/legacy_test give the operator biases. A test of a later
state, TestGRUAPI, makes a GRU of two layers without biases; it also gives arguments that 3.3.1's GRU does not have.
"""

import subprocess
import sys

CALL = """
import paddle
paddle.set_device("cpu")
layer = paddle.nn.{cell}(3, 6, {options})
layer(paddle.ones([4, 5, 3]))
"""
NONE = "bias_ih_attr=False, bias_hh_attr=False"


def run(cell, options):
    """How the process ended, and the last line of what it said."""
    done = subprocess.run([sys.executable, "-c", CALL.format(cell=cell, options=options)], capture_output=True, encoding="utf-8")
    print(f"{cell}(3, 6, {options}): status {done.returncode}")
    return done.returncode, done.stderr


for cell in ("SimpleRNN", "LSTM", "GRU"):
    assert run(cell, "")[0] == 0
    assert run(cell, NONE)[0] < 0  # a signal
    status, said = run(cell, f"num_layers=2, {NONE}")
    assert status == 1
    assert "IndexError: list assignment index out of range" in said
