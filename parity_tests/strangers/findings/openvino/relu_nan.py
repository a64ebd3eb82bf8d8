"""OpenVINO 2026.4.1: an RNN with relu makes a NaN 0 on the CPU.

What: RNNSequence with activation relu, of one step whose input is NaN, answers 0; with tanh it answers NaN.  The operation ReLU by
itself answers 0 too, and so does Maximum of NaN and 0.

Witness: the equation, in which the output depends on the NaN; NumPy's maximum.

Upstream: openvinotoolkit/openvino #35649, open, of ReLU alone; #35758, #36197 and #36210 of the same are closed.

Their tests: nothing in src/tests/functional/shared_test_classes/src/single_op (rnn_sequence.cpp, rnn_cell.cpp, activation.cpp) and
src/plugins/intel_cpu/tests/functional/custom/single_layer_tests (rnn_sequence.cpp, rnn_cell.cpp) is NaN, and ReLU's numbers
begin at 0.
"""

import numpy as np
import openvino
from openvino import opset15 as op

NAN = np.full((1, 1, 1), np.nan, np.float32)
HALF, ZERO, ONE_STEP = np.full((1, 1, 1), 0.5, np.float32), np.zeros((1, 1), np.float32), np.array([1], np.int32)


def run(function):
    """What a program answers to NaN, its weights a half"""
    x = op.parameter([1, 1, 1], np.float32)
    model = openvino.Model([op.result(function(x))], [x], "one")
    program = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return float(program([NAN])[0].ravel()[0])


def sequence(activation):
    """One step of RNNSequence"""
    w, state = op.constant(HALF), op.constant(ZERO[None])
    return run(
        lambda x: op.rnn_sequence(
            x, state, op.constant(ONE_STEP), w, w, op.constant(ZERO), 1, "forward", activations=[activation]
        ).output(0)
    )


answers = {f"RNNSequence, {a}": sequence(a) for a in ("relu", "tanh")}
answers["ReLU alone"] = run(lambda x: op.relu(x).output(0))
answers["Maximum with 0"] = run(lambda x: op.maximum(x, op.constant(ZERO[None])).output(0))
answers["NumPy's maximum"] = float(np.maximum(NAN, 0).item())
print(*(f"{name}: {value}" for name, value in answers.items()), sep="\n")
assert answers["RNNSequence, relu"] == answers["ReLU alone"] == 0
assert np.isnan(answers["RNNSequence, tanh"])
