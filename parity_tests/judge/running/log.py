"""Results as they come: a file with a line of JSON for each, and a first line that says what they are results of.

A run that was ended has its results there, all but the one it was at; ``--resume`` takes them and goes on.
"""

import json
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reference.common.output import about

from ..cases import TIERS, Case, table
from ..causes.search import Explanation
from ..report import RULE, VERSION, number
from ..suite import Result
from ..tolerance import Verdict


def head(device: str) -> dict[str, Any]:
    """What must be the same for results to stand in one file."""
    names = "\n".join(case.name for case in table(("float64",), tier=TIERS[-1]))
    return {"log": VERSION, "rule": RULE, "cases": f"{zlib.crc32(names.encode()):08x}", "device": device}


class Log:
    """The file, and the results that were in it."""

    def __init__(self, path: Path, device: str, cases: Iterable[Case], resume: bool = False):
        """ValueError: it is there and not to be resumed, or cannot be.  OSError: it cannot be read or written."""
        if path.exists() and not resume:
            raise ValueError(f"--log: {path} is there already; --resume goes on with it")
        text = path.read_bytes() if path.exists() else b""
        text = text[: text.rfind(b"\n") + 1]  # a run that was killed may have left half a line
        self.path, self.results = path, read(path, text.decode(), head(device), cases) if text else []
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("a", encoding="utf-8")
        os.truncate(path, len(text))
        if not text:
            self.line(head(device))

    def line(self, content: dict[str, Any]) -> None:
        with about(self.path):
            self.file.write(json.dumps(content, ensure_ascii=False) + "\n")
            self.file.flush()

    def add(self, r: Result) -> None:
        """Write a result down."""
        verdicts = [v._asdict() | {"error": number(v.error), "allowed": number(v.allowed)} for v in r.verdicts]
        fields = {k: v for k, v in r._asdict().items() if k not in ("case", "expected")}  # what is expected may change
        self.line({"case": r.case.name, "dtype": r.case.spec.dtype} | fields | {"verdicts": verdicts})

    def close(self) -> None:
        self.file.close()


def read(path: Path, text: str, wanted: dict[str, Any], cases: Iterable[Case]) -> list[Result]:
    """The results on these cases.  ValueError: a line cannot be read, or they are of something else than is wanted."""
    known = {(case.name, case.spec.dtype): case for case in cases}
    results = []
    for n, line in enumerate(text.splitlines(), 1):
        try:
            fields = json.loads(line)
            if n > 1 and (case := known.get((fields.pop("case"), fields.pop("dtype")))):
                verdicts = tuple(Verdict(**v | {k: v[k] and float(v[k]) for k in ("error", "allowed")}) for v in fields["verdicts"])
                explained = tuple(Explanation(misreading, tuple(agree)) for misreading, agree in fields["explained"])
                results.append(Result(case=case, **fields | {"verdicts": verdicts, "explained": explained}))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f"--resume: {path}, line {n}, is no line of such a log") from None
        if n == 1 and fields != wanted:
            raise ValueError(f"--resume: {path} is of other cases, another rule or another device, and cannot be gone on with")
    return results
