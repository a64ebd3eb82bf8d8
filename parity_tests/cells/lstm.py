"""Faults of reference/cells/lstm.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.catalogue import LSTM, Fault

fault = partial(Fault, "cells/lstm", kinds=LSTM)
# fmt: off
FAULTS = [
    fault("gates read in ONNX's order", "step_forward", "i, f, g, o = split(a_x + h @ p.W_hh.T + p.b_hh, 4)",
          "i, o, f, g = split(a_x + h @ p.W_hh.T + p.b_hh, 4)", "L1",
          "CrispASR PR #106, keras #8720, #15915, candle #2351; onnx node tests cannot see it"),
    fault("input and forget gate exchanged", "step_forward", "i, f, g, o = split(a_x + h @ p.W_hh.T + p.b_hh, 4)",
          "f, i, g, o = split(a_x + h @ p.W_hh.T + p.b_hh, 4)", "L1"),
    fault("forget gate has 1 added", "step_forward", "sigmoid(f)", "sigmoid(f + 1)", "L2"),
    fault("hard sigmoid", "step_forward", "sigmoid(i)", "np.clip(i / 5 + 0.5, 0, 1)", "L2"),
    fault("candidate through a sigmoid", "step_forward", "np.tanh(g)", "sigmoid(g)", "L2"),
    fault("old cell state not scaled", "step_forward", "c = f * c + i * g", "c = c + i * g", "L3"),
    fault("output without tanh of the cell state", "step_forward", "h = o * np.tanh(c)", "h = o * c", "L4"),
    fault("initial cell state ignored", "forward", "h[0], c[0] = s", "h[0], c[0] = s.h, 0", "L3",
          "pytorch #94691: tests started from zero states"),
    fault("backward recomputes the gates with the output gate's bias", "deltas", "k.gates[t]",
          "step_forward(k.p._replace(b_hh=np.tile(split(k.p.b_hh, 4)[3], 4)), k.x[t] @ k.p.W_ih.T + k.p.b_ih, k.h[t], k.c[t])[2]",
          "L3*", "numpy-ml #42"),
    fault("output gate's gradient without tanh", "step_backward", "do = dh * u", "do = dh", "L4*"),
    fault("derivative of tanh of the cell state left out", "step_backward", "dc + dh * o * (1 - u**2)", "dc + dh * o", "L4*"),
    fault("cell state's gradient not carried through time", "step_backward", "dc = dc + dh * o * (1 - u**2)",
          "dc = dh * o * (1 - u**2)", "L4*"),
    fault("cell state's gradient carried through the input gate", "step_backward", "dc * f", "dc * i", "L3*"),
    fault("forget gate's gradient from the new cell state", "step_backward", "dc * c_prev", "dc * c", "L3*"),
    fault("derivative of the candidate is 1 - g", "step_backward", "dg * (1 - g**2)", "dg * (1 - g)", "L2*"),
    fault("input and forget gradients exchanged", "step_backward",
          "join(di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o))",
          "join(df * f * (1 - f), di * i * (1 - i), dg * (1 - g**2), do * o * (1 - o))", "L2*"),
    fault("gradient of the final cell state ignored", "deltas", "dh[-1], dc[-1] = ds", "dh[-1], dc[-1] = ds.h, 0", "L3*",
          "pytorch #95137: the backward was wrong and its test was skipped"),
    fault("recurrent bias has no gradient", "backward", "db.copy()", "0 * db", "L1*"),
    fault("biases' gradients doubled", "backward", "db = A.sum(0)", "db = 2 * A.sum(0)", "L1*",
          "pytorch #36905: two bias vectors, one meaning"),
    fault("weight gradients of the last step only", "backward", "A.T @ rows(k.x)", "d.da[-1].T @ k.x[-1]", "L1*"),
    fault("projection left out of the backward", "step_backward", "dh = dh @ p.W_hr",
          "dh = np.pad(dh, [(0, 0), (0, p.W_hr.shape[1] - p.W_hr.shape[0])])", "L5*", kinds=("lstm-proj",)),
    fault("projection's gradient without the recurrent part", "backward", "d.dh[1:]", "dy", "L5*", kinds=("lstm-proj",)),
    fault("projection's gradient from the cell state", "backward", "np.tanh(k.c[1:])", "k.c[1:]", "L5*", kinds=("lstm-proj",)),
    fault("two steps of backward run on one cache", "deltas", "k.c[t + 1]", "k.c[-1]", "L4*"),
]
