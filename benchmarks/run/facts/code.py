"""Which code was measured: a number for each package, which changes with what is computed and not with a comment."""

import ast
import zlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("reference/cells", "reference/fast", "reference/compiled", "torch_impl/cells")


@cache
def code(root: Path = ROOT) -> dict[str, str]:
    """By package, of those that are there: eight letters of its Python files."""
    found = {package: sorted((root / package).glob("*.py")) for package in PACKAGES}
    return {package: fingerprint(files) for package, files in found.items() if files}


def fingerprint(files: list[Path]) -> str:
    """One for all: names of files, and what is in them without comments, docstrings and layout."""
    text = "\n".join(file.name + "\n" + bare(file.read_text(encoding="utf-8")) for file in files)
    return f"{zlib.crc32(text.encode()):08x}"


def bare(source: str) -> str:
    """A module as Python writes it anew, without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
