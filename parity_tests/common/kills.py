"""A command that is killed at random moments until it may end, for the tests of both applications."""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from reference.common import checkpoint
from reference.common.run import LAST, LOG, read_log

from ..helpers import assert_equal

MANY = 10  # fewer may by chance, on a slow machine, all come before the first checkpoint or on the same one


def killed_until_done(start: Callable[[], subprocess.Popen], folder: Path, kills: int, longest: float, seed: str) -> list[int]:
    """Start it, kill it ``kills`` times at most ``longest`` seconds after its first step, let it end.

    ->  how many steps the last checkpoint had at each kill
    """
    rng, seen = random.Random(seed), []
    for _ in range(kills):
        process = start()
        before = len(read_log(folder / LOG))
        while process.poll() is None and len(read_log(folder / LOG)) <= before:
            time.sleep(0.005)
        time.sleep(rng.random() * longest)
        process.kill()
        _, said = process.communicate()
        assert process.returncode in (-9, 0), said
        if (folder / LAST).exists():
            seen.append(checkpoint.load(folder / LAST).counters["step"])
    process = start()
    _, said = process.communicate()
    assert process.returncode == 0, said
    return seen


def check_killed(straight: Path, killed: Path, seen: list[int]) -> None:
    """The same weights and log, bit for bit; where there were many kills, some of them at different steps."""
    last = checkpoint.load(straight / LAST)
    assert seen == sorted(seen) and (len(seen) < MANY or len(set(seen)) > 1), seen
    for k, v in last.weights.items():
        assert_equal(checkpoint.load(killed / LAST).weights[k], v, k)
    logs = [[{k: v for k, v in e.items() if k != "time"} for e in read_log(folder / LOG)] for folder in (straight, killed)]
    assert logs[0] == logs[1]
