"""``python -m notes.diagrams``: draw every diagram, in English and in Chinese."""

import argparse

from . import files

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m notes.diagrams", description=__doc__).parse_args()
    for file, text in files():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
