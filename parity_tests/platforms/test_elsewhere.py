"""What other systems do otherwise, as far as that can be seen here: encodings, names of files, processes."""

import ast
import ctypes
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from reference.common.run import listing

from ..judge.cases.table import table
from ..test_structure import COLUMNS, ROOT, is_test, parsed, sources, tracked

FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)  # in names, by Windows
WORDS = re.compile(r"open\(|_text\(|text=|universal_newlines")  # without which a file need not be parsed
OTHER = {"gzip", "os", "zipfile", "tarfile", "Image", "characters", "texts"}  # whose functions of these names are of something else


def without_encoding(tree: ast.AST) -> Iterator[int]:
    """Lines where text is read or written in whatever encoding the system has."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        words = {k.arg: k.value for k in node.keywords}
        if "encoding" in words or None in words:
            continue
        method = isinstance(node.func, ast.Attribute)
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name == "open":
            mode = words.get("mode", next(iter(node.args[0 if method else 1 :]), ast.Constant("r")))
            found = "b" not in str(getattr(mode, "value", "b"))
        elif name in ("read_text", "write_text") and method:
            found = len(node.args) < (1 if name == "read_text" else 2)
        else:
            found = any(getattr(words.get(word), "value", False) is True for word in ("text", "universal_newlines"))
        if found and getattr(getattr(node.func, "value", None), "id", "") not in OTHER:
            yield node.lineno


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("path.open()", True),
        ("path.open('a')", True),
        ("open(name, mode='w')", True),
        ("path.read_text()", True),
        ("path.write_text(t)", True),
        ("subprocess.run(words, text=True)", True),
        ("path.open('rb')", False),
        ("path.open('w', encoding='utf-8', newline='')", False),
        ("gzip.open(path)", False),
        ("path.read_text('utf-8')", False),
        ("path.write_text(t, encoding='utf-8')", False),
        ("subprocess.run(words)", False),
    ],
)
def test_what_has_no_encoding_is_found(line, wrong):
    assert list(without_encoding(ast.parse(line))) == [1] * wrong


def test_every_text_is_read_and_written_in_an_encoding_that_is_named():
    """Of tests this is not asked: they say PYTHONUTF8 where it matters, or are of ASCII."""
    files = [file for file in sources(*COLUMNS) if not is_test(file) and WORDS.search((ROOT / file).read_text(encoding="utf-8"))]
    assert len(files) > 50
    assert [f"{file}:{line}" for file in files for line in without_encoding(parsed(file))] == []


def test_names_of_files_are_such_as_every_system_has():
    """Those in git, and those of cases, which vectors are written under: also where a and A are one."""
    names = [file.as_posix() for file in tracked()]
    assert [name for name in names if any(FORBIDDEN.search(part) for part in name.split("/"))] == []
    assert [name for name, n in Counter(map(str.lower, names)).items() if n > 1] == []
    assert [name for name in names if not name.isascii() or len(name) > 150] == []
    cases = [case.name for case in table(dtypes=("float64",), tier=2)]
    assert [name for name in cases if FORBIDDEN.search(name)] == []
    assert len(set(map(str.lower, cases))) == len(set(cases))


@pytest.mark.parametrize(
    ("handle", "error", "waited", "there"),
    [(0, 87, 0, False), (0, 5, 0, True), (7, 0, 0, False), (7, 0, 258, True)],
    ids=["no such process", "not ours to look at", "ended", "runs"],
)
def test_a_process_is_looked_for_on_windows_without_sending_it_anything(handle, error, waited, there, monkeypatch):
    """There os.kill(pid, 0) is Ctrl-C."""
    closed = []
    kernel = SimpleNamespace(
        OpenProcess=lambda rights, inherited, pid: handle,
        GetLastError=lambda: error,
        WaitForSingleObject=lambda process, milliseconds: waited,
        CloseHandle=closed.append,
    )
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(os, "kill")
    if there:
        listing.look_for(4711)
    else:
        with pytest.raises(ProcessLookupError):
            listing.look_for(4711)
    assert closed == [handle] * bool(handle)
