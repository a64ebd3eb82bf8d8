"""One library in its environment: the judge, and the scripts that show what is wrong in it."""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ...judge.cases import table
from ...judge.strangers import Stranger
from .environments import environment, last_line
from .results import Json, Ran, result

ROOT = Path(__file__).parents[3]
FINDINGS = Path(__file__).parents[1] / "findings"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # several share the processors
FINDING_S = 600.0
ABOUT = "import sys; from parity_tests.judge.implementations import resolve; print(resolve(sys.argv[1]).about())"


class JudgeError(RuntimeError):
    """The judge could not judge."""


def judged(name: str, stranger: Stranger, cases: Sequence[str], timeout: float) -> Json:
    """The result of one library.  InstallError: it cannot be installed.  JudgeError: it cannot be loaded, or nothing came."""
    python, begun = environment(stranger.needs), time.monotonic()
    about = said(python, ["-c", ABOUT, name])
    report = report_of(python, name, cases or stranger.cases, timeout)
    ended = {finding: shown(python, FINDINGS / f"{finding}.py") for finding in stranger.findings}
    statuses, printed = ({f: e[k] for f, e in ended.items()} for k in (0, 1))
    converters = converted(python, stranger.converts) if stranger.converts else ""
    ran = Ran(name, about, time.monotonic() - begun, statuses, printed, converters, date.today())
    return result(stranger, ran, report, table())


def started(python: Path, words: Sequence[str], seconds: float | None = None) -> subprocess.CompletedProcess:
    """Run this project's root with another interpreter."""
    words = [str(python), *words]
    environment = os.environ | ONE_THREAD
    return subprocess.run(
        words,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=seconds,
        stdin=subprocess.DEVNULL,
    )


def said(python: Path, words: Sequence[str]) -> str:
    """The last line of what it printed.  JudgeError: it failed."""
    ended = started(python, words)
    if ended.returncode:
        raise JudgeError(last_line(ended.stderr))
    return last_line(ended.stdout)


def report_of(python: Path, name: str, cases: Sequence[str], timeout: float) -> Json:
    """The judge's report.  JudgeError: there is none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        words = ["-m", "parity_tests", "--impl", name, "--timeout", f"{timeout:g}", "--report", str(file)]
        ended = started(python, [*words, *(word for glob in cases for word in ("--cases", glob))])
        if ended.returncode not in (0, 1) or not file.exists():
            raise JudgeError(last_line(ended.stderr or ended.stdout))
        return json.loads(file.read_text(encoding="utf-8"))


def converted(python: Path, library: str) -> str:
    """What the tests of the converters come to that run a library: "55 passed\""""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "parity_tests/convert", "-m", "slow or not slow", "-k", library]
    counts = re.findall(r"\d+ (?:passed|failed|skipped|errors?)", last_line(started(python, words).stdout))
    return ", ".join(counts) or "no test ran"


def shown(python: Path, script: Path) -> tuple[str, str]:
    """Whether what a script shows is there, and what it printed: ("there", "gone", or what went wrong; its output)"""
    try:
        ended = started(python, [str(script)], FINDING_S)
    except subprocess.TimeoutExpired:
        return f"longer than {FINDING_S:g} s", ""
    if ended.returncode == 0:
        return "there", ended.stdout
    gone = ended.returncode == 1 and "AssertionError" in last_line(ended.stderr)
    return ("gone" if gone else f"exit status {ended.returncode}: {last_line(ended.stderr)}"), ended.stdout
