"""A command that is killed at random moments until it may end, for the tests of both applications."""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from reference.common import checkpoint
from reference.common.run import LAST, LOG, PICTURE, read_log

from ..kills.command import differences

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
    """The same checkpoints and log, bit for bit; where there were many kills, some of them at different steps."""
    assert seen == sorted(seen) and (len(seen) < MANY or len(set(seen)) > 1), seen
    assert [name for name in differences(straight, killed) if name != PICTURE] == []
