"""The generated parts of notes/judge/platforms.md, from parity_tests/platforms/results.json, the locks and licences.json."""

from collections import defaultdict

from parity_tests.platforms import licences, locked, running
from parity_tests.platforms.table import PLATFORMS

from ..generated import markdown

WHAT = {
    "oldest": "the lowest NumPy, SciPy, PyTorch and Numba",
    "narrow": "`longdouble` is float64",
}


def matrix() -> str:
    """A row for each platform, those that did not run last."""
    kept, head = running.kept(), ("platform", "Python", "NumPy", "PyTorch", "passed", "skipped", "failed", "minutes", "date")
    ran = [row(name, kept[name]) for name in PLATFORMS if name in kept]
    absent = [name for name in PLATFORMS if name not in kept]
    rest = f"\n\nNot run as a whole yet: {', '.join(map(called, absent))}." if absent else ""
    return "\n".join(markdown(head, ran, (0, 1, 2, 3, 8))) + rest


def called(name: str) -> str:
    return f"{name} ({WHAT[name]})" if name in WHAT else name


def row(name: str, r: running.Json) -> list[object]:
    v, skipped = r["versions"], sum(r["skipped"].values())
    passed = f"{r['passed']:,}"
    minutes = f"{r['seconds'] / 60:.0f}"
    return [called(name), v["python"], v["numpy"], v["torch"], passed, skipped, len(r["failed"]), minutes, r["date"]]


def installed() -> str:
    """The licences, with the packages under each; those that ask for the source of what is passed on first."""
    under = defaultdict(list)
    for name, licence in licences.kept().items():
        under[licence or "not said by the package"].append(name)
    rows = sorted(under.items(), key=lambda item: (not licences.COPYLEFT.search(item[0]), -len(item[1]), item[0]))
    absent = [p.name for file in (locked.LOCK, locked.CUDA_LOCK) for p in locked.read(file.read_text(encoding="utf-8"))]
    absent = [name for name in absent if name not in licences.kept()]
    rest = f"\n\nFor other systems only, and not looked at here: {', '.join(absent)}." if absent else ""
    return "\n".join(markdown(("licence", "packages"), [(k, ", ".join(v)) for k, v in rows], (0, 1))) + rest
