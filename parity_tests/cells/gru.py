"""Faults of reference/cells/gru.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("reset before the product where after was asked for", "step_forward", "h if reset_after else r * h", "r * h", "G2",
          "pytorch #8153, #20129; keras #3701; tensorflow #43960", kinds=("gru",)),
    Fault("reset after the product where before was asked for", "step_forward", "h if reset_after else r * h", "h", "G2",
          "onnx: linear_before_reset never exercised; onnx2torch PR #256", kinds=("gru-before",)),
    Fault("update gate keeps the candidate, not the old state", "step_forward", "(1 - z) * n + z * h", "z * n + (1 - z) * h",
          "G4", "char-rnn's convention under torch's name; pytorch #99531"),
    Fault("gates read in ONNX's order", "step_forward", "r, z = split(rz, 2)", "r, z = split(rz, 2)[::-1]\nrz = join(r, z)", "G1",
          "keras and ONNX order zrh read as rzn"),
    Fault("candidate's recurrent bias outside the reset", "step_forward", "r * q", "r * q + (1 - r) * p.b_hh[2 * H :]", "G3",
          "onnx #1127, flax #3746: the two biases merged", kinds=("gru",)),
    Fault("candidate through a sigmoid", "step_forward", "np.tanh", "sigmoid", "G3"),
    Fault("state not carried to the next step", "forward", "h[t]", "h[0]", "G1", "burn PR #2704: tests had one time step"),
    Fault("both biases given one gradient", "backward", "A_h.sum(0)", "A_x.sum(0)", "G2*",
          "allennlp PR #247: two bias vectors taken for one", kinds=("gru",)),
    Fault("derivative of the candidate is 1 - n", "step_backward", "dn * (1 - n**2)", "dn * (1 - n)", "G3*"),
    Fault("candidate's gradient through the wrong side of the update gate", "step_backward", "dh * (1 - z)", "dh * z", "G4*"),
    Fault("update gate's gradient has the wrong sign", "step_backward", "dh * (h_prev - n)", "dh * (n - h_prev)", "G4*"),
    Fault("gradient past the update gate lost", "step_backward", "dh * z", "dh * 0", "G4*"),
    Fault("reset gate has no gradient", "step_backward", "da_n * q", "0 * q", "G3*", kinds=("gru",)),
    Fault("reset gate's gradient without the state", "step_backward", "dh_q * h_prev", "dh_q", "G2*", kinds=("gru-before",)),
    Fault("reset left out of the state's gradient", "step_backward", "dh_q * r", "dh_q", "G2*", kinds=("gru-before",)),
    Fault("reset left out of the product's gradient", "step_backward", "da_n * r", "da_n", "G3*", kinds=("gru",)),
    Fault("candidate's weights paired with the unreset state", "backward", "k.h[:-1] if k.reset_after else r * k.h[:-1]",
          "k.h[:-1]", "G2*", kinds=("gru-before",)),
    Fault("middle rows of the recurrent gradient wrong", "backward", "rows(k.h[:-1])", "rows(k.h[1:])", "G1*", "mxnet #17898"),
    Fault("candidate's recurrent bias lost at the first step without a state", "forward",
          "step_forward(p, a_x[t], h[t], reset_after)",
          "step_forward(p if t or h[0].any() else p._replace(b_hh=p.b_hh * (np.arange(len(p.b_hh)) < 2 * h.shape[-1])), "
          "a_x[t], h[t], reset_after)", source="mlx #3249"),
    Fault("no recurrent bias of the candidate", "step_forward", "p.b_hh[2 * H :]", "0 * p.b_hh[2 * H :]", "G2"),
    Fault("states of sequences past 32 not read", "forward", "h[0] = s.h", "h[0] = s.h * (np.arange(B) < 32)[:, None]",
          source="tensorflow #53024: a block of sequences"),
]
