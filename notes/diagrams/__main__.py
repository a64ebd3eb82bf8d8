"""``python -m notes.diagrams``: draw every diagram, in English and in Chinese."""

import sys

from reference.common.command import entered, parser
from reference.common.output import put_text

from . import files


def main() -> int:
    parser("python -m notes.diagrams", __doc__ or "").parse_args()
    for file, text in files():
        file.parent.mkdir(parents=True, exist_ok=True)
        put_text(file, text)
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
