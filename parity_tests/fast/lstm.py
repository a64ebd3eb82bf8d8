"""Faults of reference/fast/lstm.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("the minus not folded into the bias", "folded", "transposed((p.b_ih + p.b_hh)[:, None], *fold)",
          "transposed((p.b_ih + p.b_hh)[:, None], GATES, ORDER)"),
    Fault("weights left in torch's order", "folded", "transposed(p.W_hh, *fold)", "transposed(p.W_hh, GATES, GATES, SIGMOIDS)"),
    Fault("slope of the output gate left out", "local_derivatives", "slope_of_sigmoid(o, do_dm)", "do_dm[...] = o"),
    Fault("slope of the cell state's tanh left out", "local_derivatives", "slope_of_tanh(u, dc_dm)", "dc_dm[...] = 1"),
    Fault("cell state's gradient carried by the input gate", "local_derivatives", "(i, f, o)", "(f, i, o)"),
    Fault("initial cell state ignored", "run", "s.c.reshape(k.c.shape[1:])", "0"),
    Fault("cell state kept a step too late", "local_derivatives", "k.c[:-1][chunk]", "k.c[1:][chunk]"),
]
