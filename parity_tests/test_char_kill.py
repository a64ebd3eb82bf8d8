"""kill -9 at random moments, while writing too: what is left loads, and the run goes on to the same weights."""

import random
import time

import pytest

from reference import checkpoint
from reference.runlog import LAST, LOG, read_log

from .char_runs import SIDES, SMALL, call, spawn, weights, write_text
from .helpers import assert_equal

OPTIONS = [*SMALL, "--dropout", "0.2", "--layers", "2"]
OFTEN = ["1" if before == "--save-every" else o for before, o in zip([None, *OPTIONS], OPTIONS, strict=False)]


def killed_until_done(side, folder, text, steps, kills, longest):
    """Start it, kill it ``kills`` times, let it end.  How many steps were done at each kill."""
    rng, seen = random.Random(side), []
    arguments = ["train", "--text", text, "--run", folder, "--steps", steps, *OFTEN]
    for _ in range(kills):
        more = ["--resume"] if (folder / "config.json").exists() else []
        process = spawn(side, *arguments, *more)
        before = len(read_log(folder / LOG))
        while process.poll() is None and len(read_log(folder / LOG)) <= before:
            time.sleep(0.005)
        time.sleep(rng.random() * longest)
        process.kill()
        _, said = process.communicate()
        assert process.returncode in (-9, 0), said
        if (folder / LAST).exists():
            seen.append(checkpoint.load(folder / LAST).counters["step"])
    process = spawn(side, *arguments, "--resume")
    _, said = process.communicate()
    assert process.returncode == 0, said
    return seen


def check(side, tmp_path, steps, kills, longest):
    text = write_text(tmp_path)
    assert call(side, "train", "--text", text, "--run", tmp_path / "straight", "--steps", steps, *OPTIONS) == 0
    seen = killed_until_done(side, tmp_path / "killed", text, steps, kills, longest)
    assert len(set(seen)) > 1 and seen == sorted(seen) and seen[-1] < steps, seen
    for k, v in weights(tmp_path / "straight").items():
        assert_equal(weights(tmp_path / "killed")[k], v, k)
    logs = [[{k: v for k, v in e.items() if k != "time"} for e in read_log(tmp_path / name / LOG)]
            for name in ("straight", "killed")]
    assert logs[0] == logs[1]


def test_killed_three_times(tmp_path):
    check("reference", tmp_path, 700, 3, 0.15)


@pytest.mark.slow
@pytest.mark.parametrize("side", SIDES)
def test_killed_twenty_times(side, tmp_path):
    check(side, tmp_path, 4000, 20, 0.3)
