"""The adding problem: which cell carries a gradient over T steps?  Measured in notes/gradient_flow.md

Two numbers of a sequence are marked, one in each half; the target is their sum.  A model that always says 1 has a mean
squared error of 1/6: two uniform numbers have a variance of 1/12 each.  To do better the model must remember a number
for up to T steps, and its gradient must come back as far (Hochreiter & Schmidhuber 1997; the two halves as in Arjovsky
et al. 2016).

    python -m reference.adding --T 200 --cell lstm
"""

import argparse
import sys
from typing import Any, NamedTuple

import numpy as np

from .layers import GRU, LSTM, RNN

GUESS = 1 / 6  # mean squared error of always saying 1
CELLS: dict[str, Any] = {"rnn": RNN, "relu": RNN, "lstm": LSTM, "gru": GRU}
KEEPS = {"lstm": {"f": 1, "i": -1}, "gru": {"z": 1}}  # what more of keeps the old state and writes less
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


class Adder:
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
    """

    def __init__(self, cell, hidden_size, init="uniform", keep_bias=0.0, *, dtype=np.float32, rng, engine="fast"):
        if keep_bias and cell not in KEEPS:
            raise ValueError(f"keep_bias needs a gate that keeps the old state, which {cell!r} lacks")
        options = {"nonlinearity": "relu"} if cell == "relu" else {}
        self.layer = CELLS[cell](2, hidden_size, dtype=dtype, rng=rng, engine=engine, **options)
        bound, H = hidden_size**-0.5, hidden_size
        head = {"weight": rng.uniform(-bound, bound, (1, H)), "bias": rng.uniform(-bound, bound, 1)}
        W = self.layer.params["weight_hh_l0"]
        if init != "uniform":
            W[...] = np.concatenate([square(init, H, rng) for _ in range(len(W) // H)])
        for gate, sign in KEEPS[cell].items() if keep_bias else ():
            k = self.layer.room.GATES.index(gate)
            self.layer.params["bias_hh_l0"][k * H : (k + 1) * H] += sign * keep_bias
        self.params = {f"rnn.{k}": v for k, v in self.layer.params.items()}
        self.params |= {f"head.{k}": v.astype(dtype) for k, v in head.items()}

    def vjp(self, batch):
        """Mean squared error and its pullback: ``loss, pullback``, with ``pullback() -> grads``."""
        y, _, pull = self.layer.vjp(batch.x)
        last, B = y[-1], len(batch.target)
        miss = last @ self.params["head.weight"][0] + self.params["head.bias"] - batch.target

        def pullback():
            d = 2 * miss / B
            dy = np.zeros_like(y)
            dy[-1] = d[:, None] * self.params["head.weight"]
            grads = {f"rnn.{k}": v for k, v in pull(dy)[0].items()}
            return grads | {"head.weight": (d @ last)[None], "head.bias": d.sum(keepdims=True)}

        return float((miss**2).mean()), pullback


def square(init, H, rng):
    """(H, H): the identity, or a random rotation (the Q of a normal matrix, its signs made unique)"""
    if init == "identity":
        return np.eye(H)
    Q, R = np.linalg.qr(rng.standard_normal((H, H)))
    return Q * np.sign(np.diag(R))


class Adam:
    """Kingma & Ba 2015, in place on the params."""

    def __init__(self, params, lr):
        self.params, self.lr, self.t = params, lr, 0
        self.m, self.v = ({k: np.zeros_like(p) for k, p in params.items()} for _ in range(2))

    def step(self, grads):
        self.t += 1
        for k, g in grads.items():
            self.m[k] += 0.1 * (g - self.m[k])
            self.v[k] += 0.001 * (g * g - self.v[k])
            size = np.sqrt(self.v[k] / (1 - 0.999**self.t)) + 1e-8
            self.params[k] -= self.lr / (1 - 0.9**self.t) * self.m[k] / size


def norm(grads):
    """The norm of all gradients as one vector"""
    return float(np.sqrt(sum((g.astype(np.float64)**2).sum() for g in grads.values())))


def train(model, T, steps=1000, batch=32, lr=1e-2, clip=1.0, seed=0, report=None, stop=0.0):
    """Adam on fresh sequences  ->  Log

    clip    bounds the gradient's norm; None does not
    report  called every hundred steps with the step and the mean loss of the hundred; when that is below ``stop``,
            training ends
    """
    rng, adam, log = np.random.default_rng(seed), Adam(model.params, lr), Log([], [], 0.0)
    for step in range(steps):
        loss, pullback = model.vjp(draw(rng, T, batch))
        grads = pullback()
        size = norm(grads)
        if clip is not None and size > clip:
            grads = {k: g * (clip / size) for k, g in grads.items()}
        adam.step(grads)
        log.loss.append(loss)
        log.norm.append(size)
        if (step + 1) % 100 == 0:
            mean = float(np.mean(log.loss[-100:]))
            if report:
                report(step + 1, mean)
            if mean < stop:
                break
    unseen, _ = model.vjp(draw(np.random.default_rng(seed + 1_000_000), T, 1000))
    return log._replace(error=unseen)


def main():
    parser = argparse.ArgumentParser(prog="python -m reference.adding", description="Train a cell on the adding problem.")
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
