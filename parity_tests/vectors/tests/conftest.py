"""A few cases as vectors, and both checkers, which must always say the same."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from ...judge.cases import Case, table
from .. import folder
from ..tensors import NAMES

CHECKERS = Path(__file__).parent.parent / "checkers"
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
CASES = {
    "lstm-T5B4I3H6-nostate": ("float32", "float64", "bfloat16", "float16"),
    "lstm-T5B4I3H6-lengths2_5_1_4-uint8": ("float64",),
    "lstm-T5B4I3H6-2layers-bidirectional-two_layers": ("float64",),
    "lstm-T5B4I3H6-2layers-bidirectional-inference": ("float64",),
    "lstm-T5B4I3H6-2layers-bidirectional-last_forward": ("float32",),
    "lstm-T5B4I3H6-2layers-bidirectional-lengths2_5_1_4-other_lengths": ("float32",),
    "lstm-proj-T5B4I3H6P2-2layers-bidirectional-batch_first-lengths2_5_1_4-nan_padding": ("float32", "float64"),
    "gru-T5B4I3H6-3layers-bidirectional-lengths2_5_1_4-dropout0.5": ("float32",),
    "gru-T5B4I3H6-bidirectional-lengths2_5_4_1-nan_inside": ("float32", "float64"),
    "gru-before-T5B4I3H6-2layers-bidirectional-no_upstream": ("float64",),
    "lstm-T5B4I3H6-2layers-dropout0.3-dropout_not_in_evaluation": ("float32",),
    "lstm-T5B4I3H6-2layers-dropout1-dropout_of_everything": ("float32",),
    "rnn-T4B1I1H1-size1": ("float32", "float64"),
    "rnn-relu-T5B4I3H6-inf_inside": ("float32",),
}


def find(name: str, dtype: str) -> Case:
    (case,) = (c for c in table((dtype,)) if c.name == name)
    return case


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    return [find(name, dtype) for name, dtypes in CASES.items() for dtype in dtypes]


@pytest.fixture(scope="session")
def vectors(cases, tmp_path_factory) -> Path:
    """The folder; to be read only."""
    out = tmp_path_factory.mktemp("vectors")
    folder.prepare(out, overwrite=False)
    folder.write_index(out, [folder.write(out, case) for case in cases], {})
    return out


def safetensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    """A file of safetensors from its parts, whatever they are; a header of bytes or text stays as it is."""
    text = header if isinstance(header, (bytes, str)) else json.dumps(header)
    raw = text if isinstance(text, bytes) else text.encode()
    return (len(raw) if length is None else length).to_bytes(8, "little") + raw + data


def laid_out(tensors: Mapping[str, np.ndarray], dtype: str = "") -> bytes:
    """Tensors as such a file, of their own dtype or of one that is said."""
    header, data = {}, b""
    for name, v in tensors.items():
        offsets = [len(data), len(data) + v.nbytes]
        header[name] = {"dtype": dtype or NAMES[str(v.dtype)], "shape": v.shape, "data_offsets": offsets}
        data += v.tobytes()
    return safetensors(header, data)


class Said(NamedTuple):
    """What a checker said."""

    status: int
    lines: tuple[str, ...]
    error: str

    def of(self, name: str) -> list[str]:
        """The findings on a case, without its name."""
        return [line.partition(f" {name}: ")[2] for line in self.lines if f" {name}: " in line]


@pytest.fixture(scope="session")
def commands(tmp_path_factory) -> list[list[str]]:
    """What starts each checker that can be run here; the one in C looks at every access to memory, if it can."""
    found = []
    if compiler := shutil.which("cc") or shutil.which("gcc") or shutil.which("clang"):
        program = tmp_path_factory.mktemp("checker") / "check"
        subprocess.run([compiler, *STRICT, *SANITIZED, "-o", program, CHECKERS / "check.c", "-lm"], check=True)
        found.append([str(program)])
    if node := shutil.which("node"):
        found.append([node, str(CHECKERS / "check.mjs")])
    if not found:
        pytest.skip("neither a C compiler nor node is installed")
    return found


@pytest.fixture(scope="session")
def check(commands):
    """Run each checker on two folders: what all of them say."""

    def run(*folders: Path) -> Said:
        ended = [subprocess.run([*c, *folders], capture_output=True, check=False, timeout=300) for c in commands]
        said = {Said(e.returncode, tuple(e.stdout.decode().splitlines()), e.stderr.decode()) for e in ended}
        assert len(said) == 1, said
        only = said.pop()
        assert only.status in (0, 1, 2), only
        assert (only.status == 2) == only.error.startswith("error: ")
        return only

    return run
