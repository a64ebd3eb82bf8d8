"""Runs of the character model for its tests: a small text, both sides in this process, or one in a process of its own."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import torch_impl.char_lm.backend
from reference.char_lm.backend import BACKEND
from reference.char_lm.command import main
from reference.common import checkpoint

ROOT = Path(__file__).parent.parent.parent
SIDES = {"reference": BACKEND, "torch_impl": torch_impl.char_lm.backend.BACKEND}
both_sides = pytest.mark.parametrize("backend", SIDES)
SMALL = shlex.split(
    "--size 7 --embedding 5 --batch 4 --window 9 --dtype float64 --seed 3 --every 10 --save-every 7 --lr .02 --quiet"
)


def write_text(folder: Path, words: int = 900) -> Path:
    """Lines of made-up words, of which some come often: something can be learned."""
    rng = np.random.default_rng(5)
    known = ["".join(rng.choice(list("aeiounstré"), rng.integers(1, 6))) for _ in range(40)]
    drawn = rng.choice(known, words, p=np.arange(40, 0, -1) / 820)
    lines = [" ".join(drawn[k : k + 7]) for k in range(0, words, 7)]
    file = folder / "words.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def call(backend: str, command: str, *options: object) -> int:
    """The command in this process; what argparse refuses exits as it does."""
    return main(SIDES[backend], [command, *map(str, options)])


def refused(backend, capsys, *arguments):
    """The one sentence on stderr, exit status 2."""
    capsys.readouterr()
    assert call(backend, *arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1 and "Traceback" not in said, said
    return said


def spawn(backend: str, *options: object, application: str = "char_lm") -> subprocess.Popen:
    words = [sys.executable, "-m", f"{backend}.{application}", *map(str, options)]
    more = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        words, cwd=ROOT, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | more
    )


def weights(folder: Path, name: str = "last.safetensors") -> dict[str, np.ndarray]:
    return checkpoint.load(folder / name).weights
