"""What became of a chapter's mutants, kept in parity_tests/mutants/results, and which are equal to the original.

equal.toml says which no test can tell from the original, and why: they do not count.  Some are named by file and line; some
follow from a rule, a pattern without which both lines are the same.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import running

Json = dict[str, Any]
PLACE = Path(__file__).parent / "results"
EQUAL = Path(__file__).parent / "equal.toml"
NOTICED = ("killed", "timeout", "segfault")


class Score(NamedTuple):
    """Of a file's mutants."""

    made: int  # how many there are
    tried: int
    equal: int  # of those tried
    noticed: int

    def share(self) -> float:
        """Of those that were tried and are not equal to the original, those that a test noticed."""
        different = self.tried - self.equal
        return self.noticed / different if different else 1.0


def of_file(tree: Path, file: str) -> Json:
    """The mutants of one file: how many there are, were tried and were noticed, and the change of each that was not."""
    from mutmut.stats import status_by_exit_code  # only who runs mutants needs it

    meta = tree / "mutants" / f"{file}.meta"
    codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"] if meta.exists() else {}
    ended = {name: status_by_exit_code[code] for name, code in codes.items() if code is not None}
    missed = {name: status for name, status in ended.items() if status not in NOTICED}
    survived = [{"status": status, "change": running.change(tree, file, name)} for name, status in missed.items()]
    return {"made": len(codes), "tried": len(ended), "noticed": len(ended) - len(missed), "survived": survived}


def write(chapter: str, result: Json, folder: Path = PLACE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (folder / f"{chapter}.json").write_text(text + "\n", encoding="utf-8")


def kept(folder: Path = PLACE) -> dict[str, Json]:
    """By chapter."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}


class Equal(NamedTuple):
    """equal.toml"""

    named: dict[tuple[str, ...], str]  # file and lines: reason
    rules: dict[str, str]  # pattern: reason

    def reason(self, file: str, change: Sequence[str]) -> str | None:
        """Why a change makes no difference; None if it makes one."""
        if (file, *change) in self.named:
            return self.named[file, *change]
        return next((reason for pattern, reason in self.rules.items() if is_only(pattern, change)), None)


def is_only(pattern: str, change: Sequence[str]) -> bool:
    """Whether the lines of a change are the same but for what the pattern finds."""
    old, new = ([re.sub(pattern, "", line[2:]) for line in change if line[0] == sign] for sign in "-+")
    return old == new


def equal() -> Equal:
    listed = tomllib.loads(EQUAL.read_text(encoding="utf-8"))
    rules = {rule["pattern"]: rule["reason"] for rule in listed.pop("rules")}
    return Equal({(file, *entry["change"]): entry["reason"] for file, entries in listed.items() for entry in entries}, rules)


def score(file: str, result: Json, known: Equal) -> Score:
    same = sum(known.reason(file, mutant["change"]) is not None for mutant in result["survived"])
    return Score(result["made"], result["tried"], same, result["noticed"])


def total(scores: Iterable[Score]) -> Score:
    return Score(*map(sum, zip(Score(0, 0, 0, 0), *scores, strict=True)))


def survivors(file: str, result: Json, known: Equal) -> list[Json]:
    """Those that are not equal to the original: each a test that is missing."""
    return [mutant for mutant in result["survived"] if known.reason(file, mutant["change"]) is None]
