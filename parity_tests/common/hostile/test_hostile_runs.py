"""What a run's folder holds besides checkpoints, made by hand: config.json, the log, kept data, a band, figures, a lock."""

import io
import json
import socket
import struct
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from reference.common.run import CONFIG, LOG

from ..applications import APPLICATIONS
from . import forging
from .victim import SIDES

SHARE = 13  # of the table of forgeries, each so-manieth is in the default selection


def of_json(value: Any) -> Iterator[tuple[forging.Place, str, bytes]]:
    """Every field of a JSON file x every kind of wrong value"""
    for place in forging.places(value):
        for kind, new in forging.wrong(forging.inside(value, place)).items():
            if not (kind == "missing" and isinstance(place[-1], int)) and new != forging.inside(value, place):
                yield place, kind, forging.written(value, place, new).encode()


FREE = {"application", "about", "seconds", "steps", "lr", "ends", "name"}  # of config.json: what a checkpoint need not say too


def test_a_config_json_that_was_changed_is_one_sentence(victims):
    victim = victims["char_lm"]
    config = json.loads(victim.files[victim.run / CONFIG])
    for k, (place, kind, data) in enumerate(list(of_json(config))[::SHARE]):
        answer = victim.attack(SIDES[k % 2], "resume", {CONFIG: data})
        assert answer.status == 2 or FREE & {*map(str, place)} or kind == "missing", (place, kind, answer)
        if answer.status == 2:
            assert (CONFIG in answer.said and str(place[0]) in answer.said) or "holds a run of" in answer.said, (
                place,
                kind,
                answer,
            )


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_line_of_the_log_that_no_run_wrote_is_named(name, victims):
    victim = victims[name]
    lines = victim.files[victim.run / LOG].splitlines()
    for k, (place, kind, line) in enumerate(list(of_json(json.loads(lines[2])))[::5]):
        log = b"\n".join([*lines[:2], line, *lines[3:], b""])
        answer = victim.attack(SIDES[k % 2], "resume", {LOG: log})
        harmless = kind in ("huge", "negative", "a fraction", "negative huge") or place in {("clipped",), ("validation",)}
        assert answer.status == 2 or harmless, (place, kind, answer)
        if answer.status == 2:
            assert f"{LOG}, line 3," in answer.said and str(place[0]) in answer.said, (place, kind, answer)
    for line in (b"", b"x", b"[]", b"\xff", b"[" * 5000, b'{"step": 1}'):
        answer = victim.attack("reference", "resume", {LOG: b"\n".join([*lines[:2], line, *lines[3:], b""])})
        assert answer.status == 2 and f"{LOG}, line 3," in answer.said, (line[:9], answer)
    assert victim.attack("reference", "resume", {LOG: b"\n".join(lines)[:-9]}).status == 0


def test_a_band_that_is_none_is_one_sentence(victims):
    victim = victims["forecast"]
    for k, (place, kind, data) in enumerate(list(of_json(json.loads(victim.files[victim.run / "band.json"])))[::3]):
        answer = victim.attack(SIDES[k % 2], "predict others", {"band.json": data})
        assert answer.status in (0, 2), (place, kind, answer)
        if answer.status == 2:
            assert "band.json is damaged" in answer.said and str(place[0]) in answer.said, (place, kind, answer)
        else:
            assert kind in ("null", "huge", "huger", "a fraction", "missing") or place[0] == "half", (place, kind, answer)


def test_kept_data_that_are_none_are_one_sentence(victims):
    """Also a bomb: a header that says more than the file can hold."""
    victim = victims["forecast"]
    good = victim.files[victim.run / "data.npz"]
    with np.load(io.BytesIO(good)) as held:
        arrays = dict(held)
    forged = {"no zip": b"x" * 100, "empty": b"", "cut off": good[: len(good) // 2]}
    for name, v in arrays.items():
        for kind, other in forging.spoiled(v.astype(float)).items():
            rest = {k: w for k, w in arrays.items() if k != name}
            forged[f"{name} {kind}"] = npz(rest | ({} if other is None else {name: other}))
        forged |= {f"{name} header {h[:20]!r}": zipped(good, name, npy(h)) for h in (HUGE, "{'descr': '|O'}", "(" * 9000, "\0")}
    for k, (what, data) in enumerate(forged.items()):
        for command in ("evaluate", "resume"):
            answer = victim.attack(SIDES[k % 2], command, {"data.npz": data})
            assert answer.status == 2 and "data" in answer.said, (what, command, answer)


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000000,)}"


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def npy(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def zipped(archive: bytes, name: str, content: bytes) -> bytes:
    """An archive with other content for one of its members."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.namelist():
            new.writestr(member, content if member == f"{name}.npy" else old.read(member))
    return file.getvalue()


def test_the_list_of_runs_says_what_it_can_of_files_that_lie(victims):
    victim = victims["char_lm"]
    summary = {"summary": {"bits": 1.5, "perplexity": 3.0}}
    files = {CONFIG: json.loads(victim.files[victim.run / CONFIG]), "test.json": summary}
    for name, value in files.items():
        for place, kind, data in list(of_json(value))[::SHARE]:
            (victim.run / name).write_bytes(data)
            answer = victim.answer("reference", ["runs", victim.run.parent])
            assert answer.status == 0 and "Traceback" not in answer.said, (name, place, kind, answer)
    for lock in (b"", b"x", b"-1\nx\n", b"9" * 5000 + b"\n\n", b"9" * 30 + b"\n" + socket.gethostname().encode() + b"\n", b"\xff"):
        (victim.run / "run.lock").write_bytes(lock)
        assert victim.answer("reference", ["runs", victim.run.parent]).status == 0
    (victim.run / "run.lock").unlink()
    (victim.run / "test.json").unlink()
    (victim.run / CONFIG).write_bytes(victim.files[victim.run / CONFIG])
