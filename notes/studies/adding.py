"""The adding problem: which cell carries a gradient over T steps?  Measured in notes/gradients/gradient_flow.md

Two numbers of a sequence are marked, one in each half; the target is their sum.  A model that always answers 1 has a mean
squared error of 1/6: two uniform numbers have a variance of 1/12 each.  To do better the model must remember a number
for up to T steps, and its gradient must come back as far (Hochreiter & Schmidhuber 1997; the two halves as in Arjovsky
et al. 2016).

    python -m notes.studies.adding --T 200 --cell lstm      # trains one
    python -m notes.studies.adding --write                  # trains all of the note, and renews its table and picture
"""

import math
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import DTypeLike
from rich.progress import track

from reference.cells.layers import quiet
from reference.common import checks
from reference.common.arrays import Array
from reference.common.command import Parser, above_zero, at_least_zero, entered, number, positive, positive_or_zero
from reference.common.module import Grads, Pullback
from reference.common.screen.prose import say
from reference.models.model import Model
from reference.models.recurrent import hidden, of_hidden, recurrent
from reference.parts import losses
from reference.parts.modules import Linear
from reference.training.clip import clip_grad_norm, global_norm
from reference.training.init import SCHEMES, per_gate
from reference.training.optim import SGD, Adam

from ..generated import markdown
from . import drawing
from .study import Study

GUESS = 1 / 6  # mean squared error of always answering 1
CELLS = ("rnn", "relu", "lstm", "gru")
KEEPS: dict[str, dict[str, int]] = {"lstm": {"f": 1, "i": -1}, "gru": {"z": 1}}  # more keeps the old state
OPTIMIZERS = {"adam": Adam, "sgd": SGD}
INITS = ("uniform", "orthogonal", "identity")
RATES = {"rnn": 1e-3, "relu": 1e-3, "lstm": 1e-2, "gru": 1e-2}
# Of the table.
LENGTHS = (50, 200, 500)
STEPS, BATCH, HIDDEN, LEARNT, STOP = 2500, 32, 64, 0.01, 0.002
EVERY = 25  # steps to one point of a curve
Record = dict[str, Any]


class Batch(NamedTuple):
    x: Array  # (T, B, 2)   a number and its mark, 0 or 1
    target: Array  # (B,)


class Log(NamedTuple):
    loss: list[float]  # of each step's own batch
    norm: list[float]  # of the gradient, before clipping
    error: float  # mean squared error on sequences that training did not see


def draw(rng: np.random.Generator, T: int, B: int, dtype: DTypeLike = np.float32) -> Batch:
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
        LSTM's i, which writes (a GRU writes 1 - z by itself).  After about e^keep_bias steps 1/e of a state is left.
    dtype, rng, engine
        As for the layers.
    """

    def __init__(
        self, cell: str, hidden_size: int, init: str = "uniform", keep_bias: float = 0.0, *, engine: str = "fast", **more: Any
    ):
        super().__init__(**more)
        if keep_bias and cell not in KEEPS:
            raise ValueError(f"keep_bias needs a gate that keeps the old state, which {cell!r} lacks")
        relu = {"nonlinearity": "relu"} if checks.choice("cell", cell, CELLS) == "relu" else {}
        more = {"dtype": self.dtype, "rng": self.rng}
        self.rnn = recurrent("rnn" if relu else cell, 2, hidden_size, engine=engine, **relu, **more)
        self.head = Linear(hidden_size, 1, **more)
        if checks.choice("init", init, INITS) != "uniform":
            W = self.rnn.params["weight_hh_l0"]
            W[...] = per_gate(SCHEMES[init], self.rng, W.shape, len(W) // hidden_size)
        for gate, sign in KEEPS[cell].items() if keep_bias else ():
            k = self.rnn.room.GATES.index(gate) * hidden_size
            self.rnn.params["bias_hh_l0"][k : k + hidden_size] += sign * keep_bias

    @quiet
    def vjp(self, batch: Batch) -> tuple[Array, Pullback]:
        """Batch  ->  mean squared error, ``pullback(dloss=1.0) -> grads``"""
        _, s_n, pull_rnn = self.rnn.vjp(batch.x)
        z, pull_z = self.head.vjp(hidden(s_n)[-1])
        loss, cache = losses.mse_forward(z[:, 0], batch.target)

        def pullback(dloss: float = 1.0) -> Grads:
            head, dh = pull_z(losses.mse_backward(dloss, cache)[:, None])
            return self._gather(rnn=pull_rnn(None, of_hidden(dh[None], s_n))[0], head=head)

        return loss, pullback


def train(
    model: Adder,
    T: int,
    steps: int = 1000,
    batch: int = 32,
    lr: float = 1e-2,
    clip: float | None = 1.0,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
    stop: float = 0.0,
    optimizer: str = "adam",
) -> Log:
    """Fresh sequences at every step  ->  Log

    clip    bounds the gradient's norm; None does not
    report  called every hundred steps with the step and the mean loss of the hundred
    stop    training ends when that mean is below it
    """
    rng, log = np.random.default_rng(seed), Log([], [], 0.0)
    update = OPTIMIZERS[checks.choice("optimizer", optimizer, tuple(OPTIMIZERS))](model, lr=lr)
    for step in range(steps):
        loss = model.loss(draw(rng, T, batch, model.dtype))
        model.backward()
        norm = global_norm(model.grads) if clip is None else clip_grad_norm(model.grads, clip)
        update.step(model.grads)
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


def trained_for_the_table(T: int) -> dict[str, Record]:
    """The rows: constructor arguments of Adder."""
    keep = round(math.log(T / 4), 1)
    return {
        "RNN, tanh": {"cell": "rnn"},
        "RNN, tanh, orthogonal": {"cell": "rnn", "init": "orthogonal"},
        "RNN, relu, identity": {"cell": "relu", "init": "identity"},
        "LSTM": {"cell": "lstm"},
        "LSTM, gates open": {"cell": "lstm", "keep_bias": keep},
        "GRU": {"cell": "gru"},
        "GRU, gate open": {"cell": "gru", "keep_bias": keep},
    }


def run(steps: int = STEPS, lengths: tuple[int, ...] = LENGTHS, only: str | None = None) -> Iterator[Record]:
    """One record for each length and row, or for the row of that name only."""
    todo = [(T, name, options) for T in lengths for name, options in trained_for_the_table(T).items() if only in (None, name)]
    for T, name, options in track(todo, "adding", transient=True):
        model = Adder(hidden_size=HIDDEN, rng=np.random.default_rng(0), **options)
        log = train(model, T, steps, BATCH, RATES[options["cell"]], stop=STOP)
        loss = np.array(log.loss)
        curve = loss[: len(loss) // EVERY * EVERY].reshape(-1, EVERY).mean(1)
        learnt = np.flatnonzero(np.convolve(loss, np.full(100, 0.01), "valid") < LEARNT)
        yield {
            "T": T,
            "name": name,
            "error": finite(log.error),
            "steps": len(loss),
            "curve": [finite(v) for v in curve],
            "learnt": int(learnt[0]) + 100 if len(learnt) else None,
        }


def finite(v: float) -> float | None:
    """For JSON, which has no NaN: a loss that is no number any more is None"""
    return round(float(v), 5) if math.isfinite(v) else None


def table(records: list[Record]) -> str:
    """A Markdown table: a row for each cell, two columns for each length."""
    lengths = sorted({r["T"] for r in records})
    by_place = {(r["name"], r["T"]): r for r in records}

    def cells(name: str, T: int) -> tuple[str, str]:
        r = by_place.get((name, T))
        if r is None:
            return "", ""
        return ("diverged", "not") if r["error"] is None else (f"{r['error']:.4f}", str(r["learnt"] or "not"))

    head = ["cell", *(text for T in lengths for text in (f"T = {T}: error", "learnt at step"))]
    rows = [[name, *(text for T in lengths for text in cells(name, T))] for name in trained_for_the_table(4)]
    said = f"Always answering 1 has an error of {GUESS:.4f}. At most {max(r['steps'] for r in records)} steps of {BATCH} sequences"
    return "\n".join([*markdown(head, rows), "", f"{said}, H = {HIDDEN}, seed 0."])


def pictures(records: list[Record]) -> dict[str, Figure]:
    about = "Mean squared error of fresh sequences during training. Dotted: always saying 1."
    headings = [f"T = {n}" for n in LENGTHS]
    figure, axes = drawing.panels("The adding problem: which cell learns", about, headings, 1.9, right=1.75)
    for ax, n in zip(axes, LENGTHS, strict=True):
        curves = {r["name"]: np.array(r["curve"], float) for r in records if r["T"] == n}
        drawing.lines(ax, curves, 1e-4, 1e1, "step", EVERY)
        ax.axhline(GUESS, color=drawing.FOREGROUND, linewidth=0.7, linestyle=":")
    return {"gradient_flow_adding": figure}


STUDY = Study("adding", __doc__, lambda: list(run()), lambda records: {"": table(records)}, pictures)


def merged(records: list[Record]) -> list[Record]:
    """With what was kept before, in the order of the table."""
    latest = {(r["T"], r["name"]): r for r in [*(STUDY.kept() if STUDY.file.exists() else []), *records]}
    return [latest[T, name] for T in LENGTHS for name in trained_for_the_table(T) if (T, name) in latest]


def main() -> int:
    parser = Parser(prog="python -m notes.studies.adding", description="Train a cell on the adding problem.")
    add = parser.add_argument
    add("--T", type=positive, help="steps of a sequence (default: 50, and for the table 50, 200 and 500)")
    add("--cell", choices=CELLS, default="lstm")
    add("--hidden", type=positive, default=64, metavar="H")
    add("--init", choices=INITS, default="uniform", help="of the recurrent matrix")
    add(
        "--keep-bias",
        type=number(float, math.isfinite, "finite"),
        default=0.0,
        help="added to f and taken from i of an LSTM, added to z of a GRU",
    )
    add("--steps", type=positive, default=1000)
    add("--batch", type=positive, default=32)
    add("--lr", type=above_zero, default=1e-2)
    add("--clip", type=at_least_zero, default=1.0, help="largest norm of the gradient; 0 does not clip")
    add("--seed", type=positive_or_zero, default=0)
    add("--row", choices=trained_for_the_table(4), help="train this row of the note's table, and print the table")
    all_rows = "train every row at every length, or --row and --T only, and renew the note; the rest stays"
    add("--write", action="store_true", help=all_rows)
    a = parser.parse_args()
    if a.row or a.write:
        records = merged(list(run(lengths=(a.T,) if a.T else LENGTHS, only=a.row)))
        say(table(records))
        if a.write:
            STUDY.keep(records)
        return 0
    model = Adder(a.cell, a.hidden, a.init, a.keep_bias, rng=np.random.default_rng(a.seed))

    def report(step: int, loss: float) -> None:
        print(f"step {step:5d}  mean squared error {loss:.4f}", flush=True)

    log = train(model, a.T or 50, a.steps, a.batch, a.lr, a.clip or None, a.seed, report)
    say(f"unseen sequences {log.error:.4f}, always answering 1 {GUESS:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
