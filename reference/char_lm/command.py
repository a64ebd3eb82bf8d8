"""The command of both sides: what goes wrong is one sentence and exit status 2."""

import os
import sys
from collections.abc import Sequence

from ..common.checkpoint import CheckpointError
from ..common.out_of_memory import SENTENCE, is_out_of_memory
from ..common.processes import SilentError
from ..common.run import NonFiniteError
from . import generate, train
from .data import UsageError
from .options import parser
from .run import Side

COMMANDS = {"train": train.train, "generate": generate.generate, "evaluate": generate.evaluate}


def main(side: Side, arguments: Sequence[str] | None = None) -> int:
    given = vars(parser(side.package, side.engines).parse_args(arguments))
    try:
        with side.processes(given) as group:
            if given["command"] != "train" and not group.leader:
                return 0  # for the others there is nothing to do
            if "encoding" in given and "text" not in given and not given.get("resume"):
                raise UsageError("--encoding is that of the files of --text: give both, or leave it out")
            return COMMANDS[given["command"]](side._replace(group=group), given)
    except SilentError:
        return 2
    except (UsageError, CheckpointError, NonFiniteError) as e:
        return failed(str(e))
    except BrokenPipeError:  # `... | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as e:
        return failed(f"{e.filename or given['run']}: {e.strerror or e}")
    except (MemoryError, RuntimeError) as e:
        if not is_out_of_memory(e):
            raise
        return failed(SENTENCE)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130


def failed(sentence: str) -> int:
    print(f"error: {' '.join(sentence.split())}", file=sys.stderr)
    return 2
