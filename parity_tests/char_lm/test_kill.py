"""kill -9 at random moments, while writing too: what is left loads, and the run goes on to the same weights."""

import pytest

from ..common.kills import check_killed, killed_until_done
from .runs import SIDES, SMALL, call, spawn, write_text

OPTIONS = [*SMALL, "--dropout", "0.2", "--layers", "2"]
OFTEN = ["1" if before == "--save-every" else o for before, o in zip([None, *OPTIONS], OPTIONS, strict=False)]


def check(backend, tmp_path, steps, kills, longest):
    text, straight, killed = write_text(tmp_path), tmp_path / "straight", tmp_path / "killed"
    assert call(backend, "train", "--text", text, "--run", straight, "--steps", steps, *OFTEN) == 0

    def start():
        more = ["--resume"] if (killed / "config.json").exists() else []
        return spawn(backend, "train", "--text", text, "--run", killed, "--steps", steps, *OFTEN, *more)

    check_killed(straight, killed, killed_until_done(start, killed, kills, longest, backend))


def test_killed_three_times(tmp_path):
    check("reference", tmp_path, 700, 3, 0.15)


@pytest.mark.slow
@pytest.mark.parametrize("backend", SIDES)
def test_killed_twenty_times(backend, tmp_path):
    check(backend, tmp_path, 4000, 20, 0.3)
