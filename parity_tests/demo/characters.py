"""A character model on both sides: the same first weights and batches, two loss curves, and text at several temperatures."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reference.char_lm import command
from reference.char_lm.generate import writer
from reference.char_lm.options import parser
from reference.common.run import LOG, read_log

from ..char_lm.runs import SIDES

NAMES = {"reference": "NumPy", "torch_impl": "PyTorch"}


class Curves(NamedTuple):
    """What both sides logged; a row for NumPy and one for PyTorch."""

    steps: np.ndarray  # (S,)
    losses: np.ndarray  # (2, S)   of each step, nats a character
    evaluated: np.ndarray  # (E,)     the steps after which there was an evaluation
    validation: np.ndarray  # (2, E)
    seconds: np.ndarray  # (2,)     from the first step to the last, evaluations and checkpoints included

    @property
    def apart(self) -> np.ndarray:
        """(S,) how far the losses of a step differ"""
        return abs(self.losses[0] - self.losses[1])

    def said(self) -> list[str]:
        """How far the two sides are apart, in sentences."""
        k, last = int(self.apart.argmax()), self.validation[:, -1]
        return [
            f"The training loss of the first step differs by {self.apart[0]:.1e} nats, of any step at most by "
            f"{self.apart[k]:.1e}, which is step {self.steps[k]}; on average by {self.apart.mean():.1e}.",
            f"Validation loss at the end: {last[0]:.4f} nats with NumPy, {last[1]:.4f} with PyTorch, "
            f"{abs(last[0] - last[1]):.1e} apart.",
        ]


class Texts(NamedTuple):
    prime: str
    temperatures: list[float]
    texts: list[str]  # with the prime
    parted: str  # where PyTorch wrote something else from the same checkpoint; "" if nowhere


class FailedError(Exception):
    """A command ended with this exit status, and has said why."""

    def __init__(self, status: int):
        super().__init__(f"exit status {status}")
        self.status = status


def train(folder: Path, options: Sequence[str]) -> dict[str, Path]:
    """``char_lm train`` on either side with the same options; -> the runs' folders.  FailedError: one did not finish."""
    runs = {package: folder / f"characters_{NAMES[package].lower()}" for package in SIDES}
    for package, run in runs.items():
        if status := command.main(SIDES[package], ["train", "--run", str(run), "--overwrite", *options]):
            raise FailedError(status)
    return runs


def curves(runs: dict[str, Path]) -> Curves:
    """What the two logs say."""
    logs = [read_log(run / LOG) for run in runs.values()]
    steps = [[e for e in log if "loss" in e] for log in logs]
    held = [[e for e in log if "validation" in e] for log in logs]
    return Curves(
        np.array([e["step"] for e in steps[0]]),
        np.array([[e["loss"] for e in s] for s in steps]),
        np.array([e["step"] for e in held[0]]),
        np.array([[e["validation"] for e in h] for h in held]),
        np.array([log[-1]["time"] - log[0]["time"] for log in logs]),
    )


def write(run: Path, temperatures: Sequence[float], length: int, prime: str) -> Texts:
    """Text from a run's checkpoint by NumPy, and whether PyTorch writes the same."""
    options = ["generate", "--run", str(run), "--length", str(length), "--prime", prime]
    written = []
    for package, side in SIDES.items():
        text = writer(side, vars(parser(package, side.engines).parse_args(options)))
        written.append([prime + "".join(text(t)) for t in temperatures])
    return Texts(prime, list(temperatures), written[0], parted(temperatures, *written))


def parted(temperatures: Sequence[float], ours: list[str], theirs: list[str]) -> str:
    for t, a, b in zip(temperatures, ours, theirs, strict=True):
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            if x != y:
                return f"temperature {t:g}, character {k + 1}: NumPy wrote {x!r}, PyTorch {y!r}"
    return ""
