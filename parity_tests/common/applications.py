"""The two applications as their tests need them alike: a small training run, in this process or in one of its own."""

from pathlib import Path
from typing import NamedTuple

from ..char_lm import runs as characters
from ..forecast import runs as forecasts

APPLICATIONS = "char_lm", "forecast"


class Small(NamedTuple):
    """An application on a small text or series of its own."""

    name: str
    data: Path

    @classmethod
    def on(cls, name: str, folder: Path) -> "Small":
        folder.mkdir(exist_ok=True)
        if name == "char_lm":
            return cls(name, characters.write_text(folder))
        return cls(name, forecasts.write(folder / "own.csv", forecasts.wave()))

    def words(self, run: Path, *more: object, steps: int = 20) -> list[str]:
        if self.name == "char_lm":
            quiet = [w for w in characters.SMALL if w != "--quiet"]
            words = ["--text", self.data, *quiet, "--steps", steps]
        else:
            words = [*forecasts.asked(self.data)[1:], "--epochs", max(1, steps // 2)]  # 2 batches a pass
        return ["train", *map(str, [*words, "--run", run, *more])]

    def call(self, *words: object, backend: str = "reference") -> int:
        side = characters.call if self.name == "char_lm" else forecasts.command
        first, *rest = map(str, words)
        return side(backend, first, *rest)

    def train(self, run: Path, *more: object, backend: str = "reference") -> int:
        return self.call(*self.words(run, *more), backend=backend)
