"""What one call does inside: which kernels really ran, and how much memory it took at its peak.

Looked at once, on a layer loaded for that, outside the timing.
"""

import os
import tracemalloc
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import torch
from torch.profiler import ProfilerActivity, profile

from .config import Config

Allocation = tuple[int, int, int]  # (time, address, bytes: negative when freed)


class Subject(Protocol):
    """A layer or a model with its data."""

    config: Config
    is_numpy: bool
    sync: Callable[[], Any]

    def call(self) -> Any:
        """The work."""


class Inside(NamedTuple):
    """What was seen."""

    kernel: str | None
    peak_bytes: int | None


def look(make: Callable[[], Subject]) -> Inside:
    """Profile the first call of a new subject.

    peak_bytes is the largest amount of memory held at a time, beyond what was held before the call: for NumPy as Python's
    tracemalloc sees it (every array; not the buffers inside BLAS), for torch on the CPU as its profiler sees it (every
    tensor; not what a library such as oneDNN takes from the system by itself), on CUDA as torch's allocator counts it
    (every tensor, cuDNN's and cuBLAS's workspaces, the pools of graphs).  None where none of these would see it all.
    """
    subject = make()
    cuda = subject.config.device == "cuda"
    peak: int | None = first_call(subject, cuda)
    names, events = profiled(subject, cuda)
    kernel = kernel_of(names, subject.is_numpy)
    if subject.is_numpy:
        peak = traced(make())
    elif not cuda:
        peak = peak_of(events) if any(name.startswith("aten::") for name in names) else None
    return Inside(kernel, peak)


def kernel_of(names: Iterable[str], is_numpy: bool = False) -> str | None:
    """The kind of kernel, from the names of operators and of CUDA kernels; None if nothing known was seen."""
    names = set(names)

    def seen(*parts: str) -> bool:
        return any(part in name for part in parts for name in names)

    if seen("mkldnn_rnn_layer"):
        return "oneDNN"
    if seen("_cudnn_rnn"):
        persistent = any("persist" in name.lower() for name in names)
        return "cuDNN persist" if persistent else "cuDNN"
    if seen("cudaGraphLaunch"):
        return "CUDA graph"
    if seen("Torch-Compiled Region", "CompiledFunction"):
        return "compiled"
    if seen("aten::"):
        return "native"
    return "NumPy" if is_numpy else None


def first_call(subject: Subject, cuda: bool) -> int:
    """What compiles, records or sets itself up does so here.  Peak bytes on the GPU beyond what was held before."""
    if cuda:
        subject.sync()
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if cuda else 0
    subject.call()
    subject.sync()
    return torch.cuda.max_memory_allocated() - before if cuda else 0


def profiled(subject: Subject, cuda: bool) -> tuple[set[str], list[Allocation]]:
    """(names of the operators and kernels of one call, what torch's CPU allocator did)"""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with no_messages(), profile(activities=activities, profile_memory=not cuda) as p:
        subject.call()
        subject.sync()
    found: Any = p.profiler.kineto_results if p.profiler else None
    return {event.name() for event in found.events()}, [] if cuda else allocations(found)


def allocations(found: Any) -> list[Allocation]:
    """The CPU allocator's events of a profile."""
    todo, made = list(found.experimental_event_tree()), []
    while todo:
        event = todo.pop()
        todo += event.children
        if event.name == "[memory]" and event.extra_fields.device.type == "cpu":
            made.append((event.start_time_ns, event.extra_fields.ptr, event.extra_fields.alloc_size))
    return made


def peak_of(events: Iterable[Allocation]) -> int:
    """The most bytes held at a time; what was there before the first event, and is freed, does not count."""
    live: dict[int, int] = {}
    held = peak = 0
    for _, address, size in sorted(events, key=lambda event: event[0]):
        if size > 0:
            live[address] = size
            held += size
        else:
            held -= live.pop(address, 0)
        peak = max(peak, held)
    return peak


def traced(subject: Subject) -> int:
    """Peak bytes of one call as tracemalloc sees them."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        out = subject.call()
        _, peak = tracemalloc.get_traced_memory()
        del out
    finally:
        tracemalloc.stop()
    return peak - before


@contextmanager
def no_messages() -> Iterator[None]:
    """The profiler's remarks, some of them written by C++ to the error stream, are not shown."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
