"""The command of both backends."""

import os
import sys
from collections.abc import Sequence

from ..common.command import Answer, UsageError, guarded
from ..common.run import listing
from .backend import Backend
from .evaluate import evaluate
from .generate import generate
from .options import parser
from .train import train

COMMANDS = {"train": train, "generate": generate, "evaluate": evaluate}


def main(backend: Backend, arguments: Sequence[str] | None = None) -> int:
    """Exit status: as common/command.py says."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = vars(parser(backend.package, backend.engines).parse_args(words))

    def command() -> Answer:
        if options["command"] == "runs":
            return listing.answer(options["run"])
        if options["processes"] > 1 and "RANK" not in os.environ:
            return backend.launch(options["processes"], f"{backend.package}.char_lm", words)
        with backend.processes(options) as group:
            if options["command"] != "train" and not group.leader:
                return 0  # for the others there is nothing to do
            check(options)
            return COMMANDS[options["command"]](backend._replace(group=group), options)

    return guarded(command, options["run"], json=options["json"])


def check(options: dict) -> None:
    """UsageError: an option without the one that it belongs to."""
    if options["command"] == "generate" and "encoding" in options and "prime_file" not in options:
        raise UsageError("--encoding is that of --prime-file: give both, or leave it out")
    for name, what in (("encoding", "that of"), ("separator", "what stands between")):
        if name in options and not {"text", "prime_file"} & options.keys() and not options.get("resume"):
            raise UsageError(f"--{name} is {what} the files of --text: give both, or leave it out")
