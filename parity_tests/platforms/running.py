"""The suite on one platform, and what came of it."""

import json
import os
import platform as machine
import subprocess
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .table import ROOT, Platform

Json = dict[str, Any]
RESULTS = Path(__file__).with_name("results.json")
NAMED = ("numpy", "scipy", "torch", "numba", "triton", "pandas", "jax", "keras", "onnxruntime", "pytest", "hypothesis")
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the workers are as many as the cores
VERSIONS = f"""if True:
    import json, sys
    from importlib import metadata
    found = {{d.metadata["Name"].lower(): d.version for d in metadata.distributions()}}
    print(json.dumps({{"python": sys.version.split()[0]}} | {{n: found[n] for n in {NAMED} if n in found}}))
"""


def run(name: str, platform: Platform, python: Path, workers: str, place: Path, tests: tuple[str, ...] = ()) -> Json:
    """Run the suite, what it prints going to a log beside the environment, and tell what came of it."""
    report, log = place / f"{name}.xml", place / f"{name}.log"
    report.unlink(missing_ok=True)
    words: list[str | Path] = [
        python,
        "-m",
        "pytest",
        "-q",
        "-n",
        workers,
        f"--junitxml={report.absolute()}",
        *platform.options,
        *tests,
    ]
    with log.open("w", encoding="utf-8") as out:
        status = subprocess.run(words, cwd=ROOT, env=os.environ | ALONE, stdout=out, stderr=out, check=False).returncode
    if not report.exists():
        raise RuntimeError(f"pytest ended with status {status} and no report; {log} says why")
    said = subprocess.run([python, "-c", VERSIONS], capture_output=True, encoding="utf-8", check=True).stdout
    return {
        "versions": json.loads(said),
        "machine": f"{machine.system()} {machine.machine()}",
        "date": date.today().isoformat(),
        "options": list(platform.options),
        **counted(report),
    }


def counted(report: Path) -> Json:
    """How many tests passed, were skipped and why, and failed and which, by a report in JUnit's XML."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [
        f"{c.get('classname')}::{c.get('name')}" for c in cases if c.find("failure") is not None or c.find("error") is not None
    ]
    skips = Counter(s.get("message") or "" for c in cases if (s := c.find("skipped")) is not None)
    return {
        "passed": len(cases) - len(failed) - skips.total(),
        "skipped": dict(sorted(skips.items())),
        "failed": sorted(failed),
        "seconds": round(sum(float(suite.get("time", 0)) for suite in ElementTree.parse(report).iter("testsuite"))),
    }


def kept(file: Path = RESULTS) -> dict[str, Json]:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def keep(name: str, result: Json, file: Path = RESULTS) -> None:
    """In the file, in place of what it has under this name."""
    everything = dict(sorted((kept(file) | {name: result}).items()))
    file.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def summary(result: Json) -> str:
    """ "Python 3.14.0, numpy 2.4.6, torch 2.13.0: 5000 passed, 3 skipped, 0 failed in 900 s\""""
    versions = result["versions"]
    skipped, failed = sum(result["skipped"].values()), len(result["failed"])
    what = f"Python {versions['python']}, NumPy {versions['numpy']}, PyTorch {versions['torch']}"
    return f"{what}: {result['passed']} passed, {skipped} skipped, {failed} failed in {result['seconds']} s"
