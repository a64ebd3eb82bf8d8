"""Checkpoints made by hand, with a checksum that fits: taken, or refused by one sentence that names the file and the field.

Whatever is refused, nothing was written, and of the model, its optimiser, its generator and its carried state nothing was
replaced.  Both applications, both sides, and every command that reads a checkpoint.
"""

import itertools
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reference.char_lm.schema
import reference.forecast.schema
import torch_impl.common.checkpoint
from reference.char_lm.run import build as build_characters
from reference.common import checkpoint
from reference.common.arrays import as_array
from reference.common.checkpoint import CheckpointError
from reference.common.command import UsageError
from reference.forecast.train import adam as adam_of_forecast
from reference.forecast.train import build as build_forecaster

from ...char_lm.runs import SIDES as CHARACTERS
from ...forecast.runs import SIDES as FORECASTS
from ...fuzz import at_once
from ..applications import APPLICATIONS
from . import forging
from .forging import Forgery
from .victim import COMMANDS, COUNTS, SIDES, WHOSE, Victim

SHARE = 13  # of the table of forgeries, each so-manieth is in the default selection
CHECKED = {"char_lm": reference.char_lm.schema.checked, "forecast": reference.forecast.schema.checked}
# Kinds that no field may be, but for those that may be null, or are not there in runs of an earlier version.
NEVER = {"missing", "null", "a list", "an object of it", "nested", "NaN", "-inf"}
MAY_BE = {
    "optimizer",
    "vocabulary",
    "text",
    "from",
    "separator",
    "bytes",
    "csv",
    "time",
    "target",
    "features",
    "known",
    "id",
    "fill",
}
MAY_BE |= {"sep", "decimal", "encoding", "date_format", "season", "quantiles", "patience", "steps", "model"}


def read(forgery: Forgery, name: str, file: Path) -> checkpoint.Checkpoint | None:
    """The checkpoint, if it is one; else None, after a sentence that names file and field."""
    file.write_bytes(forgery.data)
    try:
        return CHECKED[name](checkpoint.load(file))
    except (CheckpointError, UsageError) as e:
        said = str(e)
    assert str(file) in said and "\n" not in said, said
    assert forgery.name in said or forgery.place in WHOSE, (str(forgery), said)
    return None


def state(value: Any) -> Any:
    """All that a restoration may change, so that two can be compared."""
    if isinstance(value, dict):
        return {k: state(v) for k, v in value.items()}
    v = as_array(value)
    return (v.dtype.str, v.shape, v.tobytes()) if v.dtype != object and v.ndim else value if v.dtype == object else v.item()


def restored(saved: checkpoint.Checkpoint, name: str, side: str) -> bool:
    """Whether a model takes the checkpoint; if not, nothing of anything was replaced."""
    if name == "char_lm":
        backend: Any = CHARACTERS[side]
        config = saved.config | {"seed": 5}
        model = build_characters(backend, config, {"engine": backend.engines[0], "device": "cpu", "compile": False})
        optimizer = backend.optimizers["Adam"](model, lr=0.5)
    else:
        backend = FORECASTS[side]
        model = build_forecaster(backend, saved.config | {"seed": 5})
        optimizer = adam_of_forecast(backend, model, saved.config | {"lr": 0.5})
    restore = (checkpoint if side == "reference" else torch_impl.common.checkpoint).restore

    def now() -> list:
        generator, carried = model.rng.bit_generator.state, getattr(model, "carried_state", dict)()
        return [state(v) for v in (dict(model.state_dict()), optimizer.state_dict(), generator, carried)]

    before = now()
    try:
        restore(saved, model, optimizer, generators={"model": model.rng})
    except CheckpointError as e:
        said = str(e)
    else:
        assert now() != before
        return True
    assert str(saved.file) in said and "\n" not in said and now() == before, said
    return False


def hold(forgery: Forgery, name: str, file: Path, sides: tuple[str, ...] = SIDES) -> None:
    """A forged file read and restored on both sides alike."""
    saved = read(forgery, name, file)
    taken = [saved is not None and restored(saved, name, side) for side in sides]
    assert len(set(taken)) == 1, (str(forgery), taken)
    COUNTS["taken" if taken[0] else "refused"] += 1
    if forgery.kind in NEVER and taken[0]:
        assert MAY_BE & {*map(str, forgery.place)}, str(forgery)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_no_field_or_array_is_taken_for_what_it_is_not(name, victims, tmp_path):
    contents = victims[name].contents
    for place, kind in forging.table(contents)[::SHARE]:
        hold(forging.made(contents, place, kind), name, tmp_path / "forged")


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_no_field_or_array_at_all_is_taken_for_what_it_is_not(name, victims, tmp_path):
    contents = victims[name].contents
    for place, kind in forging.table(contents):
        hold(forging.made(contents, place, kind), name, tmp_path / "forged")


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_header_that_lies_is_refused_at_once_and_takes_no_memory(name, victims, tmp_path):
    """Whatever it says: 16 MB would be more than all arrays and several times the header of a file of 200 kB."""
    file = tmp_path / "forged"
    for what, data in forging.headers(victims[name].contents).items():
        file.write_bytes(data)
        tracemalloc.start()
        try:
            with at_once(5), pytest.raises(CheckpointError) as e:
                checkpoint.load(file)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert str(e.value).startswith(str(file)) and "\n" not in str(e.value), (what, e.value)
        assert peak < 2**21 + 30 * len(data), (what, peak)
        COUNTS["refused"] += 1


def attacked(victims: dict[str, Victim], data: st.DataObject) -> None:
    """Some command of some application and side on a checkpoint with some forgery."""
    victim = victims[data.draw(st.sampled_from(APPLICATIONS))]
    command, side = data.draw(st.sampled_from(sorted(COMMANDS[victim.name]))), data.draw(st.sampled_from(SIDES))
    victim.check(data.draw(victim.forgeries), side, command)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_command_refuses_a_forged_checkpoint_by_one_sentence(victims, data):
    attacked(victims, data)


@pytest.mark.slow
@pytest.mark.fuzz
def test_commands_refuse_forged_checkpoints_at_length(victims, fuzz, capsys):
    COUNTS.clear()
    fuzz(lambda data: attacked(victims, data), st.data())
    with capsys.disabled():
        print(
            f"of {COUNTS.total():,} forged checkpoints {COUNTS['refused']:,} were refused by a sentence, {COUNTS['taken']:,} taken"
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_commands_refuse_each_forged_checkpoint_of_the_table(name, victims, capsys):
    """Each is for another command and side than the one before."""
    COUNTS.clear()
    ways = itertools.cycle(itertools.product(COMMANDS[name], SIDES))
    for place, kind in forging.table(victims[name].contents):
        command, side = next(ways)
        victims[name].check(forging.made(victims[name].contents, place, kind), side, command)
    with capsys.disabled():
        print(f"\n{name}: of {COUNTS.total():,} forged checkpoints {COUNTS['refused']:,} were refused, {COUNTS['taken']:,} taken")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only where there are pipes that have a name")
def test_what_has_no_end_is_no_checkpoint(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", Path("/dev/zero")):
        with at_once(5), pytest.raises(CheckpointError, match="it is no file"):
            checkpoint.load(file)
