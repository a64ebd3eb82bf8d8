"""kill -9 at random moments of a forecast's training: what is left loads, and the run goes on to the same weights."""

import pytest

from reference.common.run import LAST

from ..char_lm.runs import spawn
from ..common.kills import check_killed, killed_until_done
from .runs import SIDES, asked, command, wave, write


def check(backend, tmp_path, epochs, kills, longest):
    file, straight, killed = write(tmp_path / "own.csv", wave()), tmp_path / "straight", tmp_path / "killed"
    more = f"--batch 16 --layers 2 --dropout 0.2 --mode recursive --sampling linear --epochs {epochs}".split()
    first = asked(file, *more)
    assert command(backend, *first, "--out", straight) == 0

    def start():
        words = ["train", "--resume", "--no-progress"] if (killed / LAST).exists() else [*first, "--overwrite"]
        return spawn(backend, *words, "--out", killed, application="forecast")

    check_killed(straight, killed, killed_until_done(start, killed, kills, longest, backend))


def test_killed_two_times(tmp_path):
    check("reference", tmp_path, 40, 2, 0.3)


@pytest.mark.slow
@pytest.mark.parametrize("backend", SIDES)
def test_killed_twenty_times(backend, tmp_path):
    check(backend, tmp_path, 200, 20, 0.2)
