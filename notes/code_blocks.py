"""A pytest plugin: the Python blocks of the notes and of the README are tests, run by sybil.

Blocks of one page share their names, top to bottom; where pytest runs a block without those above it (one block asked for,
blocks dealt to several processes), they run first.  A block that starts with ``# my_lib/`` is a file of somebody else's,
and is not run.  Pages in Chinese have the code of the English ones (test_translations.py), which is run once.
"""

from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATTERNS = ["notes/*.md", "notes/*/*.md", "README.md"]

if find_spec("sybil") is None:  # a bare machine

    def pytest_report_header():
        return "code blocks of the notes: not run, sybil is not installed"
else:
    from sybil import Sybil
    from sybil.evaluators.python import PythonEvaluator
    from sybil.parsers.markdown import CodeBlockParser

    class Evaluator(PythonEvaluator):
        def __init__(self):
            super().__init__()
            self.ran: set[tuple[str, int]] = set()

        def __call__(self, example):
            for block in example.document.examples():
                place = (block.path, block.line)
                if block.line <= example.line and place not in self.ran:
                    if not block.parsed.startswith("# my_lib/"):
                        super().__call__(block)
                    self.ran.add(place)

    blocks = CodeBlockParser(language="python", evaluator=Evaluator())
    pytest_collect_file = Sybil(parsers=[blocks], path=str(ROOT), patterns=PATTERNS).pytest()
