"""``python -m reference.convert``: move the weights of recurrent layers between libraries, or say why outputs differ.

    FILE --to LIBRARY --out FILE      convert; the kind of file is its ending: .safetensors, .npz, .keras or .onnx
    list FILE                         which recurrent layers are in it
    diagnose WEIGHTS RUN              which convention makes the weights give the outputs; RUN is an .npz of x and y,
                                      and h_0, c_0, h_n, c_n if they are known
    compare A B                       which layout makes the outputs of A those of B; .npy, or an .npz with y

A library is one of
    {libraries}
or one of its layers, such as flax.nnx.LSTMCell.  "reference" is ours: the names of torch.nn, and a GRU of either kind.
With python -m torch_impl.convert, .pt files too.

Exit status: 0 done, found or in agreement; 1 nothing explains the difference; 2 what was asked for cannot be done.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..common.arrays import Array
from ..common.command import UsageError, above_zero, guarded, parser
from ..common.screen.prose import say
from . import files
from .comparison import compare
from .conventions import OURS, TABLE
from .diagnosis import Diagnosis, diagnose
from .files import Contents, Kind
from .finding import Found, find, rows
from .stacks import Stack, chosen, places_of, row, stack

LIBRARIES = tuple(dict.fromkeys(c.library.lower() for c in (*OURS, *TABLE) if not c.source))
Kinds = Mapping[str, Kind]
V = TypeVar("V", bool, str)


def main(arguments: Sequence[str] | None = None, package: str = "reference", more: Kinds = files.NONE) -> int:
    """Exit status: as above.  ``more`` are kinds of files beside those of reference."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = words.pop(0) if words and words[0] in COMMANDS else ""
    p = parser(f"python -m {package}.convert {name}".strip(), (__doc__ or "").replace("{libraries}", ", ".join(LIBRARIES)))
    declare, run = COMMANDS.get(name, (convert_words, convert))
    declare(p)
    options = p.parse_args(words)
    return guarded(partial(run, options, more))


def add_source(p: argparse.ArgumentParser) -> None:
    """What a file does not say of itself."""
    p.add_argument("--from", dest="library", metavar="LIBRARY", help="whose weights they are, where names and shapes do not say it")
    p.add_argument("--at", action="append", default=[], metavar="NAMES", help="only layers whose names begin so; or one layer, "
                   "encoder/linear/*, with * for what its arrays are called; more than one --at makes a stack")  # fmt: skip
    p.add_argument("--bidirectional", action=argparse.BooleanOptionalAction, help="each two layers are the two directions of one")
    p.add_argument("--reset", choices=("after", "before"), help="where a GRU resets (default: the library's)")
    p.add_argument("--nonlinearity", choices=("tanh", "relu"), help="of an RNN (default: the library's)")


def convert_words(p: argparse.ArgumentParser) -> None:
    p.add_argument("file", metavar="FILE", type=Path)
    p.add_argument("--to", required=True, metavar="LIBRARY")
    p.add_argument("--out", required=True, type=Path, metavar="FILE", help="is replaced if it is there")
    p.add_argument("--as", dest="places", action="append", default=[], metavar="NAMES",
                   help="what to call the arrays of a layer and direction: encoder/*; once for each")  # fmt: skip
    add_source(p)


def convert(options: argparse.Namespace, more: Kinds) -> int:
    found, given = source(options.file, options, more)
    names = files.write(options.out, given, options.to, options.places, more)
    say(f"read {options.file}: {found[0].convention.layer}, {places_of(found)}")
    say(f"wrote {options.out}: {row(given, options.to).layer}, {len(names)} arrays")
    return 0


def source(file: Path, options: argparse.Namespace, more: Kinds) -> tuple[list[Found], Stack]:
    """The layers that were asked for, and the stack they make."""
    contents = files.read(file, more)
    library = library_of(file, contents, options.library)
    places = [str(f.place) for f in chosen(contents.arrays, library, options.at)]
    reset = told("the reset", None if options.reset is None else options.reset == "after", contents.resets, places)
    phi = told("the nonlinearity", options.nonlinearity, contents.nonlinearities, places)
    found = chosen(contents.arrays, library, options.at, reset)
    return found, stack(found, options.bidirectional, reset, phi)


def library_of(file: Path, contents: Contents, asked: str | None) -> str | None:
    if contents.library and asked and rows(asked)[0].library.lower() != contents.library:
        raise UsageError(f"{file} holds a model of {contents.library}, not of {asked}")
    return asked or contents.library


def told(what: str, asked: V | None, by_name: Mapping[str, V], places: Sequence[str]) -> V | None:
    """What was asked for, or what the file says of layers.  UsageError: these are not the same."""
    said = {v for beginning, v in by_name.items() if any(place.startswith(beginning) for place in places)}
    if len(said | ({asked} - {None})) > 1:
        raise UsageError(f"{what} of {', '.join(places)} is not the same in all, or not what was asked for")
    return next(iter(said), asked)


def list_words(p: argparse.ArgumentParser) -> None:
    p.add_argument("file", metavar="FILE", type=Path)
    p.add_argument("--from", dest="library", metavar="LIBRARY")


def listed(options: argparse.Namespace, more: Kinds) -> int:
    contents = files.read(options.file, more)
    found = find(contents.arrays, library_of(options.file, contents, options.library))
    for f in found:
        I, H = f.sizes
        biases = "no biases" if f.params.b_ih is None else f"biases {f.convention.biases}"
        projected = "" if f.params.W_hr is None else f", projected to {len(f.params.W_hr)}"
        say(f"{f.place!s:32} {f.convention.layer:28} I {I:<5} H {H:<5} {f.params.W_ih.dtype}, {biases}{projected}")
    if not found:
        say(f"no recurrent layer among {len(contents.arrays)} arrays")
    return 0


def diagnose_words(p: argparse.ArgumentParser) -> None:
    p.add_argument("weights", metavar="WEIGHTS", type=Path)
    p.add_argument("run", metavar="RUN", type=Path, help="an .npz with x and y, perhaps h_0, c_0, h_n, c_n; some hundred forwards")
    add_source(p)
    add_tolerance(p)


def add_tolerance(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--tolerance", type=above_zero, metavar="SHARE", help="max|difference| that is allowed, over max|y| (default: by eps)"
    )


def diagnosed(options: argparse.Namespace, more: Kinds) -> int:
    _, given = source(options.weights, options, more)
    run = numbers(options.run)
    for name in ("x", "y"):
        if name not in run:
            raise UsageError(f"{options.run} has no {name}")
    for end in "0n":
        if f"c_{end}" in run and f"h_{end}" not in run:
            raise UsageError(f"{options.run} has c_{end}, but no h_{end}")
    states = [[run[f"{v}_{end}"] for v in "hc" if f"{v}_{end}" in run] for end in "0n"]
    return said(diagnose(given, run["x"], run["y"], states[0] or None, states[1], options.tolerance))


def numbers(path: Path) -> dict[str, Array]:
    """Arrays of floating-point numbers by name; one alone is y.  UsageError: there are others."""
    if path.suffix == ".npy":
        try:
            arrays = {"y": np.load(path, allow_pickle=False)}
        except files.DAMAGED as e:
            raise UsageError(f"{path} is damaged, or no .npy file of numbers: {e}") from e
    else:
        arrays = files.read_npz(path).arrays
    for name, v in arrays.items():
        if v.dtype.kind != "f":
            raise UsageError(f"{path}: {name} must be floating-point numbers, got {v.dtype}")
        if not np.isfinite(v).all():
            raise UsageError(f"{path}: {name} must be finite, and holds NaN or infinity")
    return arrays


def compare_words(p: argparse.ArgumentParser) -> None:
    p.add_argument("a", metavar="A", type=Path)
    p.add_argument("b", metavar="B", type=Path)
    add_tolerance(p)


def compared(options: argparse.Namespace, more: Kinds) -> int:
    pair = [numbers(path) for path in (options.a, options.b)]
    for path, arrays in zip((options.a, options.b), pair, strict=True):
        if "y" not in arrays:
            raise UsageError(f"{path} has no y")
    return said(compare(pair[0]["y"], pair[1]["y"], options.tolerance))


def said(d: Diagnosis) -> int:
    """Print it  ->  exit status"""
    figures = f"error {d.error:.1e} of max|y|, allowed {d.allowed:.1e}"
    if d.agree and not d.readings:
        say(f"they agree as they are: {figures}")
    elif d.agree:
        say(f"{'; '.join(d.readings)}: {figures}")
        say(*(f"or: {'; '.join(other)}" for other in d.others))
    else:
        say(f"nothing that is known explains the difference, nor two things together; {figures} with the nearest: "
              + ("; ".join(d.readings) or "as they are"))  # fmt: skip
    return 0 if d.agree else 1


Command = tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace, Kinds], int]]
COMMANDS: dict[str, Command] = {
    "list": (list_words, listed),
    "diagnose": (diagnose_words, diagnosed),
    "compare": (compare_words, compared),
}
