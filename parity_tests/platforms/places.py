"""Where a platform's interpreter is, and an environment with what the suite needs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from shutil import rmtree

from .table import ROOT, Platform, pins

PLACE = Path("out/matrix")
BIN = "Scripts" if os.name == "nt" else "bin"


class InstallError(RuntimeError):
    """Something that cannot be installed under an interpreter."""


def interpreter(version: str) -> str | None:
    """A CPython of this version: on the path, one of pyenv's, or the one that runs; None if there is none."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = sorted(versions.glob(f"{version}.*/bin/python"), key=lambda file: int(file.parts[-3].split(".")[2]))
    return next((str(p) for p in [*reversed(installed), shutil.which(f"python{version}")] if p and runs(p)), None)


def runs(program: str | Path) -> bool:
    """Whether it starts: a file of this name may be a stand-in that only says that there is none."""
    try:
        return subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def environment(name: str, platform: Platform, python: str, place: Path = PLACE) -> Path:
    """The interpreter of its environment, which is made where there is none or its pins have changed.

    InstallError: pip cannot install them.
    """
    folder, wanted = (place / name).absolute(), "\n".join([*pins(platform), (ROOT / "pyproject.toml").read_text(encoding="utf-8")])
    own, ready = folder / BIN / "python", folder / "ready"
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return own
    rmtree(folder, ignore_errors=True)
    call(python, "-m", "venv", folder)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins(platform)), encoding="utf-8")
    install = (own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", constraints)
    call(*install, "numpy", "torch")
    call(*install, "-e", f"{ROOT}[dev]")
    ready.write_text(wanted, encoding="utf-8")
    return own


def call(*words: str | Path) -> None:
    """InstallError: the command fails."""
    ended = subprocess.run(words, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if ended.returncode:
        said = [line for line in ended.stderr.splitlines() if line.strip()] or ["nothing was said"]
        raise InstallError(said[-1])
