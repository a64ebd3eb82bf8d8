"""The floor plan: columns, chapters and rooms, who imports whom, and that every label in code exists once in its note."""

import ast
import inspect
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import reference
from torch_impl.cells.layers import WAYS

from .judge.diagnosis import BACKWARD, FORWARD, LAST, TWINS
from .mutation.catalogue import rooms

ROOT = Path(__file__).parent.parent
COLUMNS = ("reference", "torch_impl", "parity_tests", "benchmarks", "notes")
# The rooms of each chapter, with the letters of their labels.
CHAPTERS = {
    "cells": {"rnn": "R", "lstm": "L", "gru": "G", "stack": "S"},
    "parts": {"linear": "F", "embedding": "E", "dropout": "D", "losses": "J", "attention": "A", "linear_recurrence": "LR"},
    "models": {"classifier": "C", "generator": "N", "tagger": "M", "seq2seq": "Q", "language_model": "U", "forecaster": "Y"},
    "training": {"init": "I", "clip": "K", "optim": "O"},
    "gradients": {"gradient_flow": "GF", "truncated_bptt": "TB", "checkpointed_bptt": "CB", "rtrl": "RT", "hessian": "HV"},
    "common": {"sampling": "P"},
}
ROOMS = {room: letter for chapter in CHAPTERS.values() for room, letter in chapter.items()}
CHAPTER = {room: chapter for chapter, letters in CHAPTERS.items() for room in letters}
ONLY_TORCH = {
    "cells/adapters.py",
    "cells/compiled.py",
    "cells/graphed.py",
    "common/initial_weights.py",
    "common/precision.py",
    "models/placement.py",
    "training/data_parallel.py",
}
ONLY_NOTES = {"cells/conventions.md", "gradients/index.md"}  # of all rooms of a chapter
VERBS = ["step_forward", "step_backward", "forward", "deltas", "backward"]
MOST_FILES = 16
RESULTS = {Path("parity_tests/strangers/results")}  # a file for each library, which nobody reads one by one
TOP = {
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "README.zh.md",
    "SECURITY.md",
    "constraints.txt",
    "pyproject.toml",
    "requirements-cuda.lock",
    "requirements.lock",
}


def note_of(room: str) -> str:
    return f"{CHAPTER[room]}/{room}"


@cache
def tracked() -> list[Path]:
    """Every file of the project, from its root: those in git, or without git all but caches."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        return sorted(Path(name) for name in names if (ROOT / name).is_file())
    return sorted(
        file.relative_to(ROOT)
        for column in COLUMNS
        for file in (ROOT / column).rglob("*")
        if file.is_file() and not any(part.startswith((".", "__pycache__")) for part in file.parts)
    )


def sources(*columns: str) -> list[Path]:
    return [file for file in tracked() if file.suffix == ".py" and file.parts[0] in columns]


def is_test(file: Path) -> bool:
    return file.name.startswith(("test_", "bench_", "conftest"))


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def imports(file: Path) -> set[str]:
    """Full dotted names of all that a file imports, also by a call with its name; * is what the call fills in."""
    package, names = file.parts[:-1], set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            names |= {".".join([*start, *([node.module] if node.module else []), alias.name]) for alias in node.names}
        elif isinstance(node, ast.Call) and node.args and called(node) in ("import_module", "__import__", "find_spec"):
            names |= {literal(node.args[0])} - {""}
    return names


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def literal(node: ast.expr) -> str:
    """A string, or an f-string with * for what is filled in; empty for anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def no_column_imports_a_later_one() -> Iterator[str]:
    for k, column in enumerate(COLUMNS):
        for file in sources(column):
            yield from (f"{file} -> {name}" for name in imports(file) if within(name, *COLUMNS[k + 1 :]))


def torch_impl_imports_common_and_the_room_of_its_own_name() -> Iterator[str]:
    """The door looks whose ``reference`` is there, and imports nothing of it."""
    for file in sources("torch_impl"):
        own = ".".join(("reference", *file.with_suffix("").parts[1:]))
        yield from (
            f"{file} -> {name}"
            for name in imports(file)
            if within(name, "reference")
            and not within(name, "reference.common", own)
            and (file.stem, name) != ("door", "reference")
        )


def reference_does_not_name_torch() -> Iterator[str]:
    """Not even in a string that is handed to something else, docstrings and messages apart.

    The converters name every library, as data; none is imported there.
    """
    for file in sources("reference"):
        strings = {node.value for node in ast.walk(parsed(file)) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        if file.parts[1] == "convert":
            strings = {name for name in strings if within(name, "torch_impl")}
        yield from (f"{file} -> {name}" for name in strings | imports(file) if re.fullmatch(r"torch(_impl)?(\.[\w.*]+)?", name))


def common_imports_no_chapter() -> Iterator[str]:
    for file in sources("reference"):
        if file.parts[1] == "common":
            yield from (
                f"{file} -> {name}" for name in imports(file) if within(name, "reference") and not within(name, "reference.common")
            )


def the_judge_stands_alone() -> Iterator[str]:
    """A stranger's run needs neither the tests of this project nor what breaks it, and no pytest."""
    for file in sources("parity_tests"):
        if file.parts[1] == "judge":
            outside = {n for n in imports(file) if within(n, "parity_tests") and not within(n, "parity_tests.judge")}
            outside |= {n for n in imports(file) if within(n, "pytest", "hypothesis") and not is_test(file)}
            yield from (f"{file} -> {name}" for name in outside)


def every_room_stands_in_every_column() -> Iterator[str]:
    for room, chapter in CHAPTER.items():
        own = [
            f"reference/{chapter}/{room}.py",
            f"torch_impl/{chapter}/{room}.py",
            f"parity_tests/{chapter}/test_{room}.py",
            f"notes/{chapter}/{room}.md",
        ]
        yield from (face for face in own if not (ROOT / face).is_file())


def every_twin_note_and_table_of_faults_has_its_room_in_reference() -> Iterator[str]:
    """Names are the same in every column, but for what only torch has."""
    for file in tracked():
        if len(file.parts) == 3 and file.parts[1] in (*CHAPTERS, "fast", "compiled") and file.stem != "__init__":
            twin = file.parts[0] == "torch_impl" and file.suffix == ".py" and "/".join(file.parts[1:]) not in ONLY_TORCH
            note = file.parts[0] == "notes" and file.suffix == ".md" and "/".join(file.parts[1:]) not in ONLY_NOTES
            faults = (
                file.parts[0] == "parity_tests"
                and file.suffix == ".py"
                and any(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FAULTS" for node in parsed(file).body)
            )
            room = ROOT / "reference" / file.parts[1] / f"{file.stem}.py"
            package = room.with_suffix("") / "__init__.py"  # a room of several files
            if (twin or note or faults) and not room.exists() and not package.exists():
                yield str(file)


def no_folder_has_more_than_sixteen_files() -> Iterator[str]:
    counts = Counter(file.parent for file in tracked())
    yield from (str(folder) for folder, count in counts.items() if count > MOST_FILES and folder not in RESULTS)


def the_top_holds_what_every_project_has() -> Iterator[str]:
    yield from (str(file) for file in tracked() if len(file.parts) == 1 and file.name not in TOP)


RULES: list[Callable[[], Iterator[str]]] = [
    no_column_imports_a_later_one,
    torch_impl_imports_common_and_the_room_of_its_own_name,
    reference_does_not_name_torch,
    common_imports_no_chapter,
    the_judge_stands_alone,
    every_room_stands_in_every_column,
    every_twin_note_and_table_of_faults_has_its_room_in_reference,
    no_folder_has_more_than_sixteen_files,
    the_top_holds_what_every_project_has,
]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


@each_rule
def test_the_floor_plan(rule):
    assert set(rule()) == set()


def test_imports_are_seen_however_they_are_made(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(
        "import a.b as c\nfrom d import e, f\nfrom importlib import import_module as m, util\n"
        "import_module('g.h')\nimportlib.import_module(f'i.{c}.j')\n__import__('k')\nutil.find_spec('l')\n"
        "import_module(c)\n",
        encoding="utf-8",
    )
    assert imports(file) == {"a.b", "d.e", "d.f", "importlib.import_module", "importlib.util", "g.h", "i.*.j", "k", "l"}
    assert {"parity_tests.judge.diagnosis.TWINS", "torch_impl.cells.layers.WAYS"} <= imports(Path(__file__).relative_to(ROOT))


# safetensors is the file format of checkpoints, fastjsonschema holds their JSON against a schema, filelock locks a run's
# folder, pandas reads files and knows calendars, rich draws the progress bar of a run, matplotlib the pictures of runs and
# forecasts, imported only when one is drawn, onnx builds a graph: none of them computes anything.  onnxruntime does, to check
# what was exported, and statsforecast, to be held against.  The converters read files with h5py, onnx (google is its protobuf)
# and safetensors.  Triton compiles kernels that are written here.
ALSO = {
    **{f"reference/compiled/{name}.py": {"numba", "llvmlite"} for name in ("jit", "elementary", "vectors")},
    "reference/compiled/threads.py": {"numba", "threadpoolctl"},
    "reference/convert/files.py": {"safetensors"},
    "reference/convert/keras_file.py": {"h5py"},
    "reference/convert/onnx_file.py": {"onnx", "google"},
    "reference/common/checkpoint/file.py": {"safetensors"},
    "reference/common/checkpoint/writing.py": {"safetensors"},
    "reference/common/checkpoint/schema.py": {"fastjsonschema"},
    "reference/common/screen/table.py": {"rich"},
    "reference/common/run/run.py": {"rich"},
    "reference/common/run/listing.py": {"rich"},
    "reference/common/run/folder.py": {"filelock"},
    "reference/common/run/board.py": {"tensorboardX"},
    "reference/char_lm/train.py": {"rich"},
    "reference/common/run/picture.py": {"matplotlib"},
    "reference/forecast/plots.py": {"matplotlib"},
    "reference/forecast/evaluation/against.py": {"statsforecast"},
    **{f"reference/forecast/series/{name}.py": {"pandas"} for name in ("table", "times", "frequency")},
    "torch_impl/export/onnx_graph.py": {"onnx"},
    "torch_impl/export/command.py": {"onnxruntime"},
    **{f"torch_impl/triton/{name}.py": {"triton"} for name in ("__init__", "functions", "blocks", "rnn", "lstm", "gru")},
}


@pytest.mark.parametrize(
    ("column", "allowed"),
    [("reference", {"numpy", "scipy", "reference"}), ("torch_impl", {"numpy", "torch", "torch_impl", "reference"})],
)
def test_what_each_side_needs_from_others(column, allowed):
    for file in sources(column):
        needed = {name.partition(".")[0] for name in imports(file)} - set(sys.stdlib_module_names)
        assert needed <= allowed | ALSO.get(file.as_posix(), set()), file


def test_reference_loads_without_torch():
    """Not even by way of something that it imports."""
    code = "import sys, reference, reference.common.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_part_has_cases_and_faults():
    assert {room for room in ROOMS if room not in TWINS and room != "stack"} <= rooms().keys()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_cells_have_the_verbs_in_order_and_twins_the_ways(cell):
    module = getattr(reference, cell)
    functions = [n for n, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
    assert sorted(functions, key=lambda n: getattr(module, n).__code__.co_firstlineno) == VERBS
    assert all(callable(getattr(TWINS[cell], way)) for way in WAYS)
    assert all(callable(getattr(TWINS[cell], verb)) for verb in VERBS[:2])


def cited(text: str, letter: str) -> set[str]:
    return set(re.findall(rf"\b{letter}\d\*?(?![\w*])", text))


@pytest.mark.parametrize(("room", "letter"), ROOMS.items())
def test_every_label_in_code_is_defined_once_in_its_note(room, letter):
    note = (ROOT / "notes" / f"{note_of(room)}.md").read_text(encoding="utf-8")
    for file in (ROOT / "reference" / CHAPTER[room] / f"{room}.py", ROOT / "torch_impl" / CHAPTER[room] / f"{room}.py"):
        labels = cited(file.read_text(encoding="utf-8"), letter)
        assert labels, file
        for label in labels:
            assert note.count(f"({label})") == 1, f"{file.name} cites {label}"


@pytest.mark.parametrize(("room", "letter"), ROOMS.items())
def test_every_label_in_the_note_is_cited_in_code(room, letter):
    code = (ROOT / "reference" / CHAPTER[room] / f"{room}.py").read_text(encoding="utf-8")
    note = (ROOT / "notes" / f"{note_of(room)}.md").read_text(encoding="utf-8")
    assert set(re.findall(rf"\(({letter}\d\*?)\)", note)) == cited(code, letter)


def test_schedule_labels_are_in_their_note():
    """Schedules are shared by both sides, so they have no twin and are no room."""
    note, code = ((ROOT / f).read_text(encoding="utf-8") for f in ("notes/common/schedules.md", "reference/common/schedules.py"))
    assert cited(code, "V") == set(re.findall(r"\((V\d)\)", note))
    assert all(note.count(f"({label})") == 1 for label in cited(code, "V"))


def test_elementary_labels_are_in_their_note():
    note, code = ((ROOT / f).read_text(encoding="utf-8") for f in ("notes/compiled.md", "reference/compiled/elementary.py"))
    assert cited(code, "X") == set(re.findall(r"\((X\d)\)", note))
    assert all(note.count(f"({label})") == 1 for label in cited(code, "X"))


def test_tolerance_labels_are_in_their_note():
    note = (ROOT / "notes" / "judge" / "tolerances.md").read_text(encoding="utf-8")
    for label in cited((ROOT / "parity_tests" / "judge" / "tolerance.py").read_text(encoding="utf-8"), "T"):
        assert note.count(f"({label})") == 1, label


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_diagnosis_knows_every_label_of_the_code(cell):
    code = cited((ROOT / "reference" / "cells" / f"{cell}.py").read_text(encoding="utf-8"), ROOMS[cell])
    known = " ".join(v for table in (FORWARD, BACKWARD, LAST) for v in table[cell].values())
    assert cited(known, ROOMS[cell]) == code


def test_a_definition_fits_on_a_screen():
    """Both step functions of a cell, and nothing in reference/ longer than a sitting."""
    for file in (ROOT / "reference").rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) < 300, file
    for cell in ("rnn", "lstm", "gru"):
        room = getattr(reference, cell)
        lines = sum(len(inspect.getsource(getattr(room, verb)).splitlines()) for verb in VERBS)
        assert lines <= 75, (cell, lines)


def test_links_between_pages_lead_somewhere():
    notes = (page for page in (ROOT / "notes").rglob("*.md") if "node_modules" not in page.parts)
    for page in [*notes, ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"
