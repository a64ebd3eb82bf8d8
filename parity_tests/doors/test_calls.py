"""Every public function, constructor and method, given what a person gives by mistake.

It answers, or refuses at once, in one sentence of ours that says what was wrong, and has changed nothing then: no array of the
caller, no weight, no gradient, no state of an optimiser or of a generator.  What a room does with wrong values is not asked:
bare.py says why.
"""

import dis
import random
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch

from reference.common.checks import scalars, shown

from . import calls, torch_calls
from .bare import BARE
from .inspection import arguments, doors
from .kinds import CALLED, KINDS
from .wrong_values import ALONE, wrong

resource = pytest.importorskip("resource", reason="nothing limits a process's memory here")

ROOT = Path(__file__).parents[2]
OURS = [ROOT / "reference", ROOT / "torch_impl", Path(torch.__file__).parent]  # where a sentence may be written
REFUSALS = (TypeError, ValueError, RuntimeError, IndexError, KeyError)
RIGHT = {"reference": calls.RIGHT, "torch_impl": torch_calls.RIGHT}
FOUND = {package: doors(package) for package in RIGHT}
ROWS = [(package, name) for package, rows in RIGHT.items() for name in rows]
SECONDS = 5.0  # of the processor, for one call that takes a millisecond
GIGABYTES = 4  # more than there were, for all of them; what asks for 1 is refused


class HangError(BaseException):
    """A call took longer than SECONDS."""


@contextmanager
def in_time() -> Iterator[None]:
    """HangError after SECONDS of this process's own time, however busy the machine is."""

    def stop(*_: Any) -> None:
        raise HangError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.fixture(autouse=True)
def confined(tmp_path, monkeypatch):
    """In a folder of its own, with little memory: what would take all of it fails, and does not end the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scalars, "MEMORY", 2**30)
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = (
        int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        if Path("/proc").exists()
        else 0
    )
    most = used + GIGABYTES * 2**30 if used else before[0]
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def bare(package: str, name: str) -> str | None:
    """Why a door is not checked"""
    while name and name not in BARE[package]:
        name = name.rpartition(".")[0]
    return BARE[package].get(name)


def kind(package: str, door: str, argument: str) -> str | None:
    """By the argument's name, if its door has no word of its own"""
    return KINDS.get(f"{package}.{door}.{argument}") or KINDS.get(f"{door}.{argument}") or KINDS.get(argument)


def is_ours(error: BaseException) -> bool:
    """Whether a line of ours or of torch's raised it, not an operation in it: the last thing that was run is ``raise``."""
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    raises = code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    return raises and any(Path(code.co_filename).is_relative_to(folder) for folder in OURS)


def seen(value: Any, known: set[int] | None = None) -> Any:
    """What can change of a thing, to compare: arrays by their bytes, objects by their attributes."""
    known = set() if known is None else known
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.tobytes() if value.dtype != object else list(map(id, value.flat))
    if isinstance(value, np.random.Generator):
        return str(value.bit_generator.state)
    if id(value) in known:
        return None
    known.add(id(value))
    if isinstance(value, torch.Tensor):
        return value.dtype, seen(value.detach().numpy()), seen(value.grad, known)
    if isinstance(value, torch.optim.Optimizer):
        return seen(value.state_dict(), known)
    if isinstance(value, dict):
        return {k: seen(v, known) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [seen(v, known) for v in value]
    if type(value).__module__.partition(".")[0] in RIGHT and hasattr(value, "__dict__"):
        return {k: seen(v, known) for k, v in vars(value).items()}
    return id(value)


def held(door: Callable[..., Any], given: dict[str, Any]) -> Any:
    """What a refused call must leave as it was.  A constructor may have drawn before it refuses."""
    drawn = isinstance(door, type)
    return seen([getattr(door, "__self__", door), {k: v for k, v in given.items() if not (drawn and k == "rng")}])


def asked(door: Callable[..., Any], given: dict[str, Any]) -> tuple[BaseException | None, bool]:
    """What a call raised, and whether something is not as it was"""
    before = held(door, given)
    try:
        with in_time(), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            door(**given)
    except (Exception, HangError) as e:
        return e, held(door, given) != before
    return None, False


def problem(error: BaseException | None, changed: bool, argument: str, value: Any, others: Iterable[str], may: bool) -> str | None:
    """What is wrong with an answer, or with a refusal"""
    if error is None:
        return None if may else "was taken"
    if isinstance(error, FileNotFoundError) and KINDS.get(argument) == "path":
        return None
    said = f"{type(error).__name__}: {error}"
    if not isinstance(error, REFUSALS) or not is_ours(error):
        return f"is raw: {said}"
    if "\n" in str(error) or not names(str(error), argument, value, others):
        return f"is not what was said to be wrong: {said}"
    return f"had changed something before it was refused: {said}" if changed else None


def names(sentence: str, argument: str, value: Any, others: Iterable[str]) -> bool:
    """Whether it says what was wrong: the argument or its value, or another argument that does not fit it."""
    words = [argument, *others]
    called = [name for word in words for name in (word, word.removeprefix("d"), *CALLED.get(word, ()))]
    return any(name in sentence for name in (*called, shown(value)))


def problems(package: str, name: str, all_of: bool = False) -> Iterator[str]:
    """One wrong argument at a time"""
    _, right = RIGHT[package][name]()
    for argument in dict.fromkeys([*arguments(FOUND[package][name]), *right]):
        what = kind(package, name, argument)
        assert what is not None, f"kinds.py does not say what {argument} of {name} is"
        others = () if what.removesuffix("?") in ALONE else tuple(right)
        for value_name, value, may in () if what == "trusted" else wrong(what, right.get(argument), all_of):
            door, given = RIGHT[package][name]()
            given[argument] = value
            error, changed = asked(door, given)
            left_to_torch = what == "torch's" and not isinstance(error, HangError)
            said = None if left_to_torch else problem(error, changed, argument, value, others, may)
            if said:
                yield f"{name}({argument}={value_name}) {said}"


@pytest.mark.parametrize("package", RIGHT)
def test_every_door_is_called_here_or_bare_for_a_reason(package):
    """A new function without a row fails, and a row of what is gone."""
    there, rows = FOUND[package], RIGHT[package]
    assert [name for name, door in there.items() if arguments(door) and name not in rows and bare(package, name) is None] == []
    assert [name for name in rows if name not in there or name in BARE[package]] == []
    assert [name for name in BARE[package] if not any(f"{door}.".startswith(f"{name}.") for door in there)] == []


@pytest.mark.parametrize(("package", "name"), ROWS)
def test_a_right_call_is_answered(package, name):
    """So that what is refused below is refused for what is wrong in it."""
    refused = {"models.model.Model.backward": pytest.raises(RuntimeError, match="needs a forward"),
               "convert.files.read": pytest.raises(FileNotFoundError)}  # fmt: skip
    door, right = RIGHT[package][name]()
    with refused.get(name, nullcontext()):
        door(**right)


@pytest.mark.parametrize(("package", "name"), ROWS)
def test_one_wrong_argument(package, name):
    found = list(problems(package, name))
    assert not found, "\n".join([f"{len(found)} answers:", *found])


@pytest.mark.slow
@pytest.mark.parametrize(("package", "name"), ROWS)
def test_one_wrong_argument_or_part_of_it(package, name):
    """Everything of the pool, also in what holds several arrays."""
    found = list(problems(package, name, all_of=True))
    assert not found, "\n".join([f"{len(found)} answers:", *found])


def several_wrong(row: tuple[str, str], seed: int, all_of: bool = True) -> None:
    """Any number of arguments wrong at once, each perhaps right."""
    package, name = row
    drawn = random.Random(seed)
    door, given = RIGHT[package][name]()
    words = tuple(given)
    for argument in dict.fromkeys([*arguments(FOUND[package][name]), *given]):
        what = kind(package, name, argument)
        if what in (None, "trusted", "torch's") or drawn.random() < 0.5:
            continue
        given[argument] = drawn.choice(list(wrong(what, given.get(argument), all_of)))[1]
        words = (*words, argument)
    error, changed = asked(door, given)
    values = {k: shown(v) for k, v in given.items()}
    said = problem(error, changed, words[0] if words else "", None, words, True)
    assert said is None or any(v in str(error) for v in values.values()), f"{name}({values}) {said}"


@pytest.mark.parametrize("seed", range(2))
def test_several_wrong_arguments(seed):
    for row in ROWS:
        several_wrong(row, seed, all_of=False)


@pytest.mark.slow
@pytest.mark.fuzz
def test_several_wrong_arguments_at_length(fuzz):
    fuzz(several_wrong, st.sampled_from(ROWS), st.integers(0, 2**32))


def test_what_hangs_is_found(monkeypatch):
    """The limit is on the processor's time, and reaches what never comes back."""
    monkeypatch.setitem(globals(), "SECONDS", 0.05)

    def forever() -> None:
        while True:
            with suppress(Exception):
                pass

    error, _ = asked(forever, {})
    assert isinstance(error, HangError)
    assert problem(error, False, "x", 0, (), True) == "is raw: HangError: "


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (lambda: np.zeros(2)[5], "is raw: IndexError"),
        (lambda: scalars.positive_int("size", 0), "is not what was said to be wrong: ValueError: size"),
    ],
)
def test_what_is_raw_is_told_from_what_is_ours(raised, said):
    error, _ = asked(raised, {})
    assert str(problem(error, False, "width", 0.5, (), True)).startswith(said)


def test_what_was_changed_is_found():
    arrays = {"w": np.zeros(2)}

    def half_way(arrays: dict[str, np.ndarray]) -> None:
        arrays["w"] += 1
        raise ValueError("arrays are wrong")

    assert asked(half_way, {"arrays": arrays})[1]
