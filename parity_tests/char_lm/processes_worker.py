"""torch_impl.char_lm as one of several processes, with something that happens in the last of them after some steps.

torchrun --nproc-per-node 2 -m -- parity_tests.char_lm.processes_worker stop 20 train --run ...
"""

import argparse
import errno
import os
import signal
import sys
from typing import Any

from reference.char_lm import command
from reference.common.command import Parser, entered, positive
from torch_impl.char_lm import backend as char_lm
from torch_impl.training import loop


def words() -> int:
    p = Parser(prog="python -m parity_tests.char_lm.processes_worker", description=__doc__)
    p.add_argument("what", choices=("fail", "stop", "die"))
    p.add_argument("step", type=positive)
    p.add_argument("arguments", nargs=argparse.REMAINDER, help="of torch_impl.char_lm")
    return main(**vars(p.parse_args()))


def main(what: str, step: int, arguments: list[str]) -> int:
    asked, calls = loop.any_of, 0

    def any_of(model: Any, flag: bool) -> bool:
        """Is called before the first step, and after each."""
        nonlocal calls
        calls += 1
        if calls == step and os.environ["RANK"] == "1":
            if what == "fail":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")
            signal.raise_signal(signal.SIGTERM if what == "stop" else signal.SIGKILL)
        return asked(model, flag)

    loop.any_of = any_of
    return command.main(char_lm.BACKEND, arguments)


if __name__ == "__main__":
    sys.exit(entered(words))
