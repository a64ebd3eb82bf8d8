"""The generated parts of notes/judge/trust.md: the mutation score, from parity_tests/mutants/results."""

from collections.abc import Iterator

from parity_tests.judge.pages import cell
from parity_tests.mutants import results
from parity_tests.mutants.chapters import chapters

from ..generated import markdown

HEAD = ("file", "mutants", "tried", "equal", "noticed")


def mutants() -> str:
    """A row for each file, and one for each chapter before its files."""
    known = results.equal()
    rows, scores = [], []
    for chapter, kept in results.kept().items():
        of_files = {file: results.score(file, result, known) for file, result in kept["files"].items() if result["tried"]}
        whole = results.total(of_files.values())
        scores.append(whole)
        rows += [row(f"**{chapter}**", whole), *(row(f"`{file}`", score) for file, score in of_files.items())]
    if not scores:
        return "None has been tried yet."
    left = [name for name in chapters() if name not in results.kept()]
    rest = f"\n\nNot tried as a whole yet: {', '.join(left)}." if left else ""
    return "\n".join(markdown(HEAD, [row("**all**", results.total(scores)), *rows])) + rest


def row(name: str, score: results.Score) -> list[object]:
    return [name, score.made, score.tried, score.equal, f"{score.share():.1%}"]


def survivors() -> str:
    """A list of the changes that no test notices though they make a difference."""
    return "\n".join(missed()) or ("None of those that were tried." if results.kept() else "None has been tried yet.")


def missed() -> Iterator[str]:
    known = results.equal()
    for kept in results.kept().values():
        for file, result in kept["files"].items():
            for mutant in results.survivors(file, result, known):
                yield f"- `{file}`: {changed(mutant['change'])}"


def equal() -> str:
    """Why a change makes no difference, with the changes."""
    known = results.equal()
    by_reason: dict[str, list[str]] = {reason: [] for reason in known.rules.values()}
    for (file, *change), reason in known.named.items():
        by_reason.setdefault(reason, []).append(f"  - `{file}`: {changed(change)}")
    return "\n".join(line for reason, changes in by_reason.items() for line in (f"- {reason}", *changes))


def changed(change: list[str]) -> str:
    old, new = ([line[2:] for line in change if line[0] == sign] for sign in "-+")
    return f"{cell(' ⏎ '.join(map(code, old)))} → {cell(' ⏎ '.join(map(code, new)))}"


def code(line: str) -> str:
    return f"`` {' '.join(line.split())} ``"
