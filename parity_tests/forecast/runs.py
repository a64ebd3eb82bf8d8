"""Runs of the forecast for its tests: a small series, and the command of both sides in this process."""

import csv
import shlex

import numpy as np
import pytest

from reference.forecast.backend import BACKEND
from reference.forecast.command import main
from reference.forecast.options import parser, settled
from reference.forecast.series import Series
from reference.forecast.series.frequency import frequency
from torch_impl.forecast.backend import BACKEND as TORCH

SIDES = {"reference": BACKEND, "torch_impl": TORCH}
both_sides = pytest.mark.parametrize("backend", SIDES)


def wave(rows=160, seed=0):
    """A noisy wave of period 12, and another that runs ahead of it: time, x, y"""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    x, y = (np.sin(2 * np.pi * (t + s) / 12) + 0.2 * rng.standard_normal(rows) for s in (0, 3))
    return [(str(np.datetime64("2000-01", "M") + k), f"{a:.6f}", f"{b:.6f}") for k, a, b in zip(t, x, y, strict=True)]


def noisy():
    """The same as a Series"""
    rows = wave()
    times = np.arange(len(rows))
    return Series("noisy", times, ("x", "y"), np.array([r[1:] for r in rows], float), frequency(times), 12)


def write(path, rows, header=("time", "x", "y")):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def options(*arguments):
    return settled(parser("reference", ("fast",)).parse_args(["train", *map(str, arguments)]))


def asked(file, *more):
    small = shlex.split("--window 8 --horizon 3 --season 12 --hidden 6 --epochs 2 --dtype float64 --no-progress")
    return ["train", "--csv", file, "--time", "time", "--target", "x", "--features", "y", *small, *more]


def command(backend, *arguments):
    return main(SIDES[backend], [str(a) for a in arguments])


def rows_of(file):
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def days(values, start="2024-01-01"):
    first = np.datetime64(start)
    return [(str(first + k), repr(float(v))) for k, v in enumerate(values)]


def small(file, run, *more, target="x"):
    sizes = ["--window", "8", "--horizon", "3", "--hidden", "4", "--epochs", "1", "--no-progress"]
    return ["train", "--csv", file, "--time", "time", "--target", target, *sizes, *more, "--run", run]
