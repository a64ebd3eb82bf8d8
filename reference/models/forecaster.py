"""A window of the past in, the next K steps out: direct, recursive, or encoder and decoder.  Derivation: notes/models/forecaster.md

    y, _ = rnn(x),  f_k = x_T0 + (y_T Wᵀ + b)_k                     direct: column 0, all K steps at once   (Y1)
    s_1 = rnn(x_1 ... x_{T-1})                                      the others: the state before x_T        (Y2)
    u_1 = x_T,  u_k = v_{k-1} where the coin k is heads, else f_{k-1}       (Y3)
    h_k, s_{k+1} = decoder(u_k, s_k)                                recursive: the decoder is the rnn       (Y4)
    f_k = u_k + h_k Wᵀ + b                                          every column, since it is read again    (Y5)
    loss = mean (f - v)²                                            over steps, batch, predicted columns    (Y6)

x the past (T, B, F), v the future (K, B, F), both scaled; column 0 is the target.  What is predicted is the change, so
that a network which says nothing is persistence.  The gradient goes through what is fed back: f_{k-1} is a number, not
a token.  The starred labels are the adjoints.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..cells.inputs import State
from ..common import checks, teacher_forcing
from ..common.arrays import Array
from ..common.batches import Windowed
from ..common.module import Grads, Pullback, quiet
from ..common.packing import PackedSequence
from ..parts import losses
from ..parts.modules import Linear
from .model import Model, added
from .recurrent import recurrent

MODES = ("direct", "recursive", "encdec")


class Forecaster(Model):
    """An rnn over the past, and a linear layer.

    Parameters
    ----------
    columns : int
        F, the variables of a step; the first is the target.
    horizon : int
        K, the steps that are forecast.
    mode : "direct", "recursive" or "encdec"
        All steps at once from the last output; or step by step, each reading the one before, by the same rnn or by a
        decoder of its own.
    hidden_size, num_layers, cell, dropout, dtype, rng, engine
        As for Classifier; ``rng`` draws the coins, too.

    Attributes
    ----------
    teacher_forcing : float from 0 to 1
        How often a step after the first reads the truth in training; 1 at first.  In evaluation mode none does.

    Raises
    ------
    TypeError, ValueError
        An argument of the wrong type or out of range.
    """

    def __init__(self, columns: int, horizon: int, hidden_size: int = 64, num_layers: int = 1, *, mode: str = "direct",
                 cell: str = "lstm", dropout: float = 0.0, dtype: DTypeLike = np.float32,
                 rng: np.random.Generator | None = None, engine: str = "fast"):
        super().__init__(dtype=dtype, rng=rng)
        self.columns, self.horizon = checks.positive_int("columns", columns), checks.positive_int("horizon", horizon)
        self.mode, self.teacher_forcing = checks.choice("mode", mode, MODES), 1.0
        rnn: dict[str, Any] = {"dropout": dropout, "dtype": dtype, "rng": self.rng, "engine": engine}
        self.rnn = recurrent(cell, columns, hidden_size, num_layers, **rnn)
        self.decoder = recurrent(cell, columns, hidden_size, num_layers, **rnn) if mode == "encdec" else None
        self.head = Linear(hidden_size, horizon if mode == "direct" else columns, dtype=dtype, rng=self.rng)

    @quiet
    def vjp(self, batch: Windowed, coins: Array | None = None) -> tuple[Array, Pullback]:
        """Windowed  ->  loss, ``pullback(dloss=1.0) -> grads``

        ``coins`` (K, B), True where the truth is read, are drawn at ``teacher_forcing`` if not given.

        Raises
        ------
        RuntimeError
            Past or future of another shape than (T, B, F) and (K, B, F), or T below 2.
        """
        f, pull_f = self._outputs(batch, coins)
        loss, cache = losses.mse_forward(f, np.asarray(batch.future, self.dtype).real[..., : f.shape[-1]])  # Y6
        return loss, lambda dloss=1.0: pull_f(losses.mse_backward(dloss, cache))                    # Y6*

    def forecast(self, past: Array) -> Array:
        """past (T, B, F)  ->  the target's next steps (K, B), free running"""
        B = past.shape[1]
        nothing = np.zeros((self.horizon, B, self.columns))
        return self._outputs(Windowed(past, nothing), teacher_forcing.coins(self.rng, 0.0, self.horizon, B))[0][..., 0]

    def forced(self, batch: Windowed) -> Array:
        """Windowed  ->  the target's next steps (K, B), each given the true step before it"""
        return self._outputs(batch, np.ones((self.horizon, batch.past.shape[1]), bool))[0][..., 0]

    @quiet
    def _outputs(self, batch: Windowed, coins: Array | None) -> tuple[Array, Pullback]:
        """-> f (K, B, columns), only the target's column if direct; ``pullback(df) -> grads``"""
        x, v = (np.asarray(a, self.dtype) for a in batch)
        check(x.shape, v.shape, self.horizon, self.columns)
        if self.mode == "direct":
            return self._direct(x)
        if coins is None:
            coins = teacher_forcing.coins(self.rng, self.teacher_forcing if self.training else 0.0, *v.shape[:2])
        _, s, pull_x = self.rnn.vjp(dense(x[:-1]))                                                  # Y2
        if coins.all():
            f, _, pull_f = self._step(np.concatenate([x[-1:], v[:-1]]), s)                          # Y3
        else:
            f, pull_f = self._stepwise(x[-1], v, s, coins)

        def pullback(df: Array) -> Grads:
            grads, _, ds = pull_f(df, None)
            rnn, _, _ = pull_x(None, ds)                                                            # Y2*
            return self._gather(**added(grads, {"rnn": rnn}))

        return f, pullback

    def _direct(self, x: Array) -> tuple[Array, Pullback]:
        B = x.shape[1]
        y, _, pull_y = self.rnn.vjp(dense(x))                                                       # Y1
        z, pull_z = self.head.vjp(y.data[-B:])                                                      # Y1

        def pullback(df: Array) -> Grads:
            head, dh = pull_z(np.ascontiguousarray(df[..., 0].T))                                   # Y1*
            dy = np.zeros_like(y.data)
            dy[-B:] = dh                                                                            # Y1*
            rnn, _, _ = pull_y(y._replace(data=dy))                                                 # Y1*
            return self._gather(rnn=rnn, head=head)

        return (x[-1, :, :1] + z).T[..., None], pullback                                            # Y1

    def _step(self, u: Array, s: State) -> tuple[Array, State, Pullback]:
        """u (k, B, F), state  ->  f (k, B, F), state, ``pullback(df, ds) -> {child: grads}, du, ds``"""
        name = "rnn" if self.decoder is None else "decoder"
        y, s, pull_y = vars(self)[name].vjp(dense(u), s)                                            # Y4
        z, pull_z = self.head.vjp(y.data)                                                           # Y5

        def pullback(df: Array, ds: State | None) -> tuple[dict[str, Grads], Array, State]:
            head, dh = pull_z(df.reshape(z.shape))                                                  # Y5*
            rnn, du, ds = pull_y(y._replace(data=dh), ds)                                           # Y4*
            return {name: rnn, "head": head}, df + du.data.reshape(u.shape), ds                     # Y5*

        return u + z.reshape(u.shape), s, pullback                                                  # Y5

    def _stepwise(self, x_T: Array, v: Array, s: State, coins: Array) -> tuple[Array, Pullback]:
        """Step by step, each reading what the coins say  ->  f (K, B, F), pullback as _step's"""
        fs: list[Array] = []
        u, pulls = x_T, []
        for k in range(self.horizon):
            if k:
                u = np.where(coins[k, :, None], v[k - 1], fs[-1][0])                                # Y3
            f, s, pull = self._step(u[None], s)                                                     # Y4, Y5
            fs.append(f)
            pulls.append(pull)

        def pullback(df: Array, ds: State | None) -> tuple[dict[str, Grads], Array, State | None]:
            total: dict[str, Grads] = {}
            dfed = np.zeros_like(x_T)
            for k in reversed(range(self.horizon)):
                grads, du, ds = pulls[k](df[k : k + 1] + dfed, ds)                                  # Y5*, Y4*
                dfed = np.where(coins[k, :, None], 0, du[0])                                        # Y3*
                total = added(total, grads)
            return total, dfed, ds

        return np.concatenate(fs), pullback


def dense(x: Array) -> PackedSequence:
    """x (T, B, F)  ->  packed rows, all sequences of one length"""
    return PackedSequence(x.reshape(-1, x.shape[-1]), np.full(len(x), x.shape[1]))


def check(past: tuple[int, ...], future: tuple[int, ...], horizon: int, columns: int) -> None:
    """RuntimeError if the shapes of past and future are not as the model needs them."""
    if len(past) != 3 or past[0] < 2 or past[2] != columns:
        raise RuntimeError(f"past must be (T, B, {columns}) with T at least 2, got {tuple(past)}")
    if future != (horizon, past[1], columns):
        raise RuntimeError(f"future must be {(horizon, past[1], columns)}, got {tuple(future)}")
