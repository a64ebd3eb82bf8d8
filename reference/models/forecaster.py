"""A window of the past in, the next K steps out: direct, recursive, or encoder and decoder.  Derivation: notes/models/forecaster.md

    y, _ = rnn([x ; n]),  f_k = x_T0 + ([y_T ; n_{T+1} ... n_{T+K}] Wᵀ + b)_k    direct: column 0, all K steps at once  (Y1)
    s_1 = rnn([x_1 ; n_2] ... [x_{T-1} ; n_T])                      the others: the state before x_T                    (Y2)
    u_1 = x_T,  u_k = v_{k-1} where the coin k is heads, else f_{k-1}                                                   (Y3)
    h_k, s_{k+1} = decoder([u_k ; n_{T+k}], s_k)                    recursive: the decoder is the rnn                   (Y4)
    f_k = u_k + h_k Wᵀ + b                                          every column, since it is read again                (Y5)
    ℓ = mean (f - v)²                                               over steps, batch, predicted columns                (Y6)
    f_kq = x_T0 + ([y_T ; n_{T+1} ... n_{T+K}] Wᵀ + b)_kq           direct with quantiles: ℓ = mean ℓ_q of J8           (Y7)
    f_k1 <= f_k2 ... sorted                                         where it forecasts, not where it learns             (Y8)

x the past (T, B, C), v the future (K, B, C), n (T+K, B, F - C) what is known ahead in both, the calendar for instance: the
last columns of the F.  All are scaled; column 0 is the target.  What is predicted is the change, so that a network which
says nothing is persistence.  The gradient goes through what is fed back: f_{k-1} is a number, not a token.  The starred
labels are the adjoints.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..cells.inputs import State
from ..common import checks, teacher_forcing
from ..common.arrays import Array, join
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
    known : int
        How many of the columns, the last ones, are known ahead.  They are read and never forecast; C = F - known are left.
    quantiles : rising numbers between 0 and 1, one of them 0.5; optional, for mode "direct"
        Which quantiles of the target are forecast in place of one number, by the quantile loss in place of the squared error.
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
                 cell: str = "lstm", dropout: float = 0.0, known: int = 0, quantiles: ArrayLike = (),
                 dtype: DTypeLike = np.float32, rng: np.random.Generator | None = None, engine: str = "fast"):
        super().__init__(dtype=dtype, rng=rng)
        checks.sizes(columns=columns, horizon=horizon, hidden_size=hidden_size)
        self.columns, self.horizon = checks.positive_int("columns", columns), checks.positive_int("horizon", horizon)
        self.mode, self.teacher_forcing = checks.choice("mode", mode, MODES), 1.0
        self.known, self.quantiles = known_columns(known, columns), levels(quantiles, mode)
        rnn: dict[str, Any] = {"dropout": dropout, "dtype": dtype, "rng": self.rng, "engine": engine}
        self.rnn = recurrent(cell, columns, hidden_size, num_layers, **rnn)
        self.decoder = recurrent(cell, columns, hidden_size, num_layers, **rnn) if mode == "encdec" else None
        self.head = Linear(*head_sizes(self, hidden_size), dtype=dtype, rng=self.rng)

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
        v = window_arrays(batch, self.dtype)[1].real
        if self.quantiles:
            loss, cache = losses.quantile_forward(f, v[..., 0], self.quantiles)                     # Y7
            return loss, lambda dloss=1.0: pull_f(losses.quantile_backward(dloss, cache))           # Y7*
        loss, cache = losses.mse_forward(f, v[..., : f.shape[-1]])                                  # Y6
        return loss, lambda dloss=1.0: pull_f(losses.mse_backward(dloss, cache))                    # Y6*

    def ahead(self, past: Array, known: Array | None = None, horizon: int | None = None) -> Array:
        """Every column that is forecast, free running.

        Parameters
        ----------
        past : (T, B, F) ndarray
        known : (K, B, known) ndarray
            The last columns of the steps ahead; None if the model has no such columns.
        horizon : int; optional
            K, the model's own if not given.  "recursive" and "encdec" go on for any number of steps.

        Returns
        -------
        f : (K, B, C) ndarray, if direct (K, B, 1), with quantiles (K, B, Q)
            Quantiles are sorted.

        Raises
        ------
        RuntimeError
            Past or known of another shape.
        ValueError
            Another horizon in mode "direct".
        """
        batch = asked(self, past, known, horizon)
        return self._told(batch, teacher_forcing.coins(self.rng, 0.0, *batch.future.shape[:2]))

    def forecast(self, past: Array, known: Array | None = None, horizon: int | None = None) -> Array:
        """As ``ahead``  ->  the target's next steps (K, B), their median if there are quantiles"""
        return self.ahead(past, known, horizon)[..., target(self)]

    def forced(self, batch: Windowed) -> Array:
        """Windowed  ->  the target's next steps (K, B), each given the true step before it"""
        past, _ = window_arrays(batch, self.dtype)
        return self._told(batch, np.ones((self.horizon, *past.shape[1:2]), bool))[..., target(self)]

    def _told(self, batch: Windowed, coins: Array) -> Array:
        f = self._outputs(batch, coins, len(coins))[0]
        return np.sort(f) if self.quantiles else f                                                  # Y8

    @quiet
    def _outputs(self, batch: Windowed, coins: Array | None, horizon: int | None = None) -> tuple[Array, Pullback]:
        """-> f (K, B, C), only the target's column, or its Q quantiles, if direct; ``pullback(df) -> grads``"""
        x, v = window_arrays(batch, self.dtype)
        check(x.shape, v.shape, horizon or self.horizon, self.columns)
        coins = coins if coins is None else checks.mask("coins", coins, v.shape[:2])
        C = self.columns - self.known
        if self.mode == "direct":
            return self._direct(x, v[..., C:])
        if coins is None:
            coins = teacher_forcing.coins(self.rng, self.teacher_forcing if self.training else 0.0, *v.shape[:2])
        _, s, pull_x = self.rnn.vjp(dense(join(x[:-1, :, :C], x[1:, :, C:])))                       # Y2
        if coins.all():
            f, _, pull_f = self._step(np.concatenate([x[-1:], v[:-1]])[..., :C], v[..., C:], s)     # Y3
        else:
            f, pull_f = self._stepwise(x[-1, :, :C], v, s, coins)

        def pullback(df: Array) -> Grads:
            grads, _, ds = pull_f(df, None)
            rnn, _, _ = pull_x(None, ds)                                                            # Y2*
            return self._gather(**added(grads, {"rnn": rnn}))

        return f, pullback

    def _direct(self, x: Array, n: Array) -> tuple[Array, Pullback]:
        """x (T, B, F), what is known ahead (K, B, F - C)  ->  f (K, B, Q or 1), pullback as _outputs'"""
        K, B, H = self.horizon, x.shape[1], self.rnn.hidden_size
        y, _, pull_y = self.rnn.vjp(dense(x))                                                       # Y1
        z, pull_z = self.head.vjp(join(y.data[-B:], n.swapaxes(0, 1).reshape(B, K * n.shape[-1])))               # Y1

        def pullback(df: Array) -> Grads:
            head, dh = pull_z(np.ascontiguousarray(df.swapaxes(0, 1)).reshape(z.shape))             # Y1*
            dy = np.zeros_like(y.data)
            dy[-B:] = dh[:, :H]                                                                     # Y1*
            rnn, _, _ = pull_y(y._replace(data=dy))                                                 # Y1*
            return self._gather(rnn=rnn, head=head)

        return (x[-1, :, :1, None] + z.reshape(B, K, z.shape[1] // K)).swapaxes(0, 1), pullback                  # Y1, Y7

    def _step(self, u: Array, n: Array, s: State) -> tuple[Array, State, Pullback]:
        """u (k, B, C), n (k, B, F - C), state  ->  f (k, B, C), state, ``pullback(df, ds) -> {child: grads}, du, ds``"""
        name = "rnn" if self.decoder is None else "decoder"
        y, s, pull_y = vars(self)[name].vjp(dense(join(u, n)), s)                                   # Y4
        z, pull_z = self.head.vjp(y.data)                                                           # Y5

        def pullback(df: Array, ds: State | None) -> tuple[dict[str, Grads], Array, State]:
            head, dh = pull_z(df.reshape(z.shape))                                                  # Y5*
            rnn, dr, ds = pull_y(y._replace(data=dh), ds)                                           # Y4*
            du = dr.data[:, : u.shape[-1]]                                                          # Y4*
            return {name: rnn, "head": head}, df + du.reshape(u.shape), ds                          # Y5*

        return u + z.reshape(u.shape), s, pullback                                                  # Y5

    def _stepwise(self, x_T: Array, v: Array, s: State, coins: Array) -> tuple[Array, Pullback]:
        """Step by step, each reading what the coins say  ->  f (K, B, C), pullback as _step's"""
        fs: list[Array] = []
        u, C, pulls = x_T, x_T.shape[-1], []
        for k in range(len(v)):
            if k:
                u = np.where(coins[k, :, None], v[k - 1, :, :C], fs[-1][0])                         # Y3
            f, s, pull = self._step(u[None], v[k : k + 1, :, C:], s)                                # Y4, Y5
            fs.append(f)
            pulls.append(pull)

        def pullback(df: Array, ds: State | None) -> tuple[dict[str, Grads], Array, State | None]:
            total: dict[str, Grads] = {}
            dfed = np.zeros_like(x_T)
            for k in reversed(range(len(v))):
                grads, du, ds = pulls[k](df[k : k + 1] + dfed, ds)                                  # Y5*, Y4*
                dfed = np.where(coins[k, :, None], 0, du[0])                                        # Y3*
                total = added(total, grads)
            return total, dfed, ds

        return np.concatenate(fs), pullback


def dense(x: Array) -> PackedSequence:
    """x (T, B, F)  ->  packed rows, all sequences of one length"""
    return PackedSequence(x.reshape(-1, x.shape[-1]), np.full(len(x), x.shape[1]))


def window_arrays(batch: Any, kind: np.dtype) -> tuple[Array, Array]:
    """Past and future in this dtype.  TypeError: they are no arrays of numbers."""
    checks.has("batch", batch, "past", "future")
    kinds = "biufc" if kind.kind == "c" else "biuf"
    past, future = (checks.numbers(name, getattr(batch, name), kinds) for name in ("past", "future"))
    return past.astype(kind, copy=False), future.astype(kind, copy=False)


def check(past: tuple[int, ...], future: tuple[int, ...], horizon: int, columns: int) -> None:
    """RuntimeError if the shapes of past and future are not as the model needs them."""
    if len(past) != 3 or past[0] < 2 or past[2] != columns:
        raise RuntimeError(f"past must be (T, B, {columns}) with T at least 2, got {tuple(past)}")
    if future != (horizon, past[1], columns):
        raise RuntimeError(f"future must be {(horizon, past[1], columns)}, got {tuple(future)}")


def known_columns(known: int, columns: int) -> int:
    """``known``.  ValueError: no column is left for the target."""
    if checks.positive_or_zero("known", known) >= columns:
        raise ValueError(f"known must be below columns, {columns}, since the first is the target, got {known}")
    return known


def levels(quantiles: ArrayLike, mode: str) -> tuple[float, ...]:
    """``quantiles``.  ValueError: they do not rise from above 0 to below 1, the median is not there, or the mode has none."""
    if quantiles is None or not checks.given("quantiles", quantiles).size:
        return ()
    if mode != "direct":
        raise ValueError(f"quantiles need mode 'direct', got {mode!r}: a step that reads the median of the one before "
                         "is too sure of itself")
    q = checks.quantiles("quantiles", quantiles)
    if 0.5 not in q:
        raise ValueError(f"quantiles must hold 0.5, the median, got {q}")
    return q


def head_sizes(model: Any, hidden_size: int) -> tuple[int, int]:
    """The inputs and outputs of the linear layer of a Forecaster of either side."""
    if model.mode == "direct":
        return hidden_size + model.horizon * model.known, model.horizon * max(1, len(model.quantiles))
    return hidden_size, model.columns - model.known


def target(model: Any) -> int:
    """Where the last axis of what a Forecaster of either side forecasts has the target: the first column, or the median"""
    return model.quantiles.index(0.5) if model.quantiles else 0


def asked(model: Any, past: Array, known: Array | None, horizon: int | None) -> Windowed:
    """What a Forecaster of either side is asked: a window whose future is zero, but for what is known.  Raises as ``ahead``."""
    K, past = model.horizon if horizon is None else checks.positive_int("horizon", horizon), checks.numbers("past", past)
    if model.mode == "direct" and model.horizon != K:
        raise ValueError(f"horizon must be {model.horizon}, got {K}: a direct model forecasts the steps that it was made for, "
                         "recursive and encdec go on for any number")
    B = past.shape[1:2]
    check(past.shape, (K, *B, model.columns), K, model.columns)
    if not B[0]:
        raise RuntimeError(f"past must hold at least one sequence, got shape {past.shape}")
    checks.fits({"horizon": K}, K * B[0] * model.columns, np.dtype(float))
    n = np.zeros((K, *B, 0)) if known is None else checks.numbers("known", known, "biuf")
    if n.shape != (K, *B, model.known):
        raise RuntimeError(f"known must be {(K, *B, model.known)}, the known columns of the steps ahead, "
                           f"got {'none' if known is None else n.shape}")
    return Windowed(past, join(np.zeros((K, *B, model.columns - model.known)), n))
