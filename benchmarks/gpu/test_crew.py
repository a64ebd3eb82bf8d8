"""Processes that crash and hang: what it costs."""

import os
import time

import pytest

from . import crew
from .crew import Setting, Task, judged


def nothing(alone):
    pass


def never(device):
    return ""


def always(device):
    return "an illegal access"


def work(name, what):
    """What a task says is to be done."""
    if what == "raise":
        raise KeyError("a name")
    if what == "die":
        os._exit(7)
    if what == "hang":
        time.sleep(600)
    return {"status": what, "process": os.getpid()}


def rows(*groups, gone=never, seconds=60.0, **how):
    tasks = [[Task({"implementation": name}, (name, what)) for name, what in group] for group in groups]
    return list(judged(tasks, Setting(work, prepare=nothing, gone=gone, seconds=seconds, **how)))


def test_a_group_is_done_in_one_process_in_order():
    found = rows([("a", "ok"), ("b", "declined"), ("c", "ok")], [("a", "ok")])
    assert [(row["implementation"], row["status"]) for row in found] == [("a", "ok"), ("b", "declined"), ("c", "ok"), ("a", "ok")]
    assert len({row["process"] for row in found}) == 1


def test_several_processes_share_the_groups():
    found = rows(*([("a", "ok")] for _ in range(6)), processes=2)
    assert len(found) == 6


def test_what_is_raised_is_kept_whole_and_costs_nothing_else():
    first, second = rows([("a", "raise"), ("b", "ok")])
    assert (first["status"], first["reason"]) == ("error", "KeyError: 'a name'")
    assert 'raise KeyError("a name")' in first["traceback"]
    assert second["status"] == "ok"


def test_a_crash_costs_its_task_and_after_two_its_implementation():
    found = rows([("a", "die"), ("b", "ok")], [("a", "die"), ("b", "ok")], [("a", "ok"), ("b", "ok")])
    said = [(row["implementation"], row["status"]) for row in found]
    assert said == [("a", "crashed"), ("b", "ok"), ("a", "crashed"), ("b", "ok"), ("a", "skipped"), ("b", "ok")]
    assert "ended with 7" in found[0]["reason"]


def test_a_hang_costs_its_task():
    found = rows([("a", "hang"), ("b", "ok")], seconds=2.0)
    assert [row["status"] for row in found] == ["timeout", "ok"]


def test_a_process_that_has_lost_its_device_is_replaced():
    found = rows([("a", "ok"), ("a", "wrong"), ("b", "ok")], gone=always)
    assert [row["status"] for row in found] == ["ok", "crashed", "ok"]
    assert "the device was gone: an illegal access" in found[1]["reason"]
    assert found[0]["process"] == found[1]["process"] != found[2]["process"]


def test_the_time_is_over_whatever_is_being_done():
    begin = time.monotonic()
    assert [row["status"] for row in rows([("a", "ok"), ("a", "hang")], until=begin + 3)] in (["ok"], [])
    assert time.monotonic() - begin < 30


def test_nothing_to_do_is_no_process(monkeypatch):
    monkeypatch.setattr(crew, "Worker", lambda *a: pytest.fail("a process was begun"))
    assert rows() == []
