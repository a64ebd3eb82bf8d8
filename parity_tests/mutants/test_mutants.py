"""The mutation score: every file belongs to a chapter, what is said to be equal is still there, and the score holds."""

import pytest

from . import results, running
from .chapters import NOT, ROOT, SIDES, chapters, files
from .command import main

LEAST = 0.98
KEPT = results.kept()
KNOWN = results.equal()


def test_every_file_of_both_sides_and_of_the_judge_is_mutated_once():
    ours = [p.relative_to(ROOT).as_posix() for side in (*SIDES, "parity_tests/judge") for p in (ROOT / side).rglob("*.py")]
    # What stands at the top of a side imports the rest, or starts a command.
    left_out = {p for p in ours if p.endswith("__main__.py") or "/tests/" in p or p.startswith(NOT) or p.count("/") == 1}
    mutated = [file for chapter in chapters().values() for file in files(chapter)]
    assert sorted(mutated) == sorted(set(ours) - left_out)


@pytest.mark.parametrize("chapter", chapters())
def test_the_tests_of_a_chapter_are_there(chapter):
    for name in chapters()[chapter].tests:
        assert (ROOT / name.partition("::")[0]).exists(), name


@pytest.mark.parametrize("entry", KNOWN.named, ids=lambda entry: f"{entry[0]}: {entry[1][2:40]}")
def test_a_line_whose_change_makes_no_difference_is_in_its_file(entry):
    file, *change = entry
    text = [running.plain(line) for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    assert KNOWN.named[entry]
    for line in (line[2:] for line in change if line.startswith("- ")):
        # A function that is mutated has another name there.
        assert line in text or any(line == head_without_name(own) for own in text), line


def test_a_rule_forgives_what_its_pattern_finds_and_nothing_else():
    same = ["- for a, b in zip(x, y, strict=True):", "+ for a, b in zip(x, y, ):"]
    assert KNOWN.reason("any.py", same)
    assert KNOWN.reason("any.py", [same[0], "+ for a, b in zip(x, strict=True):"]) is None
    assert KNOWN.reason("any.py", [same[0], "+ for a, b in zip(x, None, strict=True):"]) is None


def head_without_name(line: str) -> str:
    """``def f(x):`` as a mutant's change shows it, ``def (x):``."""
    start, brace, rest = line.partition("(")
    return f"def {brace}{rest}" if start.startswith("def ") else line


@pytest.mark.parametrize("chapter", KEPT)
def test_what_is_kept_is_good_enough(chapter):
    of_files = KEPT[chapter]["files"]
    score = results.total(results.score(file, result, KNOWN) for file, result in of_files.items())
    assert score.tried > score.made // 20
    assert score.share() >= LEAST, f"{score.share():.1%} of {score.tried - score.equal} mutants noticed"


@pytest.mark.parametrize("words", [["nothing"], ["parts", "--digits", "x"], ["parts", "--digits", ""]])
def test_what_is_not_there_is_refused(words, capsys):
    assert main(words) == 2
    assert "error: " in capsys.readouterr().err
