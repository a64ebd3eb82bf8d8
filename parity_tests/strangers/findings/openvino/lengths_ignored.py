"""OpenVINO 2026.4.1: sequence lengths are ignored on the CPU where the numbers of steps and sequences are not fixed.

What: RNNSequence, GRUSequence and LSTMSequence with sequence_lengths [1, 3] on two equal sequences of three steps.  In a model
whose shapes are fixed the first sequence ends after a step, with zeros after it.  With dynamic shapes it is run to the end: y is
wrong by up to 0.67, and the final states of both sequences are the same.

Witness: OpenVINO itself with fixed shapes, and the equation of a tanh RNN in NumPy.

Upstream: no issue was found.  openvinotoolkit/openvino PR #10710 of 2022 leaves sequences whole where shapes are dynamic, because
the lengths cannot be looked at there, and #18138 keeps that; before, they were taken apart into steps, which know of lengths.

Their tests: those of the CPU plugin with dynamic shapes set every length to the number of steps (rnn_sequence.cpp,
gru_sequence.cpp, lstm_sequence.cpp and seq_native_order.cpp in src/plugins/intel_cpu/tests/functional/custom). Those that draw
lengths at random (src/tests/functional/shared_test_classes/src/single_op) are run on the CPU with fixed shapes.
"""

import numpy as np
import openvino
from openvino import opset15 as op

STEPS, SEQUENCES = 3, 2
CELLS = {"rnn": (op.rnn_sequence, 1), "gru": (op.gru_sequence, 3), "lstm": (op.lstm_sequence, 4)}


def run(cell, fixed):
    """y (sequences, steps) and the final h of one unit, all of its weights a half"""
    function, gates = CELLS[cell]
    T, B = (STEPS, SEQUENCES) if fixed else (-1, -1)
    x, h = op.parameter([B, T, 1], np.float32), op.parameter([B, 1, 1], np.float32)
    lengths = op.parameter([B], np.int32)
    w, b = op.constant(np.full((1, gates, 1), 0.5, np.float32)), op.constant(np.zeros((1, gates), np.float32))
    state = (h, h) if cell == "lstm" else (h,)
    names = {"rnn": ["tanh"], "gru": ["sigmoid", "tanh"], "lstm": ["sigmoid", "tanh", "tanh"]}[cell]
    node = function(x, *state, lengths, w, w, b, 1, "forward", activations=names)
    model = openvino.Model([op.result(node.output(k)) for k in (0, 1)], [x, h, lengths], cell)
    program = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    ones, zeros = np.ones((SEQUENCES, STEPS, 1), np.float32), np.zeros((SEQUENCES, 1, 1), np.float32)
    out = program([ones, zeros, np.array([1, 3], np.int32)])
    return out[0].reshape(SEQUENCES, STEPS), out[1].ravel()


h = [0.0]
for _ in range(STEPS):
    h.append(np.tanh(0.5 + 0.5 * h[-1]))
for cell in CELLS:
    (y, h_n), (y_dynamic, h_n_dynamic) = run(cell, True), run(cell, False)
    print(f"{cell}, fixed shapes:   y of the first sequence {y[0]}, final states {h_n}")
    print(f"{cell}, dynamic shapes: y of the first sequence {y_dynamic[0]}, final states {h_n_dynamic}")
    if cell == "rnn":
        assert np.abs(y - [[h[1], 0, 0], h[1:]]).max() < 1e-6
        assert np.abs(h_n - [h[1], h[3]]).max() < 1e-6
    assert (y[0, 1:] == 0).all()
    assert abs(h_n[0] - y[0, 0]) < 1e-6
    assert h_n_dynamic[0] == h_n_dynamic[1] != h_n[0]
    assert (y_dynamic[0, 1:] != 0).all()
