"""A folder of vectors: an index, and for each case and dtype a description, the inputs and the expected values."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from reference.common.output import put_text

from ..judge.cases import Case
from ..judge.oracle import Tensors
from ..judge.report import RULE
from ..judge.suite import quiet
from .calls import Call, plan
from .tensors import expected, inputs, outputs, weights

FORMAT = 1
INDEX = "index.json"
CHECKERS = ("check.c", "check.mjs", "lstm.mjs")  # the last is an example of what answers
SUFFIXES = (".json", ".inputs.safetensors", ".expected.safetensors")
Json = dict[str, Any]


def prepare(folder: Path, overwrite: bool) -> None:
    """Make a folder for new vectors.  ValueError: there is something else in it, or vectors that may not be overwritten."""
    if not folder.exists() or not any(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
    elif not (folder / INDEX).is_file():
        raise ValueError(f"--out: {folder} is not empty, and holds no vectors")
    elif not overwrite:
        raise ValueError(f"--out: {folder} holds vectors already; --overwrite puts others in their place")
    else:
        for name in index_of(folder)["cases"]:
            for suffix in SUFFIXES:
                (folder / f"{name}{suffix}").unlink(missing_ok=True)
    write_index(folder, [], {})  # so that it is known for what it is, if the run is ended
    for name in CHECKERS:
        shutil.copyfile(Path(__file__).parent / "checkers" / name, folder / name)


def write_index(folder: Path, cases: Iterable[str], left_out: dict[str, list[str]]) -> None:
    write_json(folder / INDEX, {"format": FORMAT, "rule": RULE, "cases": list(cases), "left_out": left_out})


def name_of(case: Case) -> str:
    """What the files of a case in its dtype begin with."""
    return f"{case.name}.{case.spec.dtype}"


def write(folder: Path, case: Case) -> str:
    """Compute a case and write its files; returns their name."""
    with quiet(case):
        asked = plan(case)
        given = {i.name: i for call in asked.calls for i in (*weights(call), *inputs(call))}
        right = [o for call in asked.calls if call.asked for o in outputs(call)]
    described = {
        "format": FORMAT,
        "case": case.name,
        "dtype": case.spec.dtype,
        "spec": {k: v for k, v in asdict(case.spec).items() if k != "device"},
        "steps": asked.steps,
        "calls": [described_call(call) for call in asked.calls],
        "inputs": [i.described() for i in given.values()],
        "outputs": [o.described() for o in right],
    }
    name = name_of(case)
    write_json(folder / f"{name}.json", described)
    save(folder / f"{name}.inputs.safetensors", {i.name: i.value for i in given.values()})
    save(folder / f"{name}.expected.safetensors", expected(right, case.spec.dtype))
    return name


def described_call(call: Call) -> Json:
    case = call.case
    sizes = {"T": case.T, "B": case.B, "lengths": case.lengths, "state": case.state}
    return {"name": call.name, "layer": call.layer, **sizes, "asked": call.asked}


def save(path: Path, tensors: Tensors) -> None:
    """A safetensors file; arrays may lie in any way."""
    save_file({name: np.ascontiguousarray(v) for name, v in tensors.items()}, path)


def write_json(path: Path, content: Json) -> None:
    put_text(path, nested(content) + "\n")


def nested(content: Any, depth: int = 0) -> str:
    """JSON with a line for each member of the outer two levels."""
    brackets = "{}" if isinstance(content, dict) else "[]"
    if depth == 2 or not content or not isinstance(content, (dict, list, tuple)):
        return json.dumps(content, ensure_ascii=False, allow_nan=False)
    keys = (f"{json.dumps(key)}: " for key in content) if isinstance(content, dict) else ("" for _ in content)
    values = content.values() if isinstance(content, dict) else content
    lines = [" " * (depth + 1) + key + nested(v, depth + 1) for key, v in zip(keys, values, strict=True)]
    return "\n".join([brackets[0], ",\n".join(lines), " " * depth + brackets[1]])


def index_of(folder: Path) -> Json:
    """The index.  ValueError: there is none that this can read."""
    index = read_json(folder / INDEX)
    if index.get("format") != FORMAT:
        raise ValueError(f"{folder / INDEX} has format {index.get('format')!r}, not {FORMAT}")
    return index


def read(folder: Path, name: str) -> tuple[Json, Tensors]:
    """The description of a case, and its inputs."""
    return read_json(folder / f"{name}.json"), load_file(folder / f"{name}.inputs.safetensors")


def read_json(path: Path) -> Json:
    """ValueError: it holds no JSON object.  OSError: it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object")
    return content
