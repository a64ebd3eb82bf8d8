"""A pytest plugin: the Python blocks of the notes and of the README are tests, run by sybil.

Blocks of one page share their names, top to bottom, so one process must run them all (``--dist loadgroup``).
A block that starts with ``# my_lib/`` is a file of somebody else's, and is not run.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

if find_spec("sybil") is None:  # a bare machine
    def pytest_report_header():
        return "code blocks of the notes: not run, sybil is not installed"
else:
    from sybil import Sybil
    from sybil.evaluators.python import PythonEvaluator
    from sybil.parsers.markdown import CodeBlockParser

    class Evaluator(PythonEvaluator):
        def __call__(self, example):
            return None if example.parsed.startswith("# my_lib/") else super().__call__(example)

    blocks = CodeBlockParser(language="python", evaluator=Evaluator())
    pytest_collect_file = Sybil(parsers=[blocks], path=str(ROOT), patterns=["notes/*.md", "README.md"]).pytest()

    @pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
    def pytest_collection_modifyitems(items):
        for item in items:
            if item.path.suffix == ".md":
                item.add_marker(pytest.mark.xdist_group(item.path.name))
