"""``python -m notes.diagrams``: draw every diagram, in English and in Chinese."""

import argparse

from . import PLACE, files

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m notes.diagrams", description=__doc__).parse_args()
    (PLACE / "zh").mkdir(parents=True, exist_ok=True)
    for file, text in files():
        file.write_text(text, encoding="utf-8")
