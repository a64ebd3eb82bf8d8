"""mutmut over one chapter, in a copy of the tree under out/mutants."""

import json
import os
import shutil
import subprocess
import sys
from difflib import ndiff
from pathlib import Path

from .chapters import ROOT, Chapter, files

# Every worker starts pytest anew, so no plugin but those that the tests need, and no look at the garbage in the end.
PYTEST = [
    *("-o", "addopts=--strict-markers", "-m", "not slow and not site"),
    *("-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider"),
    *("-p", "no:unraisableexception", "-p", "no:threadexception"),
]
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NUMBA_DISABLE_JIT": "1"}


class MutmutError(Exception):
    """mutmut did not come to its end."""


def lay(chapter: Chapter, tree: Path) -> None:
    """A copy of what git knows, with mutmut's configuration."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    )
    for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    for file in (tree / "reference" / "compiled").glob("*.py"):  # mutmut passes over decorated functions
        file.write_text(file.read_text(encoding="utf-8").replace("@compiled\n", ""), encoding="utf-8")
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as project:
        print("\n[tool.mutmut]", *(f"{k} = {json.dumps(v)}" for k, v in configuration(chapter).items()), sep="\n", file=project)


def configuration(chapter: Chapter) -> dict[str, object]:
    """torch is loaded, and the tests are collected, once, in a server that is forked for each mutant."""
    source = ["reference", "torch_impl", "parity_tests"]
    return {
        "source_paths": source,
        "only_mutate": files(chapter),
        "also_copy": sorted({p.name for p in ROOT.iterdir() if not p.name.startswith(".")} - {*source, "out", "pyproject.toml"}),
        "pytest_add_cli_args_test_selection": list(chapter.tests),
        "pytest_add_cli_args": [*PYTEST, *chapter.options],
        "process_isolation": "forkserver",
        "use_git_change_detection": False,
        "track_dependencies": False,
    }


def run(tree: Path, digits: str, workers: int) -> None:
    """The mutants of a chapter whose number in their function ends with one of the digits.

    MutmutError: a test fails without a mutant, for instance; the output is in the tree's mutmut.log.
    """
    log = tree / "mutmut.log"
    wanted = [f"*__mutmut_{tens}{digit}" for digit in digits for tens in ("", "*")]
    words = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(workers), *wanted]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | ALONE
    with log.open("w", encoding="utf-8") as said:
        done = subprocess.run(words, cwd=tree, env=environment, stdout=said, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        last = log.read_text(encoding="utf-8").replace("\r", "\n").strip().splitlines()[-1:]
        raise MutmutError(f"mutmut ended with status {done.returncode}: {' '.join(last)} ({log})")


def change(tree: Path, file: str, mutant: str) -> list[str]:
    """The lines that a mutant takes away and puts in their place, as ``- x = 1`` and ``+ x = 2``."""
    mutated = tree / "mutants" / file
    lines = mutated.read_text(encoding="utf-8").splitlines()
    spans = json.loads(mutated.with_name(f"{mutated.name}.spans").read_text(encoding="utf-8"))["spans"]
    name = mutant.rpartition(".")[2]
    versions = (f"{name.partition('__mutmut_')[0]}__mutmut_orig", name)
    before, after = ([plain(line, version) for line in lines[spans[version][0] - 1 : spans[version][1]]] for version in versions)
    return [line for line in ndiff(before, after) if line[0] in "-+"]


def plain(line: str, function: str = "") -> str:
    """A line without the spaces that only lay it out, and without the function's name, which is another for each mutant."""
    return " ".join(line.replace(function, "").split())
