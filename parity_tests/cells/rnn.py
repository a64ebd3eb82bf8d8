"""Faults of reference/cells/rnn.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("recurrent bias left out", "step_forward", "a_x + h @ p.W_hh.T + p.b_hh", "a_x + h @ p.W_hh.T", "R1",
          "numpy-ml #42: all tests had zero biases"),
    Fault("recurrent matrix transposed", "step_forward", "h @ p.W_hh.T", "h @ p.W_hh", "R1"),
    Fault("nonlinearity option ignored", "step_forward", 'np.tanh(a) if nonlinearity == "tanh" else relu(a)', "np.tanh(a)", "R2",
          kinds=("rnn-relu",)),
    Fault("derivative of tanh is 1 - h", "step_backward", "1 - h**2", "1 - h", "R2*", kinds=("rnn",)),
    Fault("derivative taken at the state before the step", "deltas", "k.h[t + 1]", "k.h[t]", "R2*"),
    Fault("derivative of relu is 1 everywhere", "step_backward", "np.where(h.real <= 0, 0, dh)", "dh", "R2*", kinds=("rnn-relu",)),
    Fault("recurrent matrix transposed in backward", "step_backward", "da @ p.W_hh", "da @ p.W_hh.T", "R1*"),
    Fault("only the last output's gradient used", "deltas", "dh[t + 1] += dy[t]", "dh[t + 1] += dy[t] * (t == len(dy) - 1)", "R1*"),
    Fault("gradient of the final state ignored", "deltas", "dh[-1] = ds.h", "dh[-1] = 0", "R1*"),
    Fault("recurrent weights paired with the new state", "backward", "rows(k.h[:-1])", "rows(k.h[1:])", "R1*"),
    Fault("gradient cut in the middle of the sequence", "deltas", "dh[t + 1] += dy[t]",
          "dh[t + 1] = dy[t] + dh[t + 1] * (t != 1)", "R1*", "pytorch #49236: detaching too much"),
    Fault("time shift of the upstream gradient", "deltas", "dh[t + 1] += dy[t]", "dh[t + 1] += dy[t - 1]", "R1*"),
    Fault("input features past the hidden size not read", "forward", "rows(x) @ p.W_ih.T",
          "rows(x)[:, : len(p.W_hh)] @ p.W_ih[:, : len(p.W_hh)].T", source="allennlp PR #356: only where I is above H"),
    Fault("steps past 64 computed from the state of step 64", "forward", "h[t]", "h[min(t, 64)]",
          source="pytorch #133751: a block of steps"),
    Fault("gradient cut every 64 steps", "deltas", "da[t], dh[t] = step_backward(k.p, dh[t + 1], k.h[t + 1], k.nonlinearity)",
          "da[t], dh[t] = step_backward(k.p, dh[t + 1], k.h[t + 1], k.nonlinearity)\ndh[t] *= bool(t % 64) or t == 0",
          source="pytorch #49236: detaching too much, seen only where a gradient lives so long"),
    Fault("NaN of a relu becomes zero", "step_forward", "relu(a)", "np.where(a > 0, a, 0)", shows="non-finite",
          source="burn #5609, mxnet #11115", kinds=("rnn-relu",)),
]
