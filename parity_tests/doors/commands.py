"""Every command, found in the tree, and for each what it is asked in the tests."""

import ast
import io
import os
import signal
import sys
import tomllib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

ROOT = Path(__file__).parents[2]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
COLUMNS = ("reference", "torch_impl", "parity_tests", "benchmarks", "notes")


class Door(NamedTuple):
    """What a command is asked; in braces what ``places`` makes."""

    says: Sequence[str] = ()  # ends soon, well, and prints something
    wrong: Sequence[str] = ()  # status 2, and one sentence
    names: Sequence[str] = ()  # status 2, and one sentence with the file in it, which cannot be read or written
    long: str | None = None  # works for a while, and writes only where it is started


ONE = "--cases lstm-T5B4I3H6 --dtype float64"


def applications(package: str) -> dict[str, Door]:
    engine = "fast" if package == "reference" else "hoisted"
    run = f"--engine {engine} --run"
    return {
        f"{package}.char_lm": Door(
            says=(
                "runs {folder}",
                f"evaluate {run} {{char_lm}}",
                f"generate {run} {{char_lm}} --length 40",
                f"generate {run} {{char_lm}} --length 40 --temperatures 0.5,1",
            ),
            wrong=(
                "train --seconds 1 --steps 1",
                "generate --temperatures a",
                "nothing",
            ),
            names=(
                f"evaluate {run} {{missing}}",
                f"generate {run} {{missing}}",
                f"train {run} {{folder}}/new --text {{missing}}",
                f"train {run} {{file}}/new --text {{text}}",
                "runs {missing}",
            ),
            long=f"train {run} run --text {{text}}",
        ),
        f"{package}.forecast": Door(
            says=("runs {folder}", f"evaluate {run} {{forecast}} --no-plots", f"predict {run} {{forecast}} --no-plots"),
            wrong=("train --horizon 0", "evaluate", f"predict {run} {{forecast}} --horizon a"),
            names=(
                f"evaluate {run} {{missing}}",
                f"train {run} {{folder}}/new --csv {{missing}} --target x",
                f"train {run} {{file}}/new",
                f"predict {run} {{forecast}} --no-plots --out {{file}}/forecast.csv",
                f"predict {run} {{forecast}} --no-plots --out {{full}}",
                "runs {missing}",
            ),
            long=f"train {run} run",
        ),
        f"{package}.convert": Door(
            says=("list {weights}", "{weights} --to keras --out {folder}/keras.npz", "compare {numbers} {numbers}"),
            wrong=("{weights} --to nobody --out {folder}/a.npz", "list {text}", "compare {numbers}"),
            names=(
                "list {missing}",
                "{missing} --to keras --out {folder}/a.npz",
                "{weights} --to keras --out {file}/a.npz",
                "{weights} --to keras --out {full}.npz",
                "diagnose {missing} {missing}",
                "compare {missing} {missing}",
            ),
        ),
        f"{package}.tasks": Door(
            wrong=("names_classifier --limit 1", "nothing"),
            names=("names_classifier --steps 1 --limit 50 --out {file}/new",),
            long="names_classifier --out .",
        ),
    }


DOORS = {
    **applications("reference"),
    **applications("torch_impl"),
    "reference.char_lm.compare": Door(
        wrong=("--write --text {text}",), names=("--steps 1 --out {folder}/c --text {missing}",), long="--out ."
    ),
    "torch_impl.export": Door(
        says=("{char_lm} --out {folder}/char_lm.onnx",),
        wrong=("{weights}",),
        names=("{missing}", "{char_lm} --out {file}/model.onnx"),
    ),
    "parity_tests": Door(
        says=(f"--impl numpy --impl numpy.fast {ONE}", f"--impl numpy --report {{folder}}/a.json {ONE}"),
        wrong=("--impl no.such.module", "--cases nothing", "--report a.txt", "--resume"),
        names=(
            f"--impl numpy {ONE} --xfails-file {{missing}}",
            f"--impl numpy {ONE} --report {{file}}/a.json",
            f"--impl numpy {ONE} --report {{full}}.json",
            f"--impl numpy {ONE} --log {{file}}/log",
            f"--impl numpy {ONE} --log {{full}}",
            "compare {missing} {missing}",
        ),
        long="-j 2",
    ),
    "parity_tests.vectors": Door(
        says=(f"--out {{folder}}/vectors --overwrite {ONE}",),
        wrong=("", "--cases nothing --out {folder}/none"),
        names=(f"--out {{file}}/vectors {ONE}", "answer {missing} --impl numpy --out {folder}/answers"),
    ),
    "parity_tests.strangers": Door(says=("--list",), wrong=("nobody", "-j 0")),
    "parity_tests.mutation": Door(long=""),
    "parity_tests.mutants": Door(wrong=("nothing", "--digits x", "-j 0")),
    "parity_tests.platforms": Door(says=("--list",), wrong=("nothing",)),
    "parity_tests.platforms.locked": Door(wrong=("nothing",)),
    "parity_tests.platforms.licences": Door(wrong=("nothing",)),
    "parity_tests.kills": Door(wrong=("nothing", "--kills 0", "--seed a")),
    "parity_tests.doors.forks": Door(wrong=("nothing", "--trials 0")),
    "parity_tests.doors.work": Door(wrong=("nothing",)),
    "parity_tests.demo": Door(long=""),
    "parity_tests.demo.models": Door(long=""),
    "parity_tests.training.parallel_worker": Door(wrong=("",)),
    "parity_tests.char_lm.processes_worker": Door(wrong=("", "stop x train")),
    "parity_tests.triton.compiled": Door(wrong=("float8",)),
    "parity_tests.triton.functions": Door(wrong=("tpu",)),
    "parity_tests.triton.infinity": Door(wrong=("tpu",)),
    "benchmarks": Door(
        says=("list", "report {result}", "compare {result} {result}", "gpu --dry", "strangers --dry --machine here onnxruntime"),
        wrong=("", "nothing", "run --preset nothing", "list --preset nothing", "strangers --machine here nobody", "report {text}"),
        names=(
            "report {missing}",
            "report {result} --out {file}/report",
            "compare {missing} {missing}",
            "claims --results {missing}",
            "claims --claims {missing}",
            "run --preset smoke --impl numpy --cell gru --phase forward --out {file}/a.json",
            "gpu --device cpu --out {file}/gpu",
            "gpu --device cpu --out {folder}/gpu --rest {missing}",
        ),
        long="run --preset quick --out quick.json",
    ),
    "benchmarks.gpu.keep": Door(wrong=("",), names=("{missing} h100",)),
    "benchmarks.gpu.first_look": Door(wrong=("",), long="--device cpu --out a.json"),
    "benchmarks.gpu.parity": Door(wrong=("",), long="--device cpu --out a.json"),
    "benchmarks.gpu.low_precision": Door(wrong=("",), long="--device cpu --out a.json"),
    "benchmarks.gpu.timed": Door(wrong=("",), long="--piece grid --device cpu --out a.json"),
    "notes.trace": Door(
        says=("rnn --T 1 --autograd no", "lstm --T 1", "gru --T 1 --autograd no --html {folder}/page.html"),
        wrong=("", "lstm --B 0", "rnn --reset before", "lstm --proj-size 9"),
        names=("gru --T 1 --autograd no --html {file}/page.html", "gru --T 1 --autograd no --html {full}"),
    ),
    "notes.exercises": Door(says=("", "3", "3 --hint"), wrong=("99", "x", "--hint"), names=("3 {missing}",)),
    "notes.generated": Door(),
    "notes.site": Door(),
    "notes.diagrams": Door(),
    "notes.diagrams.parity": Door(),
    "notes.studies.adding": Door(wrong=("--cell x", "--T x", "--T 0"), long="--steps 100000"),
    "notes.studies.forecast": Door(wrong=("", "sunspots nothing"), long="sunspots"),
    "notes.studies.tourism": Door(wrong=("nothing",), long="network"),
    **{
        f"notes.studies.{name}": Door(long="")
        for name in (
            "gradient_costs",
            "gradient_flow",
            "linear_recurrence",
            "low_precision",
            "rounding",
            "temperature",
            "tolerances",
            "trajectory",
        )
    },
}


def guard(file: Path) -> list[ast.stmt]:
    """What a module does where Python was started for it; of several such parts the last."""
    text = file.read_text(encoding="utf-8")
    if '__name__ == "__main__"' not in text:
        return []
    found = [node for node in ast.parse(text).body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
    return found[-1].body if found else []


@cache
def found() -> dict[str, Path]:
    """Every module that Python may be started for."""
    files = (file for column in COLUMNS for file in sorted((ROOT / column).rglob("*.py")) if "node_modules" not in file.parts)
    return {name_of(file): file for file in files if file.name == "__main__.py" or guard(file)}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")


class End(NamedTuple):
    status: int
    out: str
    err: str


class Stream(io.TextIOWrapper):
    """Into memory, in any encoding."""

    def __init__(self, encoding: str = "utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict", newline="\n", write_through=True)

    @property
    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


def run(command: str, words: Sequence[str], out: Any = "utf-8", err: Any = "utf-8") -> End:
    """A module, as ``python -m`` would run it, or a script, in this process; the name of an encoding stands for a stream."""
    streams = [Stream(s) if isinstance(s, str) else s for s in (out, err)]
    main = ModuleType("__main__")
    if command in SCRIPTS:
        module, _, function = SCRIPTS[command].partition(":")
        text, main.__file__ = f"import sys\nfrom {module} import {function}\nsys.exit({function}())", command
    else:
        text, main.__file__ = found()[command].read_text(encoding="utf-8"), str(found()[command])
        main.__package__ = ".".join(found()[command].relative_to(ROOT).parent.parts)
    with (
        warnings.catch_warnings(),
        mock.patch.multiple(sys, argv=[main.__file__, *words], stdout=streams[0], stderr=streams[1], path=[*sys.path]),
        mock.patch.object(signal, "signal"),
        mock.patch.object(os, "_exit", sys.exit),
    ):
        warnings.filterwarnings("ignore", ".*found in sys.modules")
        before, sys.modules["__main__"] = sys.modules["__main__"], main
        try:
            exec(compile(text, main.__file__, "exec"), vars(main))
            status = -1  # it did not end itself, as a command does
        except SystemExit as e:
            status = e.code  # type: ignore[assignment]
        finally:
            sys.modules["__main__"] = before
    return End(status, *(s.text if isinstance(s, Stream) else "" for s in streams))


WATCHED: list[str] | None = None


def watch(event: str, args: tuple) -> None:
    """Notes what is started, and what is written in this project or in the current folder; caches of libraries are theirs."""
    if WATCHED is None:
        return
    if event == "subprocess.Popen":
        WATCHED.append(f"{event} {args[0]}")
    written = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if (written or event in ("os.mkdir", "os.remove", "os.rename")) and isinstance(args[0], (str, bytes, Path)):
        path = os.path.abspath(os.fsdecode(args[0]))  # noqa: PTH100
        if path.startswith((str(ROOT), str(Path.cwd()))) and "__pycache__" not in path:
            WATCHED.append(f"{event} {path}")


@cache
def hooked() -> None:
    sys.addaudithook(watch)  # which nothing takes away


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is written or started meanwhile."""
    global WATCHED
    hooked()
    WATCHED = []
    try:
        yield WATCHED
    finally:
        WATCHED = None
