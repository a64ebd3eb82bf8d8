"""The command line of the character model, the same for both backends."""

import argparse
import re
from collections.abc import Sequence

from ..common.command import (
    Parser,
    above_zero,
    add_json,
    add_place,
    at_least_zero,
    declare,
    finite,
    flag,
    option,
    positive,
    positive_or_zero,
    share,
)
from ..training.init import SCHEMES
from ..training.optim import OPTIMIZERS

ESCAPES = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}


def escaped(text: str) -> str:
    r"""With \n, \t and \\ as what they stand for"""
    return re.sub(r"\\[nt\\]", lambda m: ESCAPES[m[0]], text)


TEXT = {
    "text": option(None, "instead of the plays", nargs="+", metavar="FILE"),
    "encoding": option("utf-8", "of the files (default: %(default)s)"),
    "separator": option("", r"what to put between several files; \n and \t are understood (default: nothing)", type=escaped),
}
# What defines a run: the same on both backends, kept in its folder, fixed when it goes on.
RUN = TEXT | {
    "bytes": flag("learn bytes instead of characters: any file, as it is"),
    "from": option(None, "begin with the weights of another run: its folder, or a checkpoint in it", metavar="RUN"),
    "cell": option("lstm", choices=("rnn", "lstm", "gru")),
    "layers": option(1, type=positive),
    "size": option(256, "hidden units of a layer (default: %(default)s)", type=positive),
    "embedding": option(64, "numbers that stand for a character (default: %(default)s); with --tied it is the size", type=positive),
    "dropout": option(0.0, type=share),
    "tied": flag("one matrix for embedding and output"),
    "init": option("default", "first weights of the recurrent layers (default: torch's)", choices=("default", *SCHEMES)),
    "forget_bias": option(0.0, "of an LSTM's forget gate; 0: torch's (default: %(default)s)", type=finite),
    "optimizer": option("adam", choices=[k.lower() for k in OPTIMIZERS]),
    "lr": option(0.004, "largest learning rate; may be another one with --resume (default: %(default)s)", type=above_zero),
    "schedule": option("cosine", choices=("cosine", "constant", "step")),
    "clip": option(1.0, "largest norm of the gradients; 0 does not clip (default: %(default)s)", type=at_least_zero),
    "batch": option(32, "streams side by side (default: %(default)s)", type=positive),
    "window": option(64, "steps that a gradient goes back (default: %(default)s)", type=positive),
    "seconds": option(110.0, "about how long to train; with --resume, how much longer (default: %(default)s)", type=above_zero),
    "steps": option(None, "instead of seconds, in all; the same steps give the same model", type=positive),
    "every": option(250, "steps between two evaluations (default: %(default)s)", type=positive),
    "save_every": option(100, "steps between two checkpoints (default: %(default)s)", type=positive),
    "seed": option(0, type=positive_or_zero),
    "dtype": option("float32", choices=("float32", "float64")),
}
DEFAULTS = {name: how["default"] for name, how in RUN.items()}
LATER = ("separator", "bytes", "from")  # options that runs of an earlier version do not have


def several(text: str) -> list[float]:
    return [at_least_zero(t) for t in text.split(",")]


several.__name__ = "list of numbers"


def parser(package: str, engines: Sequence[str]) -> argparse.ArgumentParser:
    """Options of a run that were not given are not in the result, so that a run that goes on keeps its own."""
    top = Parser(prog=f"python -m {package}.char_lm", description="A model of a text's next character.")
    commands = top.add_subparsers(dest="command", required=True)

    def command(name: str, text: str, what: str = "folder of a run, or a checkpoint in one") -> argparse.ArgumentParser:
        p = commands.add_parser(name, help=text, description=text, argument_default=argparse.SUPPRESS)
        p.add_argument("--run", default="out/char_lm", help=f"{what} (default: %(default)s)")
        add_place(p, engines)
        add_json(p)
        return p

    train = command("train", "train on the plays of Shakespeare, or on a text of your own", "folder of the run")
    declare(train, RUN, ("seconds", "steps"))
    there = train.add_mutually_exclusive_group()
    there.add_argument("--resume", action="store_true", default=False, help="go on with the run in the folder")
    there.add_argument("--overwrite", action="store_true", default=False, help="drop the run that the folder holds")
    board = "write the log for TensorBoard too; needs tensorboardX"
    train.add_argument("--tensorboard", action="store_true", default=False, help=board)
    train.add_argument("--quiet", action="store_true", default=False, help="no bar and no samples")
    add_generating(command("generate", "write text"))
    evaluate = command("evaluate", "figures on text that was not learned")
    declare(evaluate, TEXT)
    add_unknown(evaluate, "of --text")
    parts = ("train", "validation", "test", "all")
    evaluate.add_argument("--part", choices=parts, help="of the text (default: test; all of another --text)")
    runs = commands.add_parser("runs", help="list the runs below a folder, with their figures")
    runs.add_argument("run", metavar="folder", nargs="?", default="out")
    add_json(runs)
    return top


def add_generating(p: argparse.ArgumentParser) -> None:
    prime = p.add_mutually_exclusive_group()
    prime.add_argument("--prime", default="", help="text to begin with")
    prime.add_argument("--prime-file", metavar="FILE", help="a file that holds it, instead")
    declare(p, {"encoding": option("utf-8", "of --prime-file (default: %(default)s)")})
    add_unknown(p, "of the prime")
    p.add_argument("--length", type=positive, default=1000, help="characters, or bytes after --bytes (default: %(default)s)")
    hot = p.add_mutually_exclusive_group()
    hot.add_argument("--temperature", type=at_least_zero, default=0.8, help="0 takes the most likely (default: %(default)s)")
    hot.add_argument("--temperatures", type=several, metavar="T,T,...", help="several side by side")
    p.add_argument("--top-k", type=positive, help="draw from the k most likely only")
    p.add_argument("--top-p", type=above_zero, help="draw from the likeliest that together have this probability")
    p.add_argument("--seed", type=positive_or_zero, default=0)
    p.add_argument("--width", type=positive, help="columns of the terminal, for --temperatures")


def add_unknown(p: argparse.ArgumentParser, which: str) -> None:
    ways = ("error", "skip", "replace")
    text = f"what to do with characters {which} that the model does not know (default: %(default)s)"
    p.add_argument("--unknown", choices=ways, default="error", help=text)
