"""``python -m parity_tests.platforms [NAME ...]``: the whole suite under each interpreter that is found here, one after another.

An environment for each is made in out/matrix, once; what came of each is kept in parity_tests/platforms/results.json, and
shown in notes/judge/platforms.md.  Where there is no interpreter, that is said, and nothing else.

Exit status: 0 all that could be run passed; 1 a test failed, or something could not be installed; 2 a name is not there.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from reference.common.command import UsageError, entered, guarded, parser

from . import places, running
from .places import InstallError
from .table import PLATFORMS


def main(argv: Sequence[str] | None = None) -> int:
    p = parser("python -m parity_tests.platforms", __doc__ or "")
    p.add_argument("names", nargs="*", metavar="NAME", help=f"only these (default: all): {', '.join(PLATFORMS)}")
    p.add_argument("--list", action="store_true", help="say which interpreters are found, and stop")
    p.add_argument("-n", dest="workers", default="auto", metavar="N", help="workers (default: one for each core)")
    p.add_argument("--tests", nargs="+", default=[], metavar="PATH", help="only these; nothing is kept then")
    args = p.parse_args(argv)
    return guarded(lambda: run(args.names, args.list, args.workers, tuple(args.tests)))


def run(names: Sequence[str], only_list: bool = False, workers: str = "auto", tests: tuple[str, ...] = ()) -> int:
    """Returns the exit status.  UsageError: a name is not there."""
    if unknown := [name for name in names if name not in PLATFORMS]:
        raise UsageError(f"no platform is named {unknown[0]!r}; there are {', '.join(PLATFORMS)}")
    failed = False
    for name in names or PLATFORMS:
        python = places.interpreter(PLATFORMS[name].python)
        if not python:
            print(f"{name}: no Python {PLATFORMS[name].python} is found here", flush=True)
        elif only_list:
            print(f"{name}: {python}")
        else:
            failed |= not passes(name, python, workers, tests, places.PLACE)
    return int(failed)


def passes(name: str, python: str, workers: str, tests: tuple[str, ...], place: Path) -> bool:
    """Run one, say what came of it, and keep it if it was the whole suite."""
    try:
        own = places.environment(name, PLATFORMS[name], python, place)
        result = running.run(name, PLATFORMS[name], own, workers, place, tests)
    except (InstallError, RuntimeError) as e:
        print(f"{name}: {e}", flush=True)
        return False
    print(f"{name}: {running.summary(result)}", *(f"  failed: {test}" for test in result["failed"]), sep="\n", flush=True)
    if not tests:
        running.keep(name, result)
    return not result["failed"]


if __name__ == "__main__":
    sys.exit(entered(main))
