"""Counters of energy: RAPL of the processor, NVML of an NVIDIA GPU.

Both count all that the package or the board takes, idle power and other programs too.
"""

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import torch

POWERCAP = Path("/sys/class/powercap")


class Counter(Protocol):
    """What counts; ``name`` says what of."""

    name: str

    def read(self) -> tuple[int, ...]:
        """As the machine counts.  OSError: it does not say any more."""

    def joules(self, before: Sequence[int], after: Sequence[int]) -> float:
        """Between two readings."""


class Rapl:
    """Packages and their memory, by Linux' powercap: microjoules, which begin anew at 0 after max_energy_range_uj."""

    def __init__(self, zones: Sequence[Path]):
        self.zones = tuple(zones)
        self.ranges = [int((zone / "max_energy_range_uj").read_text(encoding="utf-8")) for zone in zones]
        self.name = f"RAPL: {', '.join((zone / 'name').read_text(encoding='utf-8').strip() for zone in zones)}"

    def read(self) -> tuple[int, ...]:
        return tuple(int((zone / "energy_uj").read_text(encoding="utf-8")) for zone in self.zones)

    def joules(self, before: Sequence[int], after: Sequence[int]) -> float:
        """Right as long as no zone begins anew twice in between, which takes minutes at the highest power."""
        spent = (b - a + (b < a) * (most + 1) for a, b, most in zip(before, after, self.ranges, strict=True))
        return 1e-6 * sum(spent)


class Nvml:
    """One GPU, by the driver's library: millijoules since the driver was loaded."""

    name = "NVML: the board"

    def __init__(self, library: Any, handle: Any):
        self.library, self.handle = library, handle

    def read(self) -> tuple[int, ...]:
        count = ctypes.c_ulonglong()
        if status := self.library.nvmlDeviceGetTotalEnergyConsumption(self.handle, ctypes.byref(count)):
            raise OSError(f"NVML says {status}")
        return (count.value,)

    def joules(self, before: Sequence[int], after: Sequence[int]) -> float:
        return 1e-3 * (after[0] - before[0])


def rapl(root: Path = POWERCAP) -> Counter | None:
    """All packages, and memory where it is counted apart; None where there are none or they may not be read."""
    with suppress(OSError, ValueError):
        names = {zone: (zone / "name").read_text(encoding="utf-8").strip() for zone in sorted(root.glob("intel-rapl:*"))}
        zones = [zone for zone, name in names.items() if name.startswith("package") or name == "dram"]
        if zones:
            counter = Rapl(zones)
            counter.read()
            return counter
    return None


def nvml(uuid: str, library: Any = None) -> Counter | None:
    """The GPU of this identity; None where the driver's library is not there or counts no energy."""
    with suppress(OSError, AttributeError):
        library = library or ctypes.CDLL("libnvidia-ml.so.1")
        handle = ctypes.c_void_p()
        if not library.nvmlInit_v2() and not library.nvmlDeviceGetHandleByUUID(uuid.encode(), ctypes.byref(handle)):
            counter = Nvml(library, handle)
            counter.read()
            return counter
    return None


def counter_of(device: str) -> Counter | None:
    """What counts the energy of a device; None where nothing does."""
    if device != "cuda":
        return rapl()
    uuid = str(getattr(torch.cuda.get_device_properties(torch.cuda.current_device()), "uuid", ""))
    return nvml(uuid if uuid.startswith("GPU-") else f"GPU-{uuid}") if uuid else None
