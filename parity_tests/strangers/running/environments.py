"""An environment for each set of requirements: what this one has, and before it what pip installs.

Pins clash, so no two sets share one; torch, which is large, is in none of them.
"""

import subprocess
import sys
import sysconfig
import venv
import zlib
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from shutil import rmtree
from threading import Lock

import numpy as np

PLACE = Path("out/strangers/environments")
READY = "ready"  # the file that is written last
MAKING: defaultdict[Path, Lock] = defaultdict(Lock)  # several libraries may want one environment at once
KEPT = ("torch", "scipy")  # whatever a library asks for, these stay as they are


class InstallError(RuntimeError):
    """Something that pip cannot install here."""


def environment(needs: tuple[str, ...], place: Path = PLACE) -> Path:
    """The interpreter of the environment with these requirements, which is made if it is not there.

    InstallError: pip cannot install them.
    """
    folder = place / f"{needs[0].partition('=')[0].partition('[')[0]}-{zlib.crc32(repr((needs, sys.version)).encode()):08x}"
    with MAKING[folder.absolute()]:
        if not (folder / READY).exists():
            make(folder, needs)
    return folder.absolute() / "bin" / "python"


def make(folder: Path, needs: tuple[str, ...]) -> None:
    """Make the environment, in place of one that was not finished.  InstallError: pip cannot install what it needs."""
    rmtree(folder, ignore_errors=True)
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    base = "\n".join(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))
    (site / "base.pth").write_text(base, encoding="utf-8")
    kept = folder / "kept.txt"
    versions = [*(f"{name}=={metadata.version(name)}" for name in KEPT), f"numpy>={np.__version__[0]}"]
    kept.write_text("\n".join(versions), encoding="utf-8")
    python = str(folder.absolute() / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    for need in needs:  # in this order: one may be what the next is built with
        words = [*pip, "--no-build-isolation", "--constraint", str(kept), need]
        ended = subprocess.run(words, capture_output=True, encoding="utf-8", errors="replace", check=False)
        if ended.returncode:
            raise InstallError(f"pip cannot install {need}: {last_line(ended.stderr)}")
    (folder / READY).touch()


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing was said")
