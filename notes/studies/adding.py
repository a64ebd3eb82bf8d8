"""The adding problem: which cell carries a gradient over T steps?  Measured in notes/gradients/gradient_flow.md

Two numbers of a sequence are marked, one in each half; the target is their sum.  A model that always says 1 has a mean
squared error of 1/6: two uniform numbers have a variance of 1/12 each.  To do better the model must remember a number
for up to T steps, and its gradient must come back as far (Hochreiter & Schmidhuber 1997; the two halves as in Arjovsky
et al. 2016).

    python -m notes.studies.adding --T 200 --cell lstm
"""

import argparse
import sys
from typing import Any, NamedTuple

import numpy as np

from reference.cells.layers import quiet
from reference.common import checks
from reference.models.model import Model
from reference.models.recurrent import hidden, of_hidden, recurrent
from reference.parts import losses
from reference.parts.modules import Linear
from reference.training.clip import clip_grad_norm, global_norm
from reference.training.init import SCHEMES, per_gate
from reference.training.optim import SGD, Adam

GUESS = 1 / 6  # mean squared error of always saying 1
CELLS = ("rnn", "relu", "lstm", "gru")
KEEPS: dict[str, dict[str, int]] = {"lstm": {"f": 1, "i": -1}, "gru": {"z": 1}}  # more keeps the old state
OPTIMIZERS = {"adam": Adam, "sgd": SGD}
INITS = ("uniform", "orthogonal", "identity")


class Batch(NamedTuple):
    x: np.ndarray       # (T, B, 2)   a number and its mark, 0 or 1
    target: np.ndarray  # (B,)


class Log(NamedTuple):
    loss: list[float]   # of each step's own batch
    norm: list[float]   # of the gradient, before clipping
    error: float        # mean squared error on sequences that training did not see


def draw(rng, T, B, dtype=np.float32):
    """B sequences of T steps: uniform numbers, one mark in each half."""
    if T < 2:
        raise ValueError(f"T must be at least 2, one step for each mark, got {T}")
    x = np.zeros((T, B, 2), dtype)
    x[..., 0] = rng.random((T, B))
    first, second, each = rng.integers(0, T // 2, B), rng.integers(T // 2, T, B), np.arange(B)
    x[first, each, 1] = x[second, each, 1] = 1
    return Batch(x, x[first, each, 0] + x[second, each, 0])


class Adder(Model):
    """A recurrent layer, and a linear head on its last state.

    Parameters
    ----------
    cell : "rnn", "relu", "lstm" or "gru"
        "relu" is an RNN with that nonlinearity.
    hidden_size : int
    init : "uniform", "orthogonal" or "identity"
        Of the recurrent matrix, gate by gate; uniform is torch's default.
    keep_bias : float
        Added to the bias of the gate that keeps the old state, f of an LSTM and z of a GRU, and taken from that of the
        LSTM's i, which writes (a GRU writes 1 - z by itself).  e^keep_bias is about the steps that a state lasts.
    dtype, rng, engine
        As for the layers.
    """

    def __init__(self, cell, hidden_size, init="uniform", keep_bias=0.0, *, dtype=np.float32, rng=None, engine="fast"):
        super().__init__(dtype=dtype, rng=rng)
        if keep_bias and cell not in KEEPS:
            raise ValueError(f"keep_bias needs a gate that keeps the old state, which {cell!r} lacks")
        relu = {"nonlinearity": "relu"} if checks.choice("cell", cell, CELLS) == "relu" else {}
        more: dict[str, Any] = {"dtype": dtype, "rng": self.rng}
        self.rnn = recurrent("rnn" if relu else cell, 2, hidden_size, engine=engine, **relu, **more)
        self.head = Linear(hidden_size, 1, **more)
        if checks.choice("init", init, INITS) != "uniform":
            W = self.rnn.params["weight_hh_l0"]
            W[...] = per_gate(SCHEMES[init], self.rng, W.shape, len(W) // hidden_size)
        for gate, sign in KEEPS[cell].items() if keep_bias else ():
            k = self.rnn.room.GATES.index(gate) * hidden_size
            self.rnn.params["bias_hh_l0"][k : k + hidden_size] += sign * keep_bias

    @quiet
    def vjp(self, batch):
        """Batch  ->  mean squared error, ``pullback(dloss=1.0) -> grads``"""
        _, s_n, pull_rnn = self.rnn.vjp(batch.x)
        z, pull_z = self.head.vjp(hidden(s_n)[-1])
        loss, cache = losses.mse_forward(z[:, 0], batch.target)

        def pullback(dloss=1.0):
            head, dh = pull_z(losses.mse_backward(dloss, cache)[:, None])
            return self._gather(rnn=pull_rnn(None, of_hidden(dh[None], s_n))[0], head=head)

        return loss, pullback


def train(model, T, steps=1000, batch=32, lr=1e-2, clip=1.0, seed=0, report=None, stop=0.0,
          optimizer="adam"):
    """Fresh sequences at every step  ->  Log

    clip    bounds the gradient's norm; None does not
    report  called every hundred steps with the step and the mean loss of the hundred; when that is below ``stop``,
            training ends
    """
    rng, log = np.random.default_rng(seed), Log([], [], 0.0)
    optimizer = OPTIMIZERS[checks.choice("optimizer", optimizer, tuple(OPTIMIZERS))](model, lr=lr)
    for step in range(steps):
        loss = model.loss(draw(rng, T, batch, model.dtype))
        model.backward()
        norm = global_norm(model.grads) if clip is None else clip_grad_norm(model.grads, clip)
        optimizer.step(model.grads)
        log.loss.append(loss)
        log.norm.append(float(norm))
        if (step + 1) % 100 == 0:
            mean = float(np.mean(log.loss[-100:]))
            if report:
                report(step + 1, mean)
            if mean < stop:
                break
    unseen, _ = model.vjp(draw(np.random.default_rng(seed + 1_000_000), T, 1000, model.dtype))
    return log._replace(error=float(unseen))


def main():
    parser = argparse.ArgumentParser(prog="python -m notes.studies.adding", description="Train a cell on the adding problem.")
    parser.add_argument("--T", type=int, default=50, help="steps of a sequence")
    parser.add_argument("--cell", choices=CELLS, default="lstm")
    parser.add_argument("--hidden", type=int, default=64, metavar="H")
    parser.add_argument("--init", choices=INITS, default="uniform", help="of the recurrent matrix")
    parser.add_argument("--keep-bias", type=float, default=0.0,
                        help="added to f and taken from i of an LSTM, added to z of a GRU")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--clip", type=float, default=1.0, help="largest norm of the gradient; 0 does not clip")
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    model = Adder(a.cell, a.hidden, a.init, a.keep_bias, rng=np.random.default_rng(a.seed))
    log = train(model, a.T, a.steps, a.batch, a.lr, a.clip or None, a.seed,
                lambda step, loss: print(f"step {step:5d}  mean squared error {loss:.4f}", flush=True))
    print(f"unseen sequences {log.error:.4f}, always saying 1 {GUESS:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
