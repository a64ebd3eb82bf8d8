"""The command line of both backends."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..common.command import add_place, declare, flag, option
from ..models.forecaster import MODES
from .data import DATASETS

SIZES = {"sunspots": (48, 12), "weather": (28, 7)}  # window and horizon, if not given
OTHER = (24, 6)
EPOCHS, STEPS = 25, 800
# What defines a run; kept in its checkpoints, fixed when it goes on but for FREE.
RUN = {
    "data": option("sunspots", "a series that ships in a package (default: %(default)s)", choices=tuple(DATASETS)),
    "csv": option(None, "a file of your own, with a header line, instead of --data", type=Path),
    "time": option(None, "of --csv: dates or numbers; without it, rows are one step apart", metavar="COLUMN"),
    "target": option(None, "of --csv: what to forecast", metavar="COLUMN"),
    "features": option(None, "of --csv: what to read besides the target", metavar="COLUMN", nargs="+"),
    "missing": option(
        "error", "of --csv: missing values are an error, or take the value before them", choices=("error", "previous")
    ),
    "calendar": flag("read the time of the year besides, as a point on a circle (weather has it)"),
    "season": option(None, "steps after which the series is expected to repeat (for the baseline)", type=int),
    "validation": option(0.15, "share of the rows, before the test part (default: %(default)s)", type=float),
    "test": option(0.15, "share of the rows, at the end (default: %(default)s)", type=float),
    "window": option(None, "steps that are read", type=int),
    "horizon": option(None, "steps that are forecast", type=int),
    "mode": option("direct", "all steps at once; one after another; by a decoder (default: %(default)s)", choices=MODES),
    "cell": option("gru", choices=("rnn", "lstm", "gru")),
    "hidden": option(32, type=int),
    "layers": option(1, type=int),
    "dropout": option(0.0, "between the layers (default: %(default)s)", type=float),
    "sampling": option(
        "none",
        "scheduled sampling: none reads the truth always, free never (not for direct)",
        choices=("none", "linear", "sigmoid", "free"),
    ),
    "dtype": option("float32", choices=("float32", "float64")),
    "epochs": option(None, "passes over the training part (default: 25; for --csv 800 steps, but 25 passes at least)", type=int),
    "batch": option(64, type=int),
    "lr": option(3e-3, type=float),
    "weight_decay": option(0.01, type=float),
    "patience": option(None, "stop after so many passes without a better validation loss", type=int),
    "seed": option(0, type=int),
}
DEFAULTS = {name: how["default"] for name, how in RUN.items()}
Options = dict[str, Any]  # like DEFAULTS
FREE = ("epochs", "patience")
LEAST = {"window": 2, "horizon": 1, "hidden": 1, "layers": 1, "epochs": 1, "batch": 1, "patience": 1, "season": 1, "seed": 0}


def parser(package: str, engines: Sequence[str]) -> argparse.ArgumentParser:
    """train, evaluate, predict.  Options of a run that were not given are not in the result, so that it can keep its own."""
    top = argparse.ArgumentParser(
        prog=f"python -m {package}.forecast", description="Forecast a series: train a model, hold it against baselines, look ahead."
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    train = verbs.add_parser("train", help="train a model and evaluate it on the validation part")
    declare(train, RUN)
    train.add_argument("--out", type=Path, help="the run's folder (default: out/forecast/SERIES-MODE)")
    there = train.add_mutually_exclusive_group()
    resume = "go on from the folder's last checkpoint, with the options of the run; --epochs may be more"
    there.add_argument("--resume", action="store_true", help=resume)
    there.add_argument("--overwrite", action="store_true", help="drop the run that the folder holds")
    train.add_argument("--no-progress", action="store_true")
    evaluate = verbs.add_parser("evaluate", help="figures on the test part, against the baselines; tables and plots")
    evaluate.add_argument("--run", type=Path, required=True, help="the folder of the training run")
    evaluate.add_argument("--part", choices=("test", "validation"), default="test")
    refits = "rolling origin: N blocks, before each of which all is trained anew on what came before"
    evaluate.add_argument("--refits", type=int, default=0, metavar="N", help=refits)
    predict = verbs.add_parser("predict", help="forecast what comes after the last row, as a CSV file")
    predict.add_argument("--run", type=Path, required=True, help="the folder of the training run")
    predict.add_argument("--csv", type=Path, help="the file as it is now, with the columns it had in training")
    predict.add_argument("--out", type=Path, help="the file to write (default: forecast.csv in the run's folder)")
    for p in (evaluate, predict):
        p.add_argument("--no-plots", action="store_true")
    for p in (train, evaluate, predict):
        add_place(p, engines)
    return top


def asked(given: argparse.Namespace) -> Options:
    """The options of a run that were given, as JSON has them."""
    o = {k: v for k, v in vars(given).items() if k in DEFAULTS}
    return o | ({"csv": str(o["csv"].resolve())} if o.get("csv") else {})


def settled(given: argparse.Namespace, before: Options = DEFAULTS) -> Options:
    """The options of ``train`` as JSON has them, the others from before.  ValueError: some do not fit, or are out of range."""
    o = {k: before.get(k, v) for k, v in DEFAULTS.items()} | asked(given)
    o["epochs"] = EPOCHS if o["epochs"] is None and o["csv"] is None else o["epochs"]
    window, horizon = OTHER if o["csv"] else SIZES[o["data"]]
    o["window"], o["horizon"] = (d if o[k] is None else o[k] for k, d in (("window", window), ("horizon", horizon)))
    csv, columns, direct = o["csv"] is not None, o["time"] or o["target"] or o["features"], o["mode"] == "direct"
    refused = {
        "--time, --target and --features are columns of a file: give it with --csv": not csv and columns,
        "--missing is for a file: give it with --csv": not csv and o["missing"] != "error",
        "--data and --csv are two series: give one of them": csv and "data" in given,
        "--csv needs --target, the column to forecast": csv and not o["target"],
        "--sampling is for the modes recursive and encdec: a direct forecast reads nothing of its own": direct
        and o["sampling"] != "none",
    }
    for name, least in LEAST.items():
        refused[f"--{name} must be at least {least}, got {o[name]}"] = o[name] is not None and o[name] < least
    rates = 0 < o["lr"] < float("inf") and 0 <= o["weight_decay"] < float("inf")
    refused |= {
        f"--lr must be above 0 and --weight-decay not below, got {o['lr']} and {o['weight_decay']}": not rates,
        f"--dropout must be from 0 to 1, got {o['dropout']}": not 0 <= o["dropout"] <= 1,
        "--dropout is between the layers, so it needs --layers of at least 2": o["dropout"] and o["layers"] == 1,
    }
    for sentence, applies in refused.items():
        if applies:
            raise ValueError(sentence)
    return o
