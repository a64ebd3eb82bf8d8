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
QUANTILES = (0.1, 0.5, 0.8)
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
    *(case(f"known-{cell}-direct", cell=cell, mode="direct", known=2) for cell in CELLS),
    *(
        case(f"known-{mode}-{known}-{ratio}", cell=cell, mode=mode, known=known, ratio=ratio)
        for mode, known, cell in (("recursive", 1, "lstm"), ("recursive", 2, "gru"), ("encdec", 1, "gru"), ("encdec", 2, "rnn"))
        for ratio in (0.0, 0.5, 1.0)
    ),
    case("known-deep", 2, cell="lstm", mode="encdec", dropout=0.3, known=1, ratio=0.5),
    *(case(f"quantiles-{cell}-{known}", cell=cell, quantiles=QUANTILES, known=known) for cell in CELLS for known in (0, 1)),
    case("quantiles-one", cell="gru", quantiles=(0.5,), known=2),
    step("step-direct-1.0", mode="direct", ratio=1.0),
    step("step-recursive-0.5", mode="recursive", ratio=0.5),
    step("step-encdec-0.0", mode="encdec", ratio=0.0),
    step("step-known-direct", mode="direct", known=1),
    step("step-known-recursive", mode="recursive", known=1, ratio=0.5),
    step("step-known-encdec", mode="encdec", known=2, ratio=0.0),
    step("step-quantiles", quantiles=QUANTILES),
    step("step-known-quantiles", quantiles=QUANTILES, known=1),
]

# fmt: off
FAULTS = [
    Fault("the change is not added to the last value", "Forecaster._direct",
          "x[-1, :, :1, None] + z.reshape(B, K, z.shape[1] // K)", "z.reshape(B, K, z.shape[1] // K)"),
    Fault("the first output is read for the last", "Forecaster._direct", "y.data[-B:]", "y.data[:B]"),
    Fault("the gradient arrives at the first step", "Forecaster._direct.pullback", "dy[-B:] = dh[:, :H]", "dy[:B] = dh[:, :H]"),
    Fault("coins turned round", "Forecaster._stepwise", "np.where(coins[k, :, None], v[k - 1, :, :C], fs[-1][0])",
          "np.where(coins[k, :, None], fs[-1][0], v[k - 1, :, :C])"),
    Fault("a step reads the value that it is to predict", "Forecaster._stepwise", "v[k - 1, :, :C]", "v[k, :, :C]",
          source="darts #573: a window that sees the future"),
    Fault("forced steps read the value that they are to predict", "Forecaster._outputs", "[x[-1:], v[:-1]]",
          "[x[-1:], v[1:]]", source="darts #573: a window that sees the future"),
    Fault("gradient cut at what is fed back", "Forecaster._stepwise.pullback", "np.where(coins[k, :, None], 0, du[0])",
          "np.zeros_like(x_T)", source="pytorch #49236: detaching too much"),
    Fault("fed gradient also where the truth was read", "Forecaster._stepwise.pullback", "np.where(coins[k, :, None], 0, du[0])",
          "du[0]"),
    Fault("gradient past the decoder lost", "Forecaster._step.pullback", "df + du.reshape(u.shape)", "du.reshape(u.shape)"),
    Fault("the rnn has no gradient from the past", "Forecaster._outputs.pullback", '{"rnn": rnn}',
          '{"rnn": {k: 0 * g for k, g in rnn.items()}}'),
    Fault("decoder drops the encoder's state", "Forecaster._step", "vars(self)[name].vjp(dense(join(u, n)), s)",
          "vars(self)[name].vjp(dense(join(u, n)), None)", source="tensorflow #38248"),
    Fault("the past has the known values of its own rows", "Forecaster._outputs", "x[1:, :, C:]", "x[:-1, :, C:]"),
    Fault("a step has the known values of the row that it reads", "Forecaster._stepwise", "v[k : k + 1, :, C:]",
          "v[max(k - 1, 0) : max(k, 1), :, C:]"),
    Fault("forced steps have the known values of the past", "Forecaster._outputs",
          "self._step(np.concatenate([x[-1:], v[:-1]])[..., :C], v[..., C:], s)",
          "self._step(np.concatenate([x[-1:], v[:-1]])[..., :C], x[-len(v) :, :, C:], s)"),
    Fault("all steps at once have the known values of the past", "Forecaster._outputs", "self._direct(x, v[..., C:])",
          "self._direct(x, x[-len(v) :, :, C:])"),
    Fault("known values of the steps of other windows", "Forecaster._direct", "n.swapaxes(0, 1).reshape", "n.reshape"),
    Fault("gradient of the known values for that of the output", "Forecaster._direct.pullback", "dh[:, :H]", "dh[:, -H:]"),
    Fault("gradient of the known values fed back", "Forecaster._step.pullback", "dr.data[:, : u.shape[-1]]",
          "dr.data[:, -u.shape[-1] :]"),
    Fault("known columns are forecast", "Forecaster.vjp", "v[..., : f.shape[-1]]", "v[..., -f.shape[-1] :]"),
    Fault("quantiles for steps and steps for quantiles", "Forecaster._direct", "z.reshape(B, K, z.shape[1] // K)",
          "z.reshape(B, z.shape[1] // K, K).swapaxes(1, 2)"),
    Fault("quantiles of a column that is not the target", "Forecaster.vjp", "v[..., 0]", "v[..., -1]"),
    Fault("squared error of every quantile", "Forecaster.vjp", "losses.quantile_forward(f, v[..., 0], self.quantiles)",
          "losses.mse_forward(f, np.repeat(v[..., :1], f.shape[-1], -1))"),
    Fault("quantiles sorted where they learn", "Forecaster.vjp", "losses.quantile_forward(f, v[..., 0], self.quantiles)",
          "losses.quantile_forward(np.sort(f), v[..., 0], self.quantiles)"),
]
