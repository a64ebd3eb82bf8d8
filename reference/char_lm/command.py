"""The command of both backends."""

from collections.abc import Sequence

from ..common.command import UsageError, guarded
from .backend import Backend
from .evaluate import evaluate
from .generate import generate
from .options import parser
from .train import train

COMMANDS = {"train": train, "generate": generate, "evaluate": evaluate}


def main(backend: Backend, arguments: Sequence[str] | None = None) -> int:
    """Exit status: as common/command.py says."""
    options = vars(parser(backend.package, backend.engines).parse_args(arguments))

    def command() -> int:
        with backend.processes(options) as group:
            if options["command"] != "train" and not group.leader:
                return 0  # for the others there is nothing to do
            if "encoding" in options and "text" not in options and not options.get("resume"):
                raise UsageError("--encoding is that of the files of --text: give both, or leave it out")
            return COMMANDS[options["command"]](backend._replace(group=group), options)

    return guarded(command, options["run"])
