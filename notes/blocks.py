"""A pytest plugin: the Python blocks of the notes and of the README are tests, run by sybil.

Blocks of one page share their names, top to bottom.  A block that starts with ``# my_lib/`` is a file of somebody
else's, and is not run.
"""

from pathlib import Path

try:
    from sybil import Sybil
    from sybil.evaluators.python import PythonEvaluator
    from sybil.parsers.markdown import CodeBlockParser
except ImportError:  # a bare machine; the header says so
    Sybil = None

if Sybil is None:
    def pytest_report_header():
        return "code blocks of the notes: not run, sybil is not installed"
else:
    class Evaluator(PythonEvaluator):
        def __call__(self, example):
            return None if example.parsed.startswith("# my_lib/") else super().__call__(example)

    pytest_collect_file = Sybil(parsers=[CodeBlockParser(language="python", evaluator=Evaluator())], path=str(Path(__file__).parent.parent),
                                patterns=["notes/*.md", "README.md"]).pytest()
