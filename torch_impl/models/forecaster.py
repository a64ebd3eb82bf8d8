"""The forecaster of reference/models/forecaster.py in PyTorch; autograd is the backward.  Y1 to Y6: notes/models/forecaster.md"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.nn.utils.rnn import PackedSequence

from reference.common import checks, teacher_forcing
from reference.common.arrays import Array
from reference.common.batches import Windowed
from reference.models.forecaster import MODES, check

from ..cells.layers import State
from ..common.initial_weights import draw
from .model import Model


class Forecaster(Model):
    """As reference.models.forecaster.Forecaster; ``way`` as for Model."""

    def __init__(self, columns: int, horizon: int, hidden_size: int = 64, num_layers: int = 1, *, mode: str = "direct",
                 cell: str = "lstm", dropout: float = 0.0, dtype: str | torch.dtype = "float32",
                 rng: np.random.Generator | None = None, way: str = "library"):
        super().__init__(dtype=dtype, rng=rng, way=way)
        self.columns, self.horizon, self.teacher_forcing = columns, horizon, 1.0
        self.mode = checks.choice("mode", mode, MODES)
        self.rnn = self.recurrent(cell, columns, hidden_size, num_layers, dropout=dropout)
        self.decoder = self.recurrent(cell, columns, hidden_size, num_layers, dropout=dropout) if mode == "encdec" else None
        self.head = nn.Linear(hidden_size, horizon if mode == "direct" else columns, dtype=self.dtype)
        draw(self, self.rng)

    def loss(self, batch: Windowed, coins: Array | None = None) -> Tensor:
        """Windowed  ->  the loss, 0-d"""
        f = self.outputs(batch, coins)
        return mse_loss(f, self.tensor(batch.future).to(self.dtype)[..., : f.shape[-1]])  # Y6

    @torch.no_grad()
    def forecast(self, past: Array) -> Array:
        """As the namesake's."""
        nothing = np.zeros((self.horizon, past.shape[1], self.columns))
        coins = teacher_forcing.coins(self.rng, 0.0, *nothing.shape[:2])
        return self.outputs(Windowed(past, nothing), coins)[..., 0].cpu().numpy()

    @torch.no_grad()
    def forced(self, batch: Windowed) -> Array:
        """As the namesake's."""
        return self.outputs(batch, np.ones(batch.future.shape[:2], bool))[..., 0].cpu().numpy()

    def outputs(self, batch: Windowed, coins: Array | None = None) -> Tensor:
        """Windowed  ->  f (K, B, columns), only the target's column if direct"""
        x, v = (self.tensor(a).to(self.dtype) for a in batch)
        check(x.shape, v.shape, self.horizon, self.columns)
        if self.mode == "direct":
            y, _ = self.run(self.rnn, dense(x))                                           # Y1
            return (x[-1, :, :1] + self.head(y.data[-x.shape[1] :])).T[..., None]         # Y1
        if coins is None:
            coins = teacher_forcing.coins(self.rng, self.teacher_forcing if self.training else 0.0, *v.shape[:2])
        _, s = self.run(self.rnn, dense(x[:-1]))                                          # Y2
        if coins.all():
            return self.step(torch.cat([x[-1:], v[:-1]]), s)[0]                           # Y3
        fs: list[Tensor] = []
        u = x[-1:]
        for k, coin in enumerate(coins):
            if k:
                u = torch.where(self.tensor(coin)[:, None], v[k - 1 : k], fs[-1])         # Y3
            f, s = self.step(u, s)
            fs.append(f)
        return torch.cat(fs)

    def step(self, u: Tensor, s: State) -> tuple[Tensor, State]:
        """u (k, B, F), state  ->  f (k, B, F), state"""
        y, s = self.run(self.rnn if self.decoder is None else self.decoder, dense(u), s)  # Y4
        return u + self.head(y.data).reshape(u.shape), s                                  # Y5


def dense(x: Tensor) -> PackedSequence:
    """x (T, B, F)  ->  packed rows, all sequences of one length"""
    return PackedSequence(x.flatten(0, 1), torch.full((len(x),), x.shape[1]))
