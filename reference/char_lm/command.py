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
            check(options)
            return COMMANDS[options["command"]](backend._replace(group=group), options)

    return guarded(command, options["run"])


def check(options: dict) -> None:
    """UsageError: an option without the one that it belongs to."""
    owner = "prime_file" if options["command"] == "generate" else "text"
    for name, what in (("encoding", "that of the files of"), ("separator", "what stands between the files of")):
        if name in options and owner not in options and not options.get("resume"):
            raise UsageError(f"--{name} is {what} --{owner.replace('_', '-')}: give both, or leave it out")
