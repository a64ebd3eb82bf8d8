"""Random search, for tests that are marked ``slow`` and ``fuzz``: the options, and the fixture ``fuzz`` that conftest.py takes.

    @pytest.mark.slow
    @pytest.mark.fuzz
    def test_some_door_at_length(fuzz):
        fuzz(check, strategy_of_its_first_argument, ...)

calls ``check`` with what Hypothesis makes of the strategies, run after run, each with the next seed, until the test's share
of ``--fuzz-minutes`` is over.  The first seed is random and printed; a failure names its own, and ``--fuzz-seed N`` begins with
that.  What fails is shrunk by Hypothesis, as in any test of its kind.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy, tuples

SAID = 60  # seconds after which the seed is printed again
SEEDS = 2**32
SETTINGS = settings(  # of one run
    max_examples=200, derandomize=False, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def add_options(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-minutes", type=float, default=1, help="how long the tests marked fuzz search, all together")
    parser.addoption("--fuzz-seed", type=int, help="the first seed of each, instead of a random one")


@pytest.fixture
def fuzz(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[..., int]:
    """``fuzz(check, *strategies)``: calls with random arguments until this test's time is over  ->  how many calls"""
    together = sum(item.get_closest_marker("fuzz") is not None for item in request.session.items) or 1
    minutes, first = (request.config.getoption(name) for name in ("--fuzz-minutes", "--fuzz-seed"))

    def say(what: str) -> None:
        with capsys.disabled():
            print(f"\n{request.node.name}: {what}", end="", flush=True)

    def search(check: Callable[..., object], *strategies: SearchStrategy) -> int:
        start = int.from_bytes(os.urandom(4)) if first is None else first
        begin, calls, runs, said = time.monotonic(), 0, 0, float(-SAID)

        def once(arguments: tuple) -> None:
            nonlocal calls
            calls += 1
            check(*arguments)

        test = SETTINGS(given(tuples(*strategies))(once))
        while not runs or time.monotonic() < begin + 60 * minutes / together:
            number = (start + runs) % SEEDS
            if time.monotonic() >= said + SAID:
                say(f"seed {number}")
                said = time.monotonic()
            try:
                seed(number)(test)()
            except BaseException as e:
                e.add_note(f"found by --fuzz-seed {number}")
                raise
            runs += 1
        say(f"{calls} calls in {runs} runs\n")
        return calls

    return search


@contextmanager
def at_once(seconds: float) -> Iterator[None]:
    """AssertionError if what is within takes longer than so many seconds; only where the system has such an alarm.

    Python code is interrupted; a single call of compiled code is noticed when it comes back.
    """

    def ring(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"no answer after {seconds:g} seconds")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
