"""The clock, under a clock and devices that are made of numbers: nothing here waits or depends on the machine."""

import gc
from itertools import pairwise

import pytest

from .clock import Plan, interleave, no_collection, notch, summary


class Clock:
    """Time that passes only when something takes it."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Fake:
    """A rival that takes the times it is told to; ``pending`` is what an asynchronous device has still to do."""

    def __init__(self, clock, name, seconds=0.001, queued=0.0, log=None):
        self.clock, self.name, self.seconds, self.queued, self.pending = clock, name, seconds, queued, 0.0
        self.log = [] if log is None else log

    def call(self):
        self.log.append(self.name)
        self.clock.now += self.seconds
        self.pending += self.queued

    def sync(self):
        self.clock.now += self.pending
        self.pending = 0.0


PLAN = Plan(seconds=0.1, rounds=4)


def run(rivals, clock, plan=PLAN):
    return {name: track.samples for name, track in interleave(rivals, plan, clock).items()}


def test_each_round_is_known_by_its_samples():
    clock = Clock()
    tracks = interleave([Fake(clock, "slow", 0.02), Fake(clock, "fast", 0.001)], PLAN, clock)
    assert {name: set(track.turns) for name, track in tracks.items()} == {"slow": {3}, "fast": {8}}  # a turn ends after 50 ms
    assert all(sum(track.turns) == len(track.samples) for track in tracks.values())
    assert len({len(track.turns) for track in tracks.values()}) == 1


def turns(log):
    return [a for a, b in pairwise([*log, None]) if a != b]


def test_rivals_take_turns_in_an_order_that_changes_and_is_always_the_same():
    logs = []
    for _ in range(2):
        clock, log = Clock(), []
        run([Fake(clock, name, log=log) for name in "abcd"], clock)
        logs.append(log)
    assert logs[0] == logs[1]
    order = turns(logs[0])
    assert order[:4] == list("abcd")
    assert len(set(order[4:])) == 4
    assert order[4:8] != order[8:12]


def test_every_turn_begins_with_an_untimed_call():
    clock, log = Clock(), []
    samples = run([Fake(clock, name, log=log) for name in "ab"], clock)
    assert len(log) > sum(map(len, samples.values()))
    assert all(len(s) >= PLAN.rounds for s in samples.values())


def test_what_the_last_one_left_behind_is_not_timed():
    """For 0.1 s after another's turn every call takes fifty times as long: threads that spin, misplaced threads."""
    clock, log = Clock(), []

    class Disturbed(Fake):
        since = 0.0

        def call(self):
            if log and log[-1] != self.name:
                Disturbed.since = clock.now
            slow = 50 if clock.now - Disturbed.since < 0.1 else 1
            log.append(self.name)
            clock.now += slow * self.seconds

    samples = run([Disturbed(clock, name) for name in "ab"], clock, Plan(seconds=0.1, rounds=6))
    assert {round(s, 9) for s in samples["a"] + samples["b"]} == {0.001}


def test_the_device_is_waited_for_inside_the_clock_and_idle_before_it():
    clock = Clock()
    fake = Fake(clock, "a", seconds=0.001, queued=0.004)
    fake.pending = 5.0
    assert {round(s, 9) for s in run([fake], clock)["a"]} == {0.005}


def test_what_a_call_returns_is_freed_outside_the_clock():
    clock = Clock()

    class Heavy:
        def __del__(self):
            clock.now += 1.0

    class Returning(Fake):
        def call(self):
            super().call()
            return Heavy()

    assert max(run([Returning(clock, "a")], clock)["a"]) == pytest.approx(0.001)


def test_one_that_raises_is_out_and_the_others_go_on():
    clock = Clock()

    class Failing(Fake):
        def call(self):
            super().call()
            if self.log.count(self.name) == 7:
                raise MemoryError("enough")

    tracks = interleave([Fake(clock, "a"), Failing(clock, "b"), Fake(clock, "c")], PLAN, clock)
    assert isinstance(tracks["b"].failure, MemoryError)
    assert tracks["b"].samples == []
    assert len(tracks["a"].samples) >= PLAN.rounds
    assert len(tracks["c"].samples) >= PLAN.rounds


def test_stable_medians_end_it_and_noise_goes_on_until_time_or_rounds_are_up():
    class Noisy(Fake):
        def call(self):
            super().call()
            self.clock.now += self.seconds * (len(self.log) % 5)

    plan = Plan(seconds=10.0, rounds=3, most=9)
    clock = Clock()
    assert len(run([Fake(clock, "a")], clock, plan)["a"]) == 3 * plan.turn
    clock = Clock()
    assert len(run([Noisy(clock, "a")], clock, plan)["a"]) == 9 * plan.turn
    clock = Clock()
    assert len(run([Noisy(clock, "a")], clock, Plan(seconds=0.2, rounds=3, most=9))["a"]) == 3 * plan.turn


def test_slow_ones_have_fewer_rounds_but_three():
    clock = Clock()
    assert len(run([Fake(clock, "a", seconds=30.0)], clock, Plan(seconds=1.0, rounds=5))["a"]) == 3


def test_nobody_is_nothing():
    assert interleave([], PLAN, Clock()) == {}


def test_summary_has_quartiles_and_counts_outliers():
    samples = [1.0, 2.0, 3.0, 4.0, 5.0, 100.0, -50.0]
    assert summary(samples) == {"samples": samples, "median": 3.0, "q1": 1.5, "q3": 4.5, "outliers": 2}
    assert summary([2.0])["outliers"] == 0


def test_the_notch_narrows_with_the_samples():
    assert notch([1.0, 1.1, 1.2] * 20) < notch([1.0, 1.1, 1.2])
    assert notch([3.0] * 4) == 0


def test_the_collector_is_off_inside_and_back_on_after():
    assert gc.isenabled()
    with no_collection():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), no_collection():
        raise KeyError
    assert gc.isenabled()
