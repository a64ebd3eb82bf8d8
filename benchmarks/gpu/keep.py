"""``python -m benchmarks.gpu.keep``: put the files of ``python3 -m benchmarks gpu`` where the pages are made from.

benchmarks/results/NAME gets the times, packed, under the names that the others there have, and NAME/judged what was judged.
Name the hardware, such as h100.  Exit status: 0, or 2 if a file is none of these, was made without a GPU, or is there already.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reference.common.command import entered, guarded, parser
from reference.common.screen.prose import say

from ..run import results
from .pages import JUDGED, RESULTS
from .rows import read

JUDGING, TIMED = ("machine", "parity", "low"), ("grid", "crossover", "cliffs", "deepbench")


def arguments() -> argparse.ArgumentParser:
    options = parser("python -m benchmarks.gpu.keep", __doc__ or "")
    options.add_argument("folder", type=Path, help="the --out of that command, or where its files were brought")
    options.add_argument("name", help="of the hardware, as a folder: lower case, as h100")
    options.add_argument("--overwrite", action="store_true", help="replace files that are there")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments().parse_args(argv)
    return guarded(lambda: keep(args.folder, args.name, args.overwrite))


def keep(folder: Path, name: str, overwrite: bool) -> int:
    """Read everything, then write it.  ValueError: it is not to be kept."""
    new = {}
    for piece in (*JUDGING, *TIMED):
        file = folder / f"{piece}.json"
        if not file.exists():
            continue
        content = read(file) if piece in JUDGING else results.read(file)
        if not (content.get("machine") or {}).get("gpu"):
            raise ValueError(f"{file} was made without a GPU")
        if content["rows"]:
            new[RESULTS / name / kept(piece, name)] = content
    if not new:
        raise ValueError(f"there is nothing to keep in {folder}")
    if there := [str(path) for path in new if path.exists() and not overwrite]:
        raise ValueError(f"there already: {', '.join(there)}; --overwrite replaces")
    for path, content in new.items():
        results.write(path, content)
        say(str(path))
    say("now: make figures")
    return 0


def kept(piece: str, name: str) -> Path:
    """Where a file goes: the grid has the name of its folder."""
    if piece in JUDGING:
        return Path(JUDGED) / f"{piece}.json"
    return Path(f"{name}.json.gz" if piece == "grid" else f"{name}-{piece}.json.gz")


if __name__ == "__main__":
    sys.exit(entered(main))
