"""``python -m parity_tests.platforms.locked``: requirements.lock and requirements-cuda.lock, from constraints.txt, by uv.

Both name every package that the extra ``dev`` brings, on Linux, macOS and Windows and under every Python that is supported,
with the SHA-256 of every file of it that the index has.  So ``pip install --require-hashes --no-deps -r requirements.lock``
installs these files or nothing.  The libraries of CUDA, which only PyTorch's build for CUDA needs, are in the second.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import NamedTuple

from reference.common.command import entered, failed, parser

from .table import NEWEST, ROOT

LOCK, CUDA_LOCK = ROOT / "requirements.lock", ROOT / "requirements-cuda.lock"
CUDA = ("cuda-", "nvidia-")
PYPY = {"cffi", "pycparser"}  # which only that needs
UV = ("pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet")

# PyTorch's builds for the CPU under Linux are not on PyPI but on its own index, which lists these: of Python 3.11 to 3.14,
# for x86-64, then for Arm.
CPU_BUILDS = {
    "2.13.0": """
        6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
        4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2
        3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6
        d20fa53ee744502fa4c69818a720b05ca0d37abd055d4f6e66cae155114bc691
        84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7
        6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604
        0b8f7d0423027ae8b90c7977c627f3379f325363a08224dffad9b4b2d684a83d
        ca021f9eb2f8345c83fa03e3a04587308afb8df71bd472670b3ece00df58621c
    """.split()  # noqa: SIM905
}


class Locked(NamedTuple):
    """A package of a lock: one version, where it is wanted, and the files that are it."""

    name: str
    version: str
    marker: str  # empty: everywhere
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        requirement = f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")
        return " \\\n".join([requirement, *(f"    --hash=sha256:{h}" for h in self.hashes)])


def read(text: str) -> list[Locked]:
    """The packages of a lock."""
    packages = []
    for entry in text.replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.startswith("#"):
            requirement, *hashes = entry.split("--hash=sha256:")
            pin, _, marker = requirement.partition(";")
            name, _, version = pin.strip().partition("==")
            packages.append(Locked(name, version, marker.strip(), tuple(h.strip() for h in hashes)))
    return packages


def completed(packages: Iterable[Locked]) -> tuple[list[Locked], list[Locked]]:
    """What goes into the two files."""
    wanted = [with_cpu_builds(p) for p in packages if p.name not in PYPY]
    return [p for p in wanted if not p.name.startswith(CUDA)], [p for p in wanted if p.name.startswith(CUDA)]


def with_cpu_builds(package: Locked) -> Locked:
    """KeyError: the builds of this PyTorch are not listed here."""
    return package if package.name != "torch" else package._replace(hashes=(*package.hashes, *CPU_BUILDS[package.version]))


def main(argv: Sequence[str] | None = None) -> int:
    parser("python -m parity_tests.platforms.locked", __doc__ or "").parse_args(argv)
    if not find_spec("uv"):
        return failed("uv is needed and not installed: pip install uv")
    words = [sys.executable, "-m", "uv", *UV, "-c", NEWEST.name, "--extra", "dev", "pyproject.toml"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if ended.returncode:
        return failed(ended.stderr)
    for file, packages in zip((LOCK, CUDA_LOCK), completed(read(ended.stdout)), strict=True):
        file.write_text("".join(f"{p}\n" for p in packages), encoding="utf-8", newline="\n")
        print(f"wrote {file.name}: {len(packages)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
