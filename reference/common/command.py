"""What every command of this project does alike: what goes wrong is one sentence and an exit status.

0    done; also where whoever read the output has seen enough
2    something was asked for that cannot be done, or the output could not be written
130  Ctrl-C
"""

import argparse
import copy
import math
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn, TypeAlias, TypeVar

from .checkpoint import CheckpointError
from .checks import UsageError as UsageError
from .output import as_json, shielded, whole
from .run import NonFiniteError
from .screen.prose import filled, refilled, say

Model: TypeAlias = Any  # of either backend
Option: TypeAlias = dict[str, Any]  # what argparse is told of an option
N = TypeVar("N", int, float)
SHORT = 24  # letters
NO_MEMORY = "there is not enough memory for a model of this size"
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # the words of NumPy, CUDA and torch


class SilentError(Exception):
    """Something went wrong, and another process of the run says what."""


Answer: TypeAlias = int | dict[str, Any] | list[Any]  # an exit status; or it is 0, and this is what --json prints


def guarded(
    command: Callable[[], Answer], place: Path | str | None = None, interrupted: str = "interrupted", *, json: bool = False
) -> int:
    """The exit status of a command, its errors as one sentence on the error stream.

    ``place`` is what an OSError that names no file is about, ``interrupted`` what is said after Ctrl-C.  With ``json`` the
    output is the answer and nothing else; what people read goes to the error stream.
    """
    with shielded() as output:
        with redirect_stdout(sys.stderr) if json else nullcontext():
            answer = answered(command, place, interrupted)
        if isinstance(answer, int):
            status = answer
        else:
            status = 0
            if json:
                print(as_json(answer, output.encoding or "ascii"))
        return whole(output, status)


def entered(main: Callable[[], int]) -> int:
    """For the module that Python was started for, whose ``main`` takes its words: the exit status of it all.

    Ctrl-C is an exception until it has ended; from then on it ends what Python does at its end.
    """
    obeyed = signal.getsignal(signal.SIGINT) != signal.SIG_IGN
    if obeyed:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status = whole_command(main)
    if obeyed:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return status


def whole_command(main: Callable[[], int]) -> int:
    """The exit status of a command, also where it ends by itself, as argparse does after --help or a wrong word."""

    def command() -> int:
        try:
            return main()
        except SystemExit as e:
            return e.code if isinstance(e.code, int) else 0 if e.code is None else failed(str(e.code))

    return guarded(command)


def answered(command: Callable[[], Answer], place: Path | str | None, interrupted: str) -> Answer:
    """What the command answers, or the status of its error."""
    try:
        return command()
    except SilentError:
        return 2
    except (ValueError, CheckpointError, NonFiniteError) as e:
        return failed(str(e))
    except OSError as e:
        return failed(str(e) if e.strerror is None else f"{e.filename or place or 'a file'}: {e.strerror}")
    except (MemoryError, RuntimeError) as e:
        if not is_out_of_memory(e):
            raise
        return failed(NO_MEMORY)
    except KeyboardInterrupt:
        say(interrupted, file=sys.stderr)
        return 130


def failed(sentence: str) -> int:
    say(f"error: {' '.join(sentence.split())}", file=sys.stderr)
    return 2


class Help(argparse.HelpFormatter):
    """Paragraphs and lists as they are; many choices stand among an option's words, where a line can be broken."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return refilled(text, width)

    def _format_usage(self, usage: str | None, actions: Iterable[argparse.Action], groups: Any, prefix: str | None) -> str:
        width, self._width = self._width, 10_000
        line = super()._format_usage(usage, actions, groups, prefix).strip()
        self._width = width
        whole = re.sub(r"\[[^][]*(\[[^][]*\][^][]*)*\]", lambda option: option[0].replace(" ", "\0"), line)
        return filled(f"       {whole}", width).strip().replace("\0", " ") + "\n\n"

    def format_help(self) -> str:
        return "\n".join(filled(line, self._width) for line in super().format_help().split("\n"))

    def add_argument(self, action: argparse.Action) -> None:
        if many(action):
            action = copy.copy(action)
            action.help = f"{action.help or 'it is'}: {', '.join(map(str, action.choices or ()))}"
        super().add_argument(action)

    def _metavar_formatter(self, action: argparse.Action, default_metavar: str) -> Callable[[int], tuple[str, ...]]:
        if many(action):
            return lambda size: (default_metavar,) * size
        return super()._metavar_formatter(action, default_metavar)


def many(action: argparse.Action) -> bool:
    """Whether an option has too many choices for a word."""
    return (
        action.choices is not None
        and action.metavar is None
        and action.nargs != argparse.PARSER
        and len(",".join(map(str, action.choices))) > SHORT
    )


class Parser(argparse.ArgumentParser):
    """Help and errors in lines that are no longer than the terminal is wide."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"formatter_class": Help} | options)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        say(f"{self.prog}: error: {message}", file=sys.stderr)
        sys.exit(2)


def parser(prog: str, doc: str) -> argparse.ArgumentParser:
    """A command's parser from the docstring of its module, "``command``: what it does", and beyond the first paragraph more."""
    first, _, more = doc.partition("\n\n")
    return Parser(prog=prog, description=first.partition(": ")[2], epilog=more)


def is_out_of_memory(e: BaseException) -> bool:
    """Whether an exception means it: NumPy's, CUDA's, or that of torch's allocator on the CPU, known by its words."""
    known = isinstance(e, MemoryError) or type(e).__name__ == "OutOfMemoryError"
    return known or any(words in str(e).lower() for words in OUT_OF_MEMORY)


def number(kind: type[N], right: Callable[[N], bool], wanted: str) -> Callable[[str], N]:
    """What argparse takes for a number: of a kind, and one that is right."""

    def read(text: str) -> N:
        value = kind(text)
        if not right(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, got {value}")
        return value

    read.__name__ = "whole number" if kind is int else "number"
    return read


positive = number(int, lambda v: v >= 1, "at least 1")
positive_or_zero = number(int, lambda v: v >= 0, "0 or more")
above_zero = number(float, lambda v: 0 < v < math.inf, "above 0 and finite")
at_least_zero = number(float, lambda v: 0 <= v < math.inf, "0 or more, and finite")
finite = number(float, math.isfinite, "finite")
share = number(float, lambda v: 0 <= v <= 1, "from 0 to 1")


def option(default: object, text: str = "(default: %(default)s)", **how: object) -> Option:
    """For ``declare``; ``how`` is argparse's."""
    return {"default": default, "help": text.replace("%(default)s", str(default)), **how}


def flag(text: str) -> Option:
    return option(False, text, action="store_true")


def declare(p: argparse.ArgumentParser, options: Mapping[str, Option], *exclusive: tuple[str, str]) -> None:
    """Options by name.  Those that were not given are not in the result, so that a run that goes on keeps its own."""
    groups = {name: group for pair in exclusive for group in [p.add_mutually_exclusive_group()] for name in pair}
    for name, how in options.items():
        groups.get(name, p).add_argument(f"--{name.replace('_', '-')}", **how | {"default": argparse.SUPPRESS})


def add_place(p: argparse.ArgumentParser, engines: Sequence[str]) -> None:
    """Where and how a model computes, which ``numpy_only`` or torch_impl reads."""
    slow = "; compiled takes some ten seconds when it is first used" if "compiled" in engines else ""
    how = f"how the recurrence is computed (default: {engines[0]}{slow})"
    p.add_argument("--engine", choices=engines, default=engines[0], help=how)
    p.add_argument("--device", default="cpu", help="cpu; with torch_impl also cuda")
    p.add_argument("--compile", action="store_true", default=False, help="torch_impl: compile the recurrent step")
    p.add_argument("--processes", type=positive, default=1, metavar="N", help="torch_impl: train over so many, as torchrun does")


def add_json(p: argparse.ArgumentParser) -> None:
    p.add_argument("--json", action="store_true", default=False, help="print the answer as JSON, and nothing else")


def numpy_only(device: str, compile: bool, application: str) -> None:
    """UsageError: something else than NumPy on the CPU was asked for."""
    if device != "cpu" or compile:
        what = "--compile" if compile else f"--device {device}"
        raise UsageError(f"{what} is for the other side, python -m torch_impl.{application}; NumPy computes on the CPU as it is")
