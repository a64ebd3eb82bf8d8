"""The command line of the character model, the same for both backends."""

import argparse
from collections.abc import Sequence
from typing import Any

from ..common.command import above_zero, at_least_zero, finite, positive, positive_or_zero, share
from ..training.init import SCHEMES
from ..training.optim import OPTIMIZERS

SCHEDULES = ("cosine", "constant", "step")
# What defines a run: the same on both backends, kept in its folder, fixed when it goes on.
DEFAULTS: dict[str, Any] = {
    "text": None,
    "encoding": "utf-8",
    "cell": "lstm",
    "layers": 1,
    "size": 256,
    "embedding": 64,
    "dropout": 0.0,
    "tied": False,
    "init": "default",
    "forget_bias": 0.0,
    "optimizer": "adam",
    "lr": 0.004,
    "schedule": "cosine",
    "clip": 1.0,
    "batch": 32,
    "window": 64,
    "seconds": 110.0,
    "steps": None,
    "every": 250,
    "save_every": 100,
    "seed": 0,
    "dtype": "float32",
}


def several(text: str) -> list[float]:
    return [at_least_zero(t) for t in text.split(",")]


several.__name__ = "list of numbers"


def parser(package: str, engines: Sequence[str]) -> argparse.ArgumentParser:
    """Options that were not given are not in the result, so that a run that goes on keeps its own."""
    top = argparse.ArgumentParser(prog=f"python -m {package}.char_lm", description="A model of a text's next character.")
    commands = top.add_subparsers(dest="command", required=True)
    train = command(commands, "train", "train on the plays of Shakespeare, or on a text of your own", engines)
    add_text(train)
    add_training(train)
    generate = command(commands, "generate", "write text", engines)
    add_generating(generate)
    evaluate = command(commands, "evaluate", "figures on text that was not learned", engines)
    add_text(evaluate)
    evaluate.add_argument(
        "--part", choices=("train", "validation", "test", "all"), help="of the text (default: test; all of another --text)"
    )
    return top


def command(commands: argparse._SubParsersAction, name: str, text: str, engines: Sequence[str]) -> argparse.ArgumentParser:
    p = commands.add_parser(name, help=text, description=text, argument_default=argparse.SUPPRESS)
    what = "folder of the run" if name == "train" else "folder of a run, or a checkpoint in one"
    p.add_argument("--run", default="out/char_lm", help=f"{what} (default: %(default)s)")
    p.add_argument("--engine", choices=engines, default=engines[0], help="how the recurrence is computed")
    p.add_argument("--device", default="cpu", help="cpu; with torch_impl also cuda")
    p.add_argument("--compile", action="store_true", default=False, help="torch_impl: compile the recurrent step")
    return p


def add_text(p: argparse.ArgumentParser) -> None:
    p.add_argument("--text", nargs="+", metavar="FILE", help="instead of the plays")
    p.add_argument("--encoding", help="of the files (default: utf-8)")


def add_training(p: argparse.ArgumentParser) -> None:
    d = {k: f"(default: {v})" for k, v in DEFAULTS.items()}
    p.add_argument("--cell", choices=("rnn", "lstm", "gru"), help=d["cell"])
    p.add_argument("--layers", type=positive, help=d["layers"])
    p.add_argument("--size", type=positive, help=f"hidden units of a layer {d['size']}")
    p.add_argument(
        "--embedding", type=positive, help=f"numbers that stand for a character {d['embedding']}; with --tied it is the size"
    )
    p.add_argument("--dropout", type=share, help=d["dropout"])
    p.add_argument("--tied", action="store_true", help="one matrix for embedding and output")
    p.add_argument("--init", choices=("default", *SCHEMES), help="first weights of the recurrent layers (default: torch's)")
    p.add_argument("--forget-bias", type=finite, help=f"of an LSTM's forget gate; 0: torch's {d['forget_bias']}")
    p.add_argument("--optimizer", choices=[k.lower() for k in OPTIMIZERS], help=d["optimizer"])
    p.add_argument("--lr", type=above_zero, help=d["lr"])
    p.add_argument("--schedule", choices=SCHEDULES, help=d["schedule"])
    p.add_argument("--clip", type=at_least_zero, help=f"largest norm of the gradients; 0 does not clip {d['clip']}")
    p.add_argument("--batch", type=positive, help=f"streams side by side {d['batch']}")
    p.add_argument("--window", type=positive, help=f"steps that a gradient goes back {d['window']}")
    long = p.add_mutually_exclusive_group()
    long.add_argument("--seconds", type=above_zero, help=f"about how long to train {d['seconds']}")
    long.add_argument("--steps", type=positive, help="instead of seconds; the same steps give the same model")
    p.add_argument("--every", type=positive, help=f"steps between two evaluations {d['every']}")
    p.add_argument("--save-every", type=positive, help=f"steps between two checkpoints {d['save_every']}")
    p.add_argument("--seed", type=positive_or_zero, help=d["seed"])
    p.add_argument("--dtype", choices=("float32", "float64"), help=d["dtype"])
    there = p.add_mutually_exclusive_group()
    there.add_argument("--resume", action="store_true", default=False, help="go on with the run in the folder")
    there.add_argument("--overwrite", action="store_true", default=False, help="drop the run that the folder holds")
    p.add_argument("--quiet", action="store_true", default=False, help="no bar and no samples")


def add_generating(p: argparse.ArgumentParser) -> None:
    p.add_argument("--prime", default="", help="text to begin with")
    p.add_argument("--length", type=positive, default=1000, help="characters (default: %(default)s)")
    hot = p.add_mutually_exclusive_group()
    hot.add_argument("--temperature", type=at_least_zero, default=0.8, help="0 takes the most likely (default: %(default)s)")
    hot.add_argument("--temperatures", type=several, metavar="T,T,...", help="several side by side")
    p.add_argument("--top-k", type=positive, help="draw from the k most likely only")
    p.add_argument("--top-p", type=above_zero, help="draw from the likeliest that together have this probability")
    p.add_argument("--seed", type=positive_or_zero, default=0)
    p.add_argument("--width", type=positive, help="columns of the terminal, for --temperatures")
