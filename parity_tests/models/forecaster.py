"""Cases and faults of reference/models/forecaster.py."""

from functools import partial

import numpy as np

from reference.common.batches import Windowed

from ..helpers import draw
from ..mutation.catalogue import Fault
from .cases import CELLS, model_case

F, K, H = 3, 4, 5
BATCH = Windowed(np.asarray(draw(50, 6, 3, F), float), np.asarray(draw(51, K, 3, F), float))
SMALL = Windowed(BATCH.past[:3, :2], BATCH.future[:, :2])
case = partial(model_case, "forecaster", BATCH, (F, K, H), ratio=1.0)
step = partial(model_case, "forecaster", SMALL, (F, K, 2), cell="rnn", holomorphic=True)
CASES = [
    *(case(f"{cell}-direct", cell=cell, mode="direct") for cell in CELLS),
    *(
        case(f"{cell}-{mode}-{ratio}", cell=cell, mode=mode, ratio=ratio)
        for cell in CELLS
        for mode in ("recursive", "encdec")
        for ratio in (0.0, 0.5, 1.0)
    ),
    *(case(f"{mode}-deep", 2, cell="gru", mode=mode, dropout=0.3, ratio=0.5) for mode in ("direct", "recursive", "encdec")),
    step("step-direct-1.0", mode="direct", ratio=1.0),
    step("step-recursive-0.5", mode="recursive", ratio=0.5),
    step("step-encdec-0.0", mode="encdec", ratio=0.0),
]

# fmt: off
FAULTS = [
    Fault("the change is not added to the last value", "Forecaster._direct", "(x[-1, :, :1] + z).T", "z.T"),
    Fault("the first output is read for the last", "Forecaster._direct", "self.head.vjp(y.data[-B:])", "self.head.vjp(y.data[:B])"),
    Fault("the gradient arrives at the first step", "Forecaster._direct.pullback", "dy[-B:] = dh", "dy[:B] = dh"),
    Fault("coins turned round", "Forecaster._stepwise", "np.where(coins[k, :, None], v[k - 1], fs[-1][0])",
          "np.where(coins[k, :, None], fs[-1][0], v[k - 1])"),
    Fault("a step reads the value that it is to predict", "Forecaster._stepwise", "v[k - 1]", "v[k]",
          source="darts #573: a window that sees the future"),
    Fault("forced steps read the value that they are to predict", "Forecaster._outputs", "[x[-1:], v[:-1]]",
          "[x[-1:], v[1:]]", source="darts #573: a window that sees the future"),
    Fault("gradient cut at what is fed back", "Forecaster._stepwise.pullback", "np.where(coins[k, :, None], 0, du[0])",
          "np.zeros_like(x_T)", source="pytorch #49236: detaching too much"),
    Fault("fed gradient also where the truth was read", "Forecaster._stepwise.pullback", "np.where(coins[k, :, None], 0, du[0])",
          "du[0]"),
    Fault("gradient past the decoder lost", "Forecaster._step.pullback", "df + du.data.reshape(u.shape)",
          "du.data.reshape(u.shape)"),
    Fault("the rnn has no gradient from the past", "Forecaster._outputs.pullback", '{"rnn": rnn}',
          '{"rnn": {k: 0 * g for k, g in rnn.items()}}'),
    Fault("decoder drops the encoder's state", "Forecaster._step", "vars(self)[name].vjp(dense(u), s)",
          "vars(self)[name].vjp(dense(u), None)", source="tensorflow #38248"),
]
