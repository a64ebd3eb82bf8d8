"""The command line of both backends."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..models.forecaster import MODES
from .data import DATASETS

SIZES = {"sunspots": (48, 12), "weather": (28, 7)}  # window and horizon, if not given
OTHER = (24, 6)
EPOCHS, STEPS = 25, 800
SAMPLING = ("none", "linear", "sigmoid", "free")
# What defines a run; kept in its checkpoints, fixed when it goes on but for FREE.
DEFAULTS: dict[str, Any] = {
    "data": "sunspots",
    "csv": None,
    "time": None,
    "target": None,
    "features": None,
    "missing": "error",
    "season": None,
    "calendar": False,
    "validation": 0.15,
    "test": 0.15,
    "window": None,
    "horizon": None,
    "mode": "direct",
    "cell": "gru",
    "hidden": 32,
    "layers": 1,
    "dropout": 0.0,
    "sampling": "none",
    "dtype": "float32",
    "epochs": None,
    "batch": 64,
    "lr": 3e-3,
    "weight_decay": 0.01,
    "patience": None,
    "seed": 0,
}
Options = Mapping[str, Any]  # like DEFAULTS
FREE = ("epochs", "patience")


def parser(package: str) -> argparse.ArgumentParser:
    """train, evaluate, predict.  Options of a run that were not given are not in the result, so that it can keep its own."""
    top = argparse.ArgumentParser(
        prog=f"python -m {package}.forecast", description="Forecast a series: train a model, hold it against baselines, look ahead."
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    train = verbs.add_parser(
        "train", help="train a model and evaluate it on the validation part", argument_default=argparse.SUPPRESS
    )
    for add in (_data, _model, _training):
        add(train)
    evaluate = verbs.add_parser("evaluate", help="figures on the test part, against the baselines; tables and plots")
    evaluate.add_argument("--run", type=Path, required=True, help="the folder of the training run")
    evaluate.add_argument("--part", choices=("test", "validation"), default="test")
    evaluate.add_argument(
        "--refits",
        type=int,
        default=0,
        metavar="N",
        help="rolling origin: N blocks, before each of which all is trained anew on what came before",
    )
    predict = verbs.add_parser("predict", help="forecast what comes after the last row, as a CSV file")
    predict.add_argument("--run", type=Path, required=True, help="the folder of the training run")
    predict.add_argument("--csv", type=Path, help="the file as it is now, with the columns it had in training")
    predict.add_argument("--out", type=Path, help="the file to write (default: forecast.csv in the run's folder)")
    for p in (evaluate, predict):
        p.add_argument("--no-plots", action="store_true")
    for p in (train, evaluate, predict):
        p.add_argument("--device", default="cpu", help="cpu; with torch_impl also cuda")
        p.add_argument("--compile", action="store_true", default=False, help="torch_impl: compile the recurrent step")
    return top


def _data(p: argparse.ArgumentParser) -> None:
    p.add_argument("--data", choices=tuple(DATASETS), help="a series that ships in a package (default: sunspots)")
    p.add_argument("--csv", type=Path, help="a file of your own, with a header line, instead of --data")
    p.add_argument("--time", metavar="COLUMN", help="of --csv: dates or numbers; without it, rows are one step apart")
    p.add_argument("--target", metavar="COLUMN", help="of --csv: what to forecast")
    p.add_argument("--features", metavar="COLUMN", nargs="+", help="of --csv: what to read besides the target")
    p.add_argument(
        "--missing", choices=("error", "previous"), help="of --csv: missing values are an error, or take the value before them"
    )
    p.add_argument(
        "--calendar", action="store_true", help="read the time of the year besides, as a point on a circle (weather has it)"
    )
    p.add_argument("--season", type=int, help="steps after which the series is expected to repeat (for the baseline)")
    p.add_argument("--validation", type=float, help="share of the rows, before the test part (default: 0.15)")
    p.add_argument("--test", type=float, help="share of the rows, at the end (default: 0.15)")


def _model(p: argparse.ArgumentParser) -> None:
    d = {k: f"(default: {v})" for k, v in DEFAULTS.items()}
    p.add_argument("--window", type=int, help="steps that are read")
    p.add_argument("--horizon", type=int, help="steps that are forecast")
    p.add_argument("--mode", choices=MODES, help="all steps at once; one after another; by a decoder (default: direct)")
    p.add_argument("--cell", choices=("rnn", "lstm", "gru"), help=d["cell"])
    p.add_argument("--hidden", type=int, help=d["hidden"])
    p.add_argument("--layers", type=int, help=d["layers"])
    p.add_argument("--dropout", type=float, help=f"between the layers {d['dropout']}")
    p.add_argument(
        "--sampling", choices=SAMPLING, help="scheduled sampling: none reads the truth always, free never (not for direct)"
    )
    p.add_argument("--dtype", choices=("float32", "float64"), help=d["dtype"])


def _training(p: argparse.ArgumentParser) -> None:
    d = {k: f"(default: {v})" for k, v in DEFAULTS.items()}
    p.add_argument(
        "--epochs", type=int, help="passes over the training part (default: 25; for --csv 800 steps, but 25 passes at least)"
    )
    p.add_argument("--batch", type=int, help=d["batch"])
    p.add_argument("--lr", type=float, help=d["lr"])
    p.add_argument("--weight-decay", type=float, help=d["weight_decay"])
    p.add_argument("--patience", type=int, help="stop after so many passes without a better validation loss")
    p.add_argument("--seed", type=int, help=d["seed"])
    p.add_argument("--out", type=Path, default=None, help="the run's folder (default: out/forecast/SERIES-MODE)")
    there = p.add_mutually_exclusive_group()
    there.add_argument(
        "--resume",
        action="store_true",
        default=False,
        help="go on from the folder's last checkpoint, with the options of the run; --epochs may be more",
    )
    there.add_argument("--overwrite", action="store_true", default=False, help="drop the run that the folder holds")
    p.add_argument("--no-progress", action="store_true", default=False)


def asked(given: argparse.Namespace) -> dict[str, Any]:
    """The options of a run that were given, as JSON has them."""
    o = {k: v for k, v in vars(given).items() if k in DEFAULTS}
    return o | ({"csv": str(o["csv"].resolve())} if o.get("csv") else {})


def settled(given: argparse.Namespace, before: Options = DEFAULTS) -> dict[str, Any]:
    """The options of ``train`` as JSON has them, the others from before.

    Raises
    ------
    ValueError
        Options that do not go together, or are out of range.
    """
    o = {k: before.get(k, v) for k, v in DEFAULTS.items()} | asked(given)
    if o["csv"] is None and (o["time"] or o["target"] or o["features"]):
        raise ValueError("--time, --target and --features are columns of a file: give it with --csv")
    if o["csv"] is None and o["missing"] != "error":
        raise ValueError("--missing is for a file: give it with --csv")
    if o["csv"] is not None and "data" in given:
        raise ValueError("--data and --csv are two series: give one of them")
    if o["csv"] is not None and not o["target"]:
        raise ValueError("--csv needs --target, the column to forecast")
    if o["mode"] == "direct" and o["sampling"] != "none":
        raise ValueError("--sampling is for the modes recursive and encdec: a direct forecast reads nothing of its own")
    o["epochs"] = EPOCHS if o["epochs"] is None and o["csv"] is None else o["epochs"]
    window, horizon = OTHER if o["csv"] else SIZES[o["data"]]
    o["window"], o["horizon"] = (d if o[k] is None else o[k] for k, d in (("window", window), ("horizon", horizon)))
    in_range(o)
    return o


def in_range(o: Options) -> None:
    """ValueError: a number that means nothing."""
    for name, least in (
        ("window", 2),
        ("horizon", 1),
        ("hidden", 1),
        ("layers", 1),
        ("epochs", 1),
        ("batch", 1),
        ("patience", 1),
        ("season", 1),
        ("seed", 0),
    ):
        if o[name] is not None and o[name] < least:
            raise ValueError(f"--{name} must be at least {least}, got {o[name]}")
    if not 0 < o["lr"] < float("inf") or not 0 <= o["weight_decay"] < float("inf"):
        raise ValueError(f"--lr must be above 0 and --weight-decay not below, got {o['lr']} and {o['weight_decay']}")
    if not 0 <= o["dropout"] <= 1:
        raise ValueError(f"--dropout must be from 0 to 1, got {o['dropout']}")
    if o["dropout"] and o["layers"] == 1:
        raise ValueError("--dropout is between the layers, so it needs --layers of at least 2")
