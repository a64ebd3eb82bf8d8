"""The forecaster of reference/models/forecaster.py in PyTorch; autograd is the backward.  Y1 to Y8: notes/models/forecaster.md"""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.nn.utils.rnn import PackedSequence

from reference.common import checks, teacher_forcing
from reference.common.arrays import Array
from reference.common.batches import Windowed
from reference.models.forecaster import MODES, asked, check, head_sizes, known_columns, levels, target, window_arrays

from ..cells.layers import State
from ..common.initial_weights import draw
from ..parts import losses
from .model import Model


class Forecaster(Model):
    """As reference.models.forecaster.Forecaster; ``way`` as for Model."""

    def __init__(self, columns: int, horizon: int, hidden_size: int = 64, num_layers: int = 1, *, mode: str = "direct",
                 cell: str = "lstm", dropout: float = 0.0, known: int = 0, quantiles: ArrayLike = (),
                 dtype: str | torch.dtype = "float32", rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        checks.sizes(columns=columns, horizon=horizon, hidden_size=hidden_size)
        self.columns, self.horizon = checks.positive_int("columns", columns), checks.positive_int("horizon", horizon)
        self.mode, self.teacher_forcing = checks.choice("mode", mode, MODES), 1.0
        self.known, self.quantiles = known_columns(known, columns), levels(quantiles, mode)
        self.rnn = self.recurrent(cell, columns, hidden_size, num_layers, dropout=dropout)
        self.decoder = self.recurrent(cell, columns, hidden_size, num_layers, dropout=dropout) if mode == "encdec" else None
        self.head = self.linear(*head_sizes(self, hidden_size))
        draw(self, self.rng)

    def loss(self, batch: Windowed, coins: Array | None = None) -> Tensor:
        """Windowed  ->  the loss, 0-d"""
        f, v = self.outputs(batch, coins), self.arrays(batch)[1]
        if self.quantiles:
            return losses.quantile(f, v[..., 0], f.new_tensor(self.quantiles))                # Y7
        return mse_loss(f, v[..., : f.shape[-1]])                                             # Y6

    @torch.no_grad()
    def ahead(self, past: Array, known: Array | None = None, horizon: int | None = None) -> Array:
        """As the namesake's."""
        batch = asked(self, past, known, horizon)
        return self.told(batch, teacher_forcing.coins(self.rng, 0.0, *batch.future.shape[:2]))

    def forecast(self, past: Array, known: Array | None = None, horizon: int | None = None) -> Array:
        """As the namesake's."""
        return self.ahead(past, known, horizon)[..., target(self)]

    @torch.no_grad()
    def forced(self, batch: Windowed) -> Array:
        """As the namesake's."""
        return self.told(batch, np.ones((self.horizon, *self.arrays(batch)[0].shape[1:2]), bool))[..., target(self)]

    def told(self, batch: Windowed, coins: Array) -> Array:
        """Windowed, coins  ->  f of ``outputs``, quantiles sorted"""
        f = self.outputs(batch, coins, len(coins))
        return (f.sort().values if self.quantiles else f).cpu().numpy()                       # Y8

    def outputs(self, batch: Windowed, coins: Array | None = None, horizon: int | None = None) -> Tensor:
        """Windowed  ->  f (K, B, C), only the target's column, or its Q quantiles, if direct"""
        x, v = self.arrays(batch)
        check(x.shape, v.shape, horizon or self.horizon, self.columns)
        coins = coins if coins is None else checks.mask("coins", coins, tuple(v.shape[:2]))
        C = self.columns - self.known
        if self.mode == "direct":
            return self.direct(x, v[..., C:])
        if coins is None:
            coins = teacher_forcing.coins(self.rng, self.teacher_forcing if self.training else 0.0, *v.shape[:2])
        _, s = self.run(self.rnn, dense(torch.cat([x[:-1, :, :C], x[1:, :, C:]], -1)))        # Y2
        if coins.all():
            return self.step(torch.cat([x[-1:], v[:-1]])[..., :C], v[..., C:], s)[0]          # Y3
        fs: list[Tensor] = []
        u = x[-1:, :, :C]
        for k, coin in enumerate(coins):
            if k:
                u = torch.where(self.tensor(coin)[:, None], v[k - 1 : k, :, :C], fs[-1])      # Y3
            f, s = self.step(u, v[k : k + 1, :, C:], s)
            fs.append(f)
        return torch.cat(fs)

    def arrays(self, batch: Windowed) -> tuple[Tensor, Tensor]:
        """Past and future, in the model's dtype"""
        past, future = window_arrays(batch, np.dtype(complex if self.dtype.is_complex else float))
        return self.tensor(past).to(self.dtype), self.tensor(future).to(self.dtype)

    def direct(self, x: Tensor, n: Tensor) -> Tensor:
        """x (T, B, F), what is known ahead (K, B, F - C)  ->  f (K, B, Q or 1)"""
        y, _ = self.run(self.rnn, dense(x))                                                   # Y1
        z = self.head(torch.cat([y.data[-x.shape[1] :], n.transpose(0, 1).flatten(1)], -1))   # Y1
        return (x[-1, :, :1, None] + z.unflatten(1, (self.horizon, -1))).transpose(0, 1)      # Y1, Y7

    def step(self, u: Tensor, n: Tensor, s: State) -> tuple[Tensor, State]:
        """u (k, B, C), n (k, B, F - C), state  ->  f (k, B, C), state"""
        y, s = self.run(self.rnn if self.decoder is None else self.decoder, dense(torch.cat([u, n], -1)), s)  # Y4
        return u + self.head(y.data).reshape(u.shape), s                                      # Y5


def dense(x: Tensor) -> PackedSequence:
    """x (T, B, F)  ->  packed rows, all sequences of one length"""
    return PackedSequence(x.flatten(0, 1), torch.full((len(x),), x.shape[1]))
