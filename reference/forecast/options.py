"""The command line of both backends."""

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..common.command import Parser, add_json, add_place, declare, flag, option, positive, positive_or_zero
from ..models.forecaster import MODES
from .series.fill import WAYS
from .series.packaged import DATASETS

# Window, horizon, validation and test part, if not given.
SIZES = {"sunspots": (48, 12, 0.15, 0.15), "weather": (28, 7, 0.15, 0.15), "tourism": (18, 24, 24, 24)}
OTHER = (24, 6, 0.15, 0.15)
EPOCHS, STEPS = 25, 800


def rising(text: str) -> list[float]:
    quantiles = [float(t) for t in text.split(",")]
    if not (all(0 < q < 1 for q in quantiles) and all(a < b for a, b in pairwise(quantiles)) and 0.5 in quantiles):
        raise argparse.ArgumentTypeError(f"must rise, lie between 0 and 1, and hold 0.5, which is the forecast; got {text}")
    return quantiles


rising.__name__ = "list of numbers"

# What defines a run; kept in its checkpoints, fixed when it goes on but for FREE.
RUN = {
    "data": option("sunspots", "a series that ships in a package (default: %(default)s)", choices=tuple(DATASETS)),
    "csv": option(None, "a file of your own, with a header line, instead of --data", type=Path),
    "time": option(None, "of --csv: dates or numbers; without it, rows are one step apart", metavar="COLUMN"),
    "target": option(None, "of --csv: what to forecast", metavar="COLUMN"),
    "features": option(None, "of --csv: what to read besides the target", metavar="COLUMN", nargs="+"),
    "known": option(
        None, "of --csv: what to read besides and is known ahead; rows after the last target say it", metavar="COLUMN", nargs="+"
    ),
    "id": option(None, "of --csv: tells several series in one file apart; one model for all", metavar="COLUMN"),
    "fill": option(None, "of --csv: what missing values and rows take; without it they are an error", choices=tuple(WAYS)),
    "sep": option(None, "of --csv: what stands between columns (default: what its first line shows)"),
    "decimal": option(None, "of --csv: . or , (default: what its numbers show)", choices=(".", ",")),
    "encoding": option(None, "of --csv (default: utf-8, or as its first bytes say)"),
    "date_format": option(None, "of --time: as %%d.%%m.%%Y, or 'number' (default: what its values show)"),
    "calendar": flag("read the place in the year, week and day besides, as points on circles, known ahead (weather has the year)"),
    "level": flag("read each window less its last value: for series that grow or drift"),
    "season": option(None, "steps after which the series is expected to repeat (default: by the frequency)", type=int),
    "validation": option(None, "share of the rows, or how many, before the test part (default: 0.15)", type=float),
    "test": option(None, "share of the rows, or how many, at the end (default: 0.15)", type=float),
    "window": option(None, "steps that are read", type=int),
    "horizon": option(None, "steps that are forecast", type=int),
    "mode": option("direct", "all steps at once; one after another; by a decoder (default: %(default)s)", choices=MODES),
    "quantiles": option(None, "forecast these by the quantile loss, as 0.1,0.5,0.9 (for direct)", type=rising),
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
PEERS = ("statsforecast",)
OF_A_FILE = ("time", "target", "features", "known", "id", "fill", "sep", "decimal", "encoding", "date_format")
FREE = ("epochs", "patience")
LEAST = {"window": 2, "horizon": 1, "hidden": 1, "layers": 1, "epochs": 1, "batch": 1, "patience": 1, "season": 1, "seed": 0}


def parser(package: str, engines: Sequence[str]) -> argparse.ArgumentParser:
    """train, evaluate, predict.  Options of a run that were not given are not in the result, so that it can keep its own."""
    top = Parser(
        prog=f"python -m {package}.forecast", description="Forecast a series: train a model, hold it against baselines, look ahead."
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    train = verbs.add_parser("train", help="train a model and evaluate it on the validation part")
    declare(train, RUN)
    train.add_argument("--run", "--out", type=Path, help="the run's folder (default: out/forecast/SERIES-MODE)")
    there = train.add_mutually_exclusive_group()
    resume = "go on from the folder's last checkpoint, with the options of the run; --epochs may be more"
    there.add_argument("--resume", action="store_true", help=resume)
    there.add_argument("--overwrite", action="store_true", help="drop the run that the folder holds")
    train.add_argument("--no-progress", action="store_true")
    train.add_argument("--tensorboard", action="store_true", help="write the log for TensorBoard too; needs tensorboardX")
    evaluate = verbs.add_parser("evaluate", help="figures on the test part, against the baselines; tables, plots, every forecast")
    predict = verbs.add_parser("predict", help="forecast what comes after the last row, as a CSV file")
    for p in (evaluate, predict):
        p.add_argument("--run", type=Path, required=True, help="the folder of the training run")
        p.add_argument("--no-plots", action="store_true")
    evaluate.add_argument("--part", choices=("test", "validation"), default="test")
    refits = "rolling origin: N blocks, before each of which all is trained anew on what came before"
    evaluate.add_argument("--refits", type=positive_or_zero, default=0, metavar="N", help=refits)
    peer = "a library by others on the same windows, in the same tables; it must be installed"
    evaluate.add_argument("--against", choices=PEERS, nargs="+", default=[], help=peer)
    predict.add_argument("--csv", type=Path, help="other rows, recent ones or all, with the columns that there were in training")
    predict.add_argument("--horizon", type=positive, help="steps to forecast (default: that of the training)")
    predict.add_argument("--out", type=Path, help="the file to write (default: forecast.csv in the run's folder)")
    for p in (train, evaluate, predict):
        add_place(p, engines)
    runs = verbs.add_parser("runs", help="list the runs below a folder, with their figures")
    runs.add_argument("folder", type=Path, nargs="?", default=Path("out"))
    for p in (train, evaluate, predict, runs):
        add_json(p)
    return top


def asked(given: argparse.Namespace) -> Options:
    """The options of a run that were given, as JSON has them."""
    o = {k: v for k, v in vars(given).items() if k in DEFAULTS}
    return o | ({"csv": str(o["csv"].resolve())} if o.get("csv") else {})


def settled(given: argparse.Namespace, before: Options = DEFAULTS) -> Options:
    """The options of ``train`` as JSON has them, the others from before.  ValueError: some do not fit, or are out of range."""
    o = {k: before.get(k, v) for k, v in DEFAULTS.items()} | asked(given)
    o["epochs"] = EPOCHS if o["epochs"] is None and o["csv"] is None else o["epochs"]
    usual = zip(("window", "horizon", "validation", "test"), OTHER if o["csv"] else SIZES[o["data"]], strict=True)
    o |= {name: value for name, value in usual if o[name] is None}
    csv, direct = o["csv"] is not None, o["mode"] == "direct"
    of_a_file = ", ".join(f"--{name.replace('_', '-')}" for name in OF_A_FILE if o[name] is not None)
    refused = {
        f"{of_a_file}: for a file of your own; give it with --csv": not csv and of_a_file,
        "--data and --csv are two series: give one of them": csv and "data" in given,
        "--csv needs --target, the column to forecast": csv and not o["target"],
        "--sampling is for the modes recursive and encdec: a direct forecast reads nothing of its own": direct
        and o["sampling"] != "none",
        "--quantiles are for the mode direct: a step that reads the median of the one before is too sure of itself": not direct
        and o["quantiles"],
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
