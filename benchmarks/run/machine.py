"""Where a run was made: the "machine" and the "environment" of a result file, as far as the system tells."""

import math
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import threadpoolctl
import torch

from parity_tests.judge.report import processor
from torch_impl.common.precision import tf32

from .energy.counters import rapl
from .facts.caches import caches
from .facts.code import code

FACTS = {"driver": "driver_version", "power_limit_w": "power.limit", "clock_mhz": "clocks.current.sm"}
CHANGES = ("clock_mhz",)  # readings that differ from run to run on one machine
Facts = dict[str, Any]  # as in schema.json


def machine() -> Facts:
    """The hardware and the system; memory in 10⁹ bytes."""
    return {
        "processor": processor(),
        "cores": cores(),
        "caches": caches(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": gpu(),
    }


def allowed() -> set[int]:
    """The processors that this process may use; none where the system does not say."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def cores() -> int:
    """How many processors this process may use."""
    return len(allowed()) or os.cpu_count() or 1


def gpu() -> Facts | None:
    """The current CUDA device, None if there is none; the driver, power limit (W) and clock (MHz) by nvidia-smi."""
    if not torch.cuda.is_available():
        return None
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    facts = smi(str(getattr(properties, "uuid", "")))
    return {
        "name": properties.name,
        "memory_gb": round(properties.total_memory / 1e9, 1),
        "driver": facts.get("driver", "unknown"),
        "power_limit_w": number(facts.get("power_limit_w")),
        "clock_mhz": number(facts.get("clock_mhz")),
    }


def smi(uuid: str) -> dict[str, str]:
    """What nvidia-smi says of one GPU, by the names in FACTS; nothing if it cannot be asked."""
    which = ["-i", uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"] if uuid else ["-i", "0"]
    command = ["nvidia-smi", *which, f"--query-gpu={','.join(FACTS.values())}", "--format=csv,noheader,nounits"]
    try:
        out = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    fields = [field.strip() for field in (out.splitlines() or [""])[0].split(",")]
    return dict(zip(FACTS, fields, strict=False))


def number(text: str | None) -> float | None:
    """A reading; None for "[N/A]" and the like."""
    try:
        return float(text or "")
    except ValueError:
        return None


def environment() -> Facts:
    """The software; vector instructions by NumPy's names: X86_V3 is AVX2, X86_V4 is AVX-512."""
    cudnn = torch.backends.cudnn.version() if torch.cuda.is_available() else None
    simd = np.show_config(mode="dicts").get("SIMD Extensions", {})
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "simd": [*simd.get("baseline", []), *simd.get("found", [])],
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": None if cudnn is None else str(cudnn),
        "tf32": f"on in rows of dtype tf32, off in all others (torch's own default here: {tf32()})",
        "torch_threads": torch.get_num_threads(),
        "blas": blas(),
        "energy": counter.name if (counter := rapl()) else None,
        "code": code(),
        "strangers": {},
    }


def blas() -> list[Facts]:
    """The BLAS libraries that are loaded (NumPy and SciPy bring one each), with the threads that each uses, in one order."""
    np.ones((8, 8)) @ np.ones((8, 8))
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    libraries = sorted((pool["internal_api"], str(pool.get("version")), pool["num_threads"]) for pool in pools)
    return [{"api": api, "version": version, "threads": threads} for api, version, threads in libraries]


def difference(one: Mapping[str, Facts], other: Mapping[str, Facts]) -> str | None:
    """The first difference between two results' machine and environment, but for readings that change; None if there is
    none."""
    for part in ("machine", "environment"):
        for name in [name for name in one[part] if name != "strangers"]:  # who takes part may change
            a, b = (steady(result[part].get(name)) for result in (one, other))
            if a != b and not alike(a, b):
                return f"{part}, {name}: {a!r} there, {b!r} here"
    return None


def steady(value: object) -> object:
    return {k: v for k, v in value.items() if k not in CHANGES} if isinstance(value, dict) else value


def alike(a: object, b: object) -> bool:
    """Whether two sizes differ by so little as the memory of two machines of one kind does."""
    return isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=0.02)


def reading() -> tuple[float, float, float]:
    """Seconds: on the clock, of this process's threads, of all processors together when not idle."""
    times = psutil.cpu_times()._asdict()
    busy = sum(s for state, s in times.items() if state not in ("idle", "iowait", "guest", "guest_nice"))
    return time.monotonic(), time.process_time(), busy


def others(before: Sequence[float], after: Sequence[float]) -> float:
    """Cores that other programs, or other guests of the same host, kept busy between two readings while this process needed
    them: 0 where enough cores were free for both."""
    elapsed, own, busy = (b - a for a, b in zip(before, after, strict=True))
    spare = max(0, (os.cpu_count() or 1) - cores())
    return max(0.0, (busy - own) / elapsed - spare) if elapsed > 0 else 0.0


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Compute on so many processors inside: torch, the BLAS libraries, and whatever starts threads by their number.

    The process and all its threads are bound to the first ``count`` of the processors that it may use, so that a library
    that was told nothing cannot use more either.  None: as it is.  ValueError: there are not so many processors.
    """
    if count is None:
        yield
        return
    if not 1 <= count <= cores():
        raise ValueError(f"--threads must be from 1 to {cores()}, the processors that this process may use; got {count}")
    before, torch_before = allowed(), torch.get_num_threads()
    bind(sorted(before)[:count])
    torch.set_num_threads(count)
    try:
        with threadpoolctl.threadpool_limits(limits=count, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(torch_before)
        bind(before)


def bind(processors: Iterable[int]) -> None:
    """Let every thread of this process, and those that they start, run on these only; no effect where none are given."""
    processors = set(processors)
    for task in Path("/proc/self/task").glob("*") if processors else ():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), processors)


def limit_memory(size: int | None = None) -> None:
    """Let allocations beyond the memory there is fail, so that one row says so, where otherwise the system would kill the
    whole run.  ``size`` in bytes, by default the memory of the machine or of its container; no effect where the system
    has no such limit."""
    try:
        import resource
    except ImportError:
        return
    memory = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # outside of a container the file is not there, or says "max"
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="utf-8")))
    size = size or int(0.95 * memory)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if size > 0 and (hard == resource.RLIM_INFINITY or size < hard):
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))
