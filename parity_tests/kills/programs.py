"""What is killed: a small run of each application, and how a person begins it and goes on with it."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference.char_lm.command import main as char_lm
from reference.common.run import CONFIG, LAST
from reference.forecast.command import main as forecast

from ..char_lm import runs as texts
from ..forecast import runs as series


@dataclass(frozen=True)
class Program:
    """The training of one application."""

    name: str
    main: Callable[[Any, list[str]], int]  # with a backend and the words of the command
    sides: Mapping[str, Any]
    begin: list[str]
    go_on: list[str]
    goes_on: str  # the file from which on there is something to go on with

    def words(self, folder: Path) -> list[str]:
        """Of the command that begins the run in a folder, or goes on with it."""
        go_on = (folder / self.goes_on).exists()
        return [*(self.go_on if go_on else [*self.begin, "--overwrite"]), "--run", str(folder)]


def programs(folder: Path) -> list[Program]:
    """Both, with dropout, two layers and a checkpoint after every few steps; their data are written into ``folder``."""
    more = ["--layers", "2", "--dropout", "0.2"]
    text = ["train", "--text", texts.write_text(folder), "--steps", 200, *texts.SMALL, *more, "--save-every", 1]
    sampled = shlex.split("--batch 32 --mode recursive --sampling linear --epochs 25")
    numbers = series.asked(series.write(folder / "wave.csv", series.wave()), *more, *sampled)
    begin, first = [str(w) for w in text], [str(w) for w in numbers]
    return [
        Program("char_lm", char_lm, texts.SIDES, begin, ["train", "--resume", "--quiet"], CONFIG),
        Program("forecast", forecast, series.SIDES, first, ["train", "--resume", "--no-progress"], LAST),
    ]
