"""The recurrences of the explorer of the cells against NumPy on random cases, under node and in Chromium."""

import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np

from ...trace import ROOMS, problem, trace
from ..conftest import needs_node
from . import EXAMPLE, KINDS, plain_problem

CASES = 120
PAGE = "explorer"


def drawn():
    """(cell, problem) for the scripts and the trace of the same problem, of many sizes."""
    for seed in range(CASES):
        cell, options = list(KINDS.values())[seed % len(KINDS)]
        q = problem(ROOMS[cell], T=1 + seed % 6, I=1 + seed % 3, H=1 + seed % 4, seed=seed, **options)
        yield [cell, plain_problem(q)], trace(ROOMS[cell], q)


@cache
def cases():
    return list(zip(*drawn(), strict=True))


def compare(computed, expected):
    """Every quantity under its name, in the order of computation, equal to the last digits."""
    assert [(v["verb"], v["t"], v["name"], tuple(v["labels"])) for v in computed] == [one.key for one in expected]
    for v, one in zip(computed, expected, strict=True):
        difference = np.abs(np.ravel(v["value"]) - one.value.ravel()).max()
        assert difference <= 1e-13 * max(1, np.abs(one.value).max()), (one.key, difference)


@needs_node
def test_the_scripts_compute_what_numpy_computes():
    given, expected = cases()
    program = (
        "const C = require(process.argv[1]), f = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(f.map(([cell, q]) => C.trace(cell, q))))"
    )
    run = subprocess.run(
        ["node", "-e", program, str(Path(__file__).with_name("recurrences.js"))],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    for computed, one in zip(json.loads(run.stdout), expected, strict=True):
        compare(computed, one)


def test_the_page_is_one_file_and_says_what_the_trace_says(built):
    assert "http" not in built.replace("http-equiv", "")
    assert "src=" not in built
    assert "<link" not in built
    for name, (cell, options) in KINDS.items():
        expected = trace(ROOMS[cell], problem(ROOMS[cell], **EXAMPLE, **options))
        assert json.loads(built.partition("const DATA = ")[2].partition(";</script>")[0])["kinds"][name]["info"].keys() == {
            "|".join((one.verb, one.name.partition("[")[0], " ".join(one.labels))) for one in expected
        }


def test_in_the_browser_every_quantity_of_every_case_is_numpys(page):
    given, expected = cases()
    for computed, one in zip(
        page.evaluate("given => given.map(([cell, q]) => Cells.trace(cell, q))", list(given)), expected, strict=True
    ):
        compare(computed, one)
