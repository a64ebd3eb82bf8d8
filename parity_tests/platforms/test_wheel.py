"""The wheel: what is in it, what runs from it with NumPy and SciPy alone, and whose modules it finds in a user's folder."""

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from torch_impl import door

pytest.importorskip("hatchling", reason="extra 'dev' is not installed: nothing builds the wheel")

ROOT = Path(__file__).parents[2]
PACKAGES = {"reference", "torch_impl", "parity_tests", "benchmarks"}
LIBRARIES = Path(sysconfig.get_path("purelib"))
ADAPTER = "from torch_impl.cells.adapters import ADAPTERS\n\nload = ADAPTERS['torch.cell'].load\n"
CASE = ("--cases", "gru-T5B4I3H6", "--dtype", "float64")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


def built(source, folder, **more):
    """The wheel that hatchling makes of a checkout, in this folder."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(words, cwd=source, env=os.environ | more, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def members(wheel):
    return set(ZipFile(wheel).namelist())


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """The folder with the commands of an environment that has the wheel, NumPy and SciPy; ALSO adds a place to look in."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=os.name != "nt")
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", commands / "python", "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
    )
    site = next(folder.glob("[Ll]ib/**/site-packages"))
    for place in (p for name in ("numpy", "scipy") for p in LIBRARIES.glob(f"{name}*")):
        (site / place.name).symlink_to(place)
    (site / "also.pth").write_text("import os, sys; sys.path += filter(None, [os.environ.get('ALSO')])\n")
    return commands


@pytest.fixture
def run(installed, tmp_path):
    """Run a command in a new folder, with everything that is installed here, or with NumPy and SciPy alone."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # several tests share the cores

    def run(*words, alone=False, **more):
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | one_thread | more
        program = installed / words[0]
        return subprocess.run(
            [program, *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env=environment if alone else environment | {"ALSO": str(LIBRARIES)},
        )

    return run


@pytest.fixture
def own_modules(tmp_path):
    """A user's folder with names that we have too, and two adapters."""
    (tmp_path / "reference.py").write_text("raise SystemExit('this reference is mine')\n")
    for package in ("benchmarks", "my_lib"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / package / "adapter.py").write_text(ADAPTER)
    return tmp_path


def test_the_wheel_holds_no_test_of_ours_no_note_and_no_result(members):
    tests = {m for m in members if Path(m).name.startswith(("test_", "bench_", "conftest")) or "tests" in Path(m).parts[:-1]}
    assert tests == {"parity_tests/test_parity.py"}
    assert {Path(m).parts[0] for m in members} - PACKAGES == {"bptt-0.1.0.dist-info"}
    assert {m for m in members if {"results", "mutation", "demo"} & set(Path(m).parts)} == set()


def test_the_wheel_is_the_same_bit_for_bit_wherever_and_whenever_it_is_built(wheel, members, tmp_path):
    """Of a copy in another folder whose files are of another day and for other people, in another place of the world."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for k, file in enumerate(sorted(tmp_path.rglob("*"))):
        if file.is_file():
            file.chmod(0o600)
            os.utime(file, (10**9 + k, 10**9 + k))
    again = built(tmp_path, tmp_path / "dist", TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="1")
    assert again.name == wheel.name
    assert ZipFile(again).namelist() == ZipFile(wheel).namelist()
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


def test_the_wheel_holds_what_commands_read(members):
    files = {f"{package}/py.typed" for package in ("reference", "torch_impl", "parity_tests")} | {
        "benchmarks/schema.json",
        "benchmarks/claims/claims.toml",
        "parity_tests/judge/schema.json",
        *(f"parity_tests/vectors/checkers/{name}" for name in ("check.c", "check.mjs", "lstm.mjs")),
    }
    files |= {p.relative_to(ROOT).as_posix() for p in ROOT.glob("*/*/templates/*") if p.parts[-4] in PACKAGES}
    assert len(files) > 8
    assert files <= members


def test_modules_of_the_wheel_import_only_what_is_in_it(wheel, members):
    """Of ours, whenever a module is loaded; what a function imports is its own affair."""
    with ZipFile(wheel) as archive:
        for member in (m for m in members if m.endswith(".py")):
            package = Path(member).parts[:-1]
            for node in ast.parse(archive.read(member)).body:
                if isinstance(node, ast.ImportFrom):
                    base = [*package[: len(package) - node.level + 1]] if node.level else []
                    base += (node.module or "").split(".") if node.module else []
                    if base and base[0] in PACKAGES | {"notes"}:
                        assert is_in("/".join(base), members), f"{member} imports {'.'.join(base)}"
                        for alias in node.names:
                            name = "/".join([*base, alias.name])
                            assert is_in(name, members) or not exists(name), f"{member} imports {name}"


def is_in(name, members):
    return f"{name}.py" in members or f"{name}/__init__.py" in members


def exists(name):
    return (ROOT / f"{name}.py").exists() or (ROOT / name / "__init__.py").exists()


def test_numpy_and_scipy_are_enough_for_the_reference(run):
    code = """if True:
        import reference, numpy as np
        lstm = reference.LSTM(3, 5, engine="fast")
        y, _ = lstm(np.ones((4, 2, 3), np.float32))
        lstm.backward(y)
        model = reference.Classifier(7, 2, 4, 5, rng=np.random.default_rng(0))
        batch = reference.batches.labelled([np.array([3, 4, 5]), np.array([4])], [1, 0])
        reference.training.train(model, reference.optim.Adam(model), lambda epoch: [batch], epochs=2)
        """
    ended = run("python", "-c", code, alone=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "missing", "extra"),
    [
        ("-m parity_tests", "torch and rich", "parity"),
        ("-m parity_tests.vectors --out a", "torch, rich and safetensors", "parity"),
        ("-m benchmarks run", "torch, rich, psutil and threadpoolctl", "bench"),
        ("-m benchmarks compare a b", "torch, rich and pandas", "bench"),
        ("-m reference.char_lm train", "rich, safetensors, fastjsonschema and filelock", "apps"),
        ("-m reference.forecast train", "rich, safetensors, fastjsonschema, filelock and pandas", "apps"),
        ("-m torch_impl.char_lm train", "torch, rich, safetensors, fastjsonschema and filelock", "apps,torch"),
        ("-m torch_impl.forecast train", "torch, rich, safetensors, fastjsonschema, filelock and pandas", "apps,torch"),
        ("-m torch_impl.tasks names_tagger", "torch", "torch"),
        ("-m torch_impl.export a", "torch, safetensors, fastjsonschema, onnx and onnxruntime", "apps,torch"),
        ("bptt-parity", "torch and rich", "parity"),
        ("bptt-bench list", "torch and rich", "bench"),
        ("bptt-char-lm train", "rich, safetensors, fastjsonschema and filelock", "apps"),
        ("bptt-forecast evaluate", "rich, safetensors, fastjsonschema, filelock and pandas", "apps"),
        ("bptt-forecast train --backend torch", "torch, rich, safetensors, fastjsonschema, filelock and pandas", "apps,torch"),
    ],
)
def test_a_command_says_which_extra_it_misses(words, missing, extra, run):
    program, *more = words.split()
    ended = run(*(["python", program] if program == "-m" else [program]), *more, alone=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    verb, what = "are" if " and " in missing else "is", "extras" if "," in extra else "extra"
    assert ended.stderr.startswith(f"error: {missing} {verb} needed and not installed; the {what} '{extra}' ")
    assert ended.stderr.count("\n") == 1


def test_a_users_folder_neither_breaks_the_judge_nor_is_hidden(own_modules, run):
    ended = run("bptt-parity", "--impl", "my_lib.adapter", "--impl", "benchmarks.adapter", *CASE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "my_lib.adapter" in ended.stdout
    assert "benchmarks.adapter" in ended.stdout


def test_bptt_bench_times_an_adapter_of_the_folder_against_the_library(run, own_modules):
    options = ("--preset", "smoke", "--cell", "gru", "--phase", "forward", "--seconds", "0.001")
    ended = run("bptt-bench", "--impl", "my_lib.adapter", "--against", "torch.library", *options)
    assert ended.returncode == 0, ended.stderr
    assert "my_lib.adapter over torch.library" in ended.stdout
    assert "gru, forward" in ended.stdout
    written = {file.name for file in (own_modules / "out" / "against").iterdir()}
    assert written == {"against.html", "against.json", "result.json"}


def test_the_other_commands_are_not_broken_by_a_users_folder_either(own_modules, run):
    ended = run("bptt-bench", "nothing")
    assert (ended.returncode, ended.stderr.partition(";")[0]) == (2, "error: there is no command 'nothing'")
    for command in ("bptt-forecast", "bptt-char-lm"):
        ended = run(command, "evaluate", "--run", "nothing", PYTHONPATH=".")
        assert (ended.returncode, ended.stderr.partition(":")[0]) == (2, "error")
        assert "nothing" in ended.stderr


def test_an_adapter_that_wants_its_own_reference_is_told_whose_it_gets(own_modules, run):
    (own_modules / "my_lib" / "adapter.py").write_text("from reference import mine\n")
    ended = run("bptt-parity", "--impl", "my_lib.adapter", *CASE)
    assert ended.returncode == 2
    assert f"here 'import reference' gives bptt's own, not that of {own_modules}" in " ".join(ended.stderr.split())


@pytest.mark.parametrize("module", ["parity_tests", "torch_impl.char_lm", "torch_impl.export"])
def test_a_foreign_reference_is_one_sentence(module, own_modules, run):
    """python -m looks in the current folder first."""
    ended = run("python", "-m", module)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"error: 'import reference' finds {own_modules / 'reference.py'}, not bptt's own")
    assert ended.stderr.count("\n") == 1


def test_python_m_looks_for_an_adapter_in_the_current_folder(own_modules, run):
    (own_modules / "reference.py").unlink()
    assert run("python", "-m", "parity_tests", "--impl", "my_lib.adapter", *CASE).returncode == 0


def test_the_judge_runs_as_pytest_items(own_modules, run):
    """Under its name, with nothing of ours collected but what judges a stranger, wherever the adapter's folder is."""
    words = ("-P", "-m", "pytest", "-v", "-p", "no:cacheprovider", "--pyargs", "parity_tests", "--impl", "my_lib.adapter")
    ended = run("python", *words, *CASE, "--junitxml", "r.xml")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout
    assert "test_case[my_lib.adapter-gru-T5B4I3H6-float64]" in (own_modules / "r.xml").read_text(encoding="utf-8")
    files = {line.partition("::")[0] for line in ended.stdout.splitlines() if "::" in line}
    assert {Path(file).name for file in files} == {"test_parity.py"}


def test_a_run_of_pytest_on_something_else_does_not_have_our_options(own_modules, run):
    (own_modules / "conftest.py").write_text('def pytest_addoption(parser):\n    parser.addoption("--device")\n')
    (own_modules / "test_mine.py").write_text(
        "import sys\n\ndef test_mine(request):\n    assert request.config.getoption('--device') == 'mine'\n"
        "    assert 'parity_tests.plugin' in sys.modules and 'parity_tests.judge' not in sys.modules\n"
    )
    ended = run("python", "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--device", "mine")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr


def test_workers_find_what_the_command_finds(own_modules, run):
    ended = run("bptt-parity", "--impl", "benchmarks.adapter", *CASE, "--isolate")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["train", "--steps", "3"], "reference.char_lm"),
        (["--backend", "torch", "train", "--steps", "3"], "torch_impl.char_lm"),
        (["train", "--backend=torch", "--steps", "3"], "torch_impl.char_lm"),
    ],
)
def test_the_backend_is_chosen_by_an_option(words, module, monkeypatch):
    """What is left goes to the command, in its order."""
    started = []
    monkeypatch.setattr(door.runpy, "run_module", lambda name, **_: started.append((name, sys.argv[1:])))
    monkeypatch.setattr(sys, "argv", ["bptt-char-lm", *words])
    monkeypatch.setattr(sys, "path", [*sys.path])
    door.application("char_lm")
    assert started == [(module, ["train", "--steps", "3"])]


def test_contributing_names_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {n for n in re.findall(r"`(\.?\w+/[\w./]+)`", text) if "foo" not in n}
    assert len(named) > 30
    assert [n for n in named if not (ROOT / n).exists()] == []
    paths = {name: ROOT / name.replace("foo", "gru") for name in re.findall(r"`(\w+/[\w./]*foo[\w.]*)`", text)}
    assert len(paths) == 9
    assert [name for name, path in paths.items() if not path.exists()] == []
