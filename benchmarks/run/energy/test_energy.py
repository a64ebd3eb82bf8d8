"""Energy by counters that are files in a folder, or a library that is a few lines; nothing here waits."""

import ctypes

import pytest

from . import counters
from .counters import nvml, rapl
from .reading import LEAST, SECONDS, joules

RANGE = 262_143_328_850


@pytest.fixture
def powercap(tmp_path):
    """Two packages and the memory of one; what else a machine has is not to be counted twice."""

    def zone(place, name, energy=1_000_000):
        folder = tmp_path / place
        folder.mkdir(exist_ok=True)
        for file, text in (("name", name), ("energy_uj", energy), ("max_energy_range_uj", RANGE)):
            (folder / file).write_text(f"{text}\n")

    zone("intel-rapl:0", "package-0")
    zone("intel-rapl:0:0", "core")
    zone("intel-rapl:0:1", "dram")
    zone("intel-rapl:1", "package-1")
    zone("intel-rapl:2", "psys")
    zone("intel-rapl-mmio:0", "package-0")
    return tmp_path


class Fake:
    """A candidate that takes time and energy."""

    def __init__(self, folder=None, microjoules=0, seconds=0.1, range=RANGE):
        self.folder, self.microjoules, self.seconds, self.range = folder, microjoules, seconds, range
        self.now, self.calls, self.pending = 0.0, 0, 0

    def call(self):
        self.calls += 1
        self.pending += 1
        assert self.calls < 100, "nobody waited for the device"

    def sync(self):
        """Only then the work is done: energy that is read before would be too little."""
        self.now += self.seconds * self.pending
        if self.folder:
            file = self.folder / "energy_uj"
            file.write_text(str((int(file.read_text()) + self.pending * self.microjoules) % (self.range + 1)))
        self.pending = 0


def test_packages_and_memory_are_counted_once(powercap):
    counter = rapl(powercap)
    assert counter.name == "RAPL: package-0, dram, package-1"
    assert counter.read() == (1_000_000,) * 3
    assert counter.joules((0, 0, 0), (1_000_000, 2_000_000, 4_000_000)) == pytest.approx(7)


def test_a_counter_that_begins_anew_loses_nothing(powercap):
    """It counts 0 to RANGE, so the step from RANGE to 0 is one as well."""
    counter = rapl(powercap)
    assert counter.joules((RANGE, 0, 0), (0, 0, 0)) == pytest.approx(1e-6)
    assert counter.joules((RANGE - 499_999, 5, 5), (500_000, 5, 5)) == pytest.approx(1)


@pytest.mark.parametrize("start", [0, RANGE - 1_500_000])
def test_joules_of_a_call(powercap, start):
    (powercap / "intel-rapl:1" / "energy_uj").write_text(str(start))
    candidate = Fake(powercap / "intel-rapl:1", microjoules=2_000_000, seconds=0.1)
    assert joules(candidate, rapl(powercap), lambda: candidate.now) == pytest.approx(2)
    assert candidate.calls * candidate.seconds >= SECONDS


def test_a_long_call_is_made_twice(powercap):
    candidate = Fake(powercap / "intel-rapl:0", microjoules=30_000_000, seconds=100.0)
    assert joules(candidate, rapl(powercap), lambda: candidate.now) == pytest.approx(30)
    assert candidate.calls == LEAST


def test_where_nothing_counts_nothing_is_called(tmp_path):
    candidate = Fake()
    assert rapl(tmp_path) is None
    assert joules(candidate, None, lambda: candidate.now) is None
    assert candidate.calls == 0


@pytest.mark.parametrize("spoil", ["unlink", "text", "absent range"])
def test_a_counter_that_may_not_be_read_is_none(powercap, spoil):
    file = powercap / "intel-rapl:1" / ("max_energy_range_uj" if spoil == "absent range" else "energy_uj")
    file.write_text("none") if spoil == "text" else file.unlink()
    assert rapl(powercap) is None


def test_a_counter_that_stops_or_stands_still_says_nothing(powercap):
    candidate = Fake()
    assert joules(candidate, rapl(powercap), lambda: candidate.now) is None
    counter = rapl(powercap)

    class Stopping(Fake):
        def call(self):
            super().call()
            (powercap / "intel-rapl:0" / "energy_uj").unlink(missing_ok=True)

    candidate = Stopping()
    assert joules(candidate, counter, lambda: candidate.now) is None


class Library:
    """What is used of libnvidia-ml; ``status`` is what it says to the question for energy."""

    def __init__(self, status=0, found=0):
        self.status, self.found, self.count = status, found, 5_000

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByUUID(self, uuid, handle):
        assert uuid == b"GPU-1"
        return self.found

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, count):
        ctypes.cast(count, ctypes.POINTER(ctypes.c_ulonglong))[0] = self.count
        return self.status


def test_a_gpu_counts_millijoules():
    library = Library()
    counter = nvml("GPU-1", library)
    before = counter.read()
    library.count += 2_500
    assert counter.joules(before, counter.read()) == pytest.approx(2.5)


@pytest.mark.parametrize("library", [Library(status=3), Library(found=6), object()])
def test_a_gpu_that_does_not_say_is_none(library):
    assert nvml("GPU-1", library) is None


def test_the_processor_is_asked_for_the_cpu(monkeypatch):
    monkeypatch.setattr(counters, "rapl", lambda: "a counter")
    assert counters.counter_of("cpu") == "a counter"
