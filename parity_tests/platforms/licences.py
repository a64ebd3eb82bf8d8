"""``python -m parity_tests.platforms.licences``: under which licence each package is that the locks name, into licences.json.

What is installed here says so; where a package is for other systems only, nothing is known of it here.
"""

import json
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from reference.common.command import entered, parser

from .locked import CUDA_LOCK, LOCK, read

FILE = Path(__file__).with_name("licences.json")
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|EUPL|CDDL|Mozilla|GNU)\b|General Public", re.IGNORECASE)
WORDS = 60  # a longer text is the licence itself, not its name


def licence(of: metadata.PackageMetadata) -> str:
    """Its name, as the package gives it; empty where it gives none."""
    classifiers = [c.rpartition(" :: ")[2] for c in of.get_all("Classifier") or () if c.startswith("License ::")]
    expression, named = (" ".join((of.get_all(field) or [""])[0].split()) for field in ("License-Expression", "License"))
    named = named if len(named) <= WORDS and named != "UNKNOWN" else ""
    return expression or named or ", ".join(classifiers)


def installed() -> dict[str, str]:
    """The licence of each package of the locks that is installed here in the version that they name."""
    found = {}
    for package in (p for lock in (LOCK, CUDA_LOCK) for p in read(lock.read_text(encoding="utf-8"))):
        try:
            of = metadata.metadata(package.name)
        except metadata.PackageNotFoundError:
            continue
        if of["Version"].partition("+")[0] == package.version:
            found[package.name] = licence(of)
    return found


def kept() -> dict[str, str]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def main(argv: Sequence[str] | None = None) -> int:
    parser("python -m parity_tests.platforms.licences", __doc__ or "").parse_args(argv)
    found = installed()
    FILE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {FILE.name}: {len(found)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
