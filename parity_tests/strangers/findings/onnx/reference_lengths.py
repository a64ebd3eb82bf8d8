"""onnx 1.23.2: ReferenceEvaluator ignores sequence_lens of RNN, GRU and LSTM.

What: with sequence_lens [1, 3] the first of two equal sequences gets the outputs and the final state of three steps, those of the
second.  The operators say that sequence_lens "specify the lengths of the sequences in a batch".

Witness: the same node run on the first step of the first sequence alone, and the equation of an RNN's step in NumPy.

Upstream: no thread was found in a search of its issues; PR #7935 added the directions, which were ignored before. The argument
is there and unused in onnx/reference/ops/op_rnn.py, op_gru.py and op_lstm.py, marked "noqa: ARG002".

Their tests: of the node tests in the installed package (onnx/backend/test/case/node) only test_lstm_with_peepholes gives
sequence_lens, and all of them are the number of steps; test_gru_seq_length and test_rnn_seq_length give none.
"""

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def run(op, x, lengths):
    """Y_h of one unit, all of its weights a half"""
    node = helper.make_node(op, ["x", "w", "r", "", "lengths"], ["", "h"], hidden_size=1)
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xwr"]
    inputs.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, None))
    graph = helper.make_graph([node], op, inputs, [helper.make_tensor_value_info("h", TensorProto.FLOAT, None)])
    w = np.full((1, GATES[op], 1), 0.5, np.float32)
    given = {"x": x, "w": w, "r": w, "lengths": np.array(lengths, np.int32)}
    return ReferenceEvaluator(helper.make_model(graph)).run(None, given)[0].ravel()


x = np.ones((3, 2, 1), np.float32)
for op in GATES:
    together, alone = run(op, x, [1, 3]), run(op, x[:1, :1], [1])
    print(f"{op}: final states with lengths [1, 3]: {together}; of the first sequence alone: {alone}")
    assert together[0] == together[1]
    assert abs(together[0] - alone[0]) > 0.1
    assert op != "RNN" or abs(alone[0] - np.tanh(0.5)) < 1e-6
