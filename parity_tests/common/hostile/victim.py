"""A run whose files are replaced, and the commands that read them."""

import io
import shutil
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from reference.common.run import BEST, LAST, PICTURE
from torch_impl.export import command as export

from ...fuzz import at_once
from ..applications import Small
from . import forging
from .forging import Contents, Forgery

SIDES = "reference", "torch_impl"
WHOSE = ("model",), ("config",), ("optimizer", "name")  # of another: the sentence says of what
SECONDS = 60  # in which a command has answered, also on a busy machine
COUNTS: Counter[str] = Counter()  # what came of the files
COMMANDS = {
    "char_lm": {
        "resume": ["train", "--resume", "--quiet", "--run", "RUN"],
        "from": ["train", "--from", "RUN", "--text", "DATA", "--steps", "2", "--quiet", "--run", "NEW"],
        "generate": ["generate", "--length", "5", "--run", "RUN"],
        "evaluate": ["evaluate", "--run", "RUN"],
        "export": ["RUN", "--out", "NEW"],
    },
    "forecast": {
        "resume": ["train", "--resume", "--no-progress", "--run", "RUN"],
        "evaluate": ["evaluate", "--no-plots", "--run", "RUN"],
        "predict": ["predict", "--no-plots", "--run", "RUN"],
        "predict others": ["predict", "--no-plots", "--csv", "DATA", "--run", "RUN"],
        "export": ["RUN", "--out", "NEW"],
    },
}


class Answer(NamedTuple):
    status: int
    said: str
    printed: str


class Victim:
    """A run of an application, whose files are replaced."""

    def __init__(self, name: str, folder: Path):
        self.small, self.run, self.new = Small.on(name, folder), folder / "run", folder / "new"
        answer = self.answer("reference", self.small.words(self.run, *(["--quiet"] if name == "char_lm" else []), steps=12))
        assert answer.status == 0, answer
        (self.run / PICTURE).unlink(missing_ok=True)
        self.files = {file: file.read_bytes() for file in self.run.iterdir()}
        self.contents = Contents.of(self.run / LAST)
        self.forgeries = forging.forgeries(self.contents)

    @property
    def name(self) -> str:
        return self.small.name

    def answer(self, side: str, words: list[str]) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        main = export.main if words[0] == str(self.run) else lambda words: self.small.call(*words, backend=side)
        with redirect_stdout(out), redirect_stderr(err), at_once(SECONDS):
            status = main([str(w) for w in words])
        return Answer(status, err.getvalue(), out.getvalue())

    def attack(self, side: str, command: str, forged: dict[str, bytes]) -> Answer:
        """What a command says of a run some of whose files were replaced; if it refuses, nothing else is there then."""
        for name, data in forged.items():
            (self.run / name).write_bytes(data)
        before = {file: file.read_bytes() for file in self.run.iterdir()}
        known = {"RUN": self.run, "NEW": self.new, "DATA": self.small.data}
        try:
            answer = self.answer(side, [str(known.get(w, w)) for w in COMMANDS[self.name][command]])
            if answer.status:
                assert answer.said.startswith("error: ") and answer.said.count("\n") == 1, answer
                assert not self.new.exists() and {file: file.read_bytes() for file in self.run.iterdir()} == before
            return answer
        finally:
            shutil.rmtree(self.new, ignore_errors=True)
            self.new.unlink(missing_ok=True)
            for file in self.run.iterdir():
                if file not in self.files:
                    file.unlink()
            for file, data in self.files.items():
                file.write_bytes(data)

    def check(self, forgery: Forgery, side: str, command: str) -> None:
        """A forged checkpoint, in place of both of a run."""
        answer = self.attack(side, command, {LAST: forgery.data, BEST: forgery.data})
        COUNTS["taken" if answer.status == 0 else "refused"] += 1
        assert answer.status in ((0, 2, 1) if command == "export" else (0, 2)), (str(forgery), answer)
        if answer.status == 2 and f"{self.run}/" in answer.said and forgery.kind != "numbers":
            assert forgery.name in answer.said or forgery.place in WHOSE, (str(forgery), answer.said)
