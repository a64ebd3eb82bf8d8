"""``python -m notes.exercises 7 my_answer.py`` judges an answer; without a file it shows the exercise, alone it lists all.

``--hint`` shows the first hint to an exercise, ``--hint 2`` the second.

Exit status: 0 the answer passes, 1 it does not, 2 it could not be judged.
"""

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from reference.common.screen.prose import say
from torch_impl import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("torch", "torch")

from reference.common.command import Parser, entered

from .complex_step import UnjudgedError
from .judge import judge, raised
from .page import hints, text, titles
from .table import EXERCISES


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(prog="python -m notes.exercises", description="Judges an answer to an exercise.")
    parser.add_argument("number", nargs="?", help="which exercise; without it, a list")
    parser.add_argument("file", nargs="?", type=Path, help="a Python file with the functions that it asks for")
    parser.add_argument("--hint", type=int, nargs="?", const=1, choices=(1, 2), help="show a hint: 1 (the default) or 2")
    given = parser.parse_args(arguments)
    if given.hint and (given.number is None or given.file):
        parser.error("--hint goes with the number of an exercise, and without a file")
    try:
        if given.number is None:
            say(*(f"{n:2d}  {title}" for n, title in titles().items()))
        elif given.hint:
            say(hints(chosen(given.number))[given.hint - 1])
        elif given.file is None:
            say(text(chosen(given.number)))
        else:
            return verdict(chosen(given.number), given.file)
    except UnjudgedError as why:
        say(f"not judged: {why}", file=sys.stderr)
        return 2
    return 0


def chosen(number: str) -> int:
    if not (number.isascii() and number.isdigit()) or int(number) not in EXERCISES:
        raise UnjudgedError(f"the exercise must be a number from 1 to {len(EXERCISES)}, got {number!r}")
    return int(number)


def verdict(number: int, file: Path) -> int:
    wrong = judge(EXERCISES[number], load(file))
    say(f"exercise {number}: {f'not yet: {wrong}' if wrong else 'passed'}")
    return 1 if wrong else 0


def load(file: Path) -> dict[str, Callable]:
    """The names that a Python file defines, by running it."""
    if not file.is_file():
        raise UnjudgedError(f"there is no file {file}")
    spec = spec_from_file_location("answer", file)
    if spec is None or spec.loader is None:
        raise UnjudgedError(f"the file must be Python and end in .py, got {file.name}")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UnjudgedError(f"{file.name} raised {raised(error)}") from error
    return vars(module)


if __name__ == "__main__":
    sys.exit(entered(main))
