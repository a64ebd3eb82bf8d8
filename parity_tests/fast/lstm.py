"""Faults of reference/fast/lstm.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.faults import LSTM, Fault

fault = partial(Fault, "fast/lstm", kinds=LSTM)
# fmt: off
FAULTS = [
    fault("the minus not folded into the bias", "forwards", "transposed((p.b_ih + p.b_hh)[:, None], *fold, unit=unit)",
          "transposed((p.b_ih + p.b_hh)[:, None], GATES, ORDER, '', unit=unit)"),
    fault("weights left in torch's order", "forwards", "factor_transposed(p.W_hh, whole_hh, fold, unit=unit)",
          "factor_transposed(p.W_hh, whole_hh, (GATES, GATES, SIGMOIDS), unit)"),
    fault("slope of the output gate left out", "local_derivatives", "np.subtract(of_f, k2, k2)", "k2[...] = of_f"),
    fault("slope of the cell state's tanh left out", "local_derivatives", "np.subtract(k2, k1, k1)", "k1[...] = k2"),
    fault("cell state's gradient carried by the input gate", "local_derivatives", "blocks[2:4, start:end]",
          "blocks[3:1:-1, start:end]"),
    fault("initial cell state ignored", "forward", "s.h, s.c.reshape(-1)", "s.h, 0"),
    fault("cell state kept a step too late", "steps", "kept[...] = record\nnp.add(c_part, g_part, c)",
          "np.add(c_part, g_part, c)\nkept[...] = record"),
]
