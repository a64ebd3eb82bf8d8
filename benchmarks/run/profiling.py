"""What one call does inside: which kernels really ran, and how much memory it took at its peak.

peak_bytes is the largest amount of memory held at a time, beyond what was held before the call: for NumPy as Python's
tracemalloc sees it (every array; not the buffers inside BLAS), for torch on the CPU as its profiler sees it (every tensor;
not what a library such as oneDNN takes from the system by itself), on CUDA as torch's allocator counts it in the first call
(every tensor, cuDNN's and cuBLAS's workspaces, the pools of graphs).  None where none of these would see it all.
"""

import os
import tracemalloc
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from ..what.layer import Candidate
from ..what.presets import CELLS

OURS = {"numba": "Numba"}  # what runs in a layer of ``reference``, where it is not NumPy
Allocation = tuple[int, int, int]  # (time, address, bytes: negative when freed)
# By what its names contain, the first that is seen.
KERNELS = {
    "oneDNN": ("mkldnn_rnn_layer",),
    "cuDNN": ("_cudnn_rnn",),
    "CUDA graph": ("cudaGraphLaunch",),
    "compiled": ("Torch-Compiled Region", "CompiledFunction"),
    "Triton persistent": tuple(f"{cell}_persistent_" for cell in CELLS),  # the kernels of torch_impl/triton
    "Triton": tuple(f"{cell}_step_" for cell in CELLS),
    "native": ("aten::",),
}


def first_call(candidate: Candidate) -> int | None:
    """What compiles, records or sets itself up does so here.  Peak bytes on a GPU beyond what was held before.

    None elsewhere, and where a first call makes more than the next: the state of an optimiser.
    """
    cuda = candidate.device == "cuda"
    if cuda:
        candidate.sync()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    candidate.call()
    candidate.sync()
    return torch.cuda.max_memory_allocated() - before if cuda and not candidate.trains else None


def kernel_and_memory(candidate: Candidate, peak_on_cuda: int | None) -> dict[str, str | int | None]:
    """The "kernel" and "peak_bytes" of a row, by one call or two of a candidate that has been called before."""
    cuda = candidate.device == "cuda"
    names, events = profiled(candidate, cuda)
    peak = peak_on_cuda
    if candidate.is_numpy:
        peak = traced(candidate)
    elif not cuda and any(name.startswith("aten::") for name in names):
        peak = peak_of(events)
    return {"kernel": kernel_of(names, OURS.get(candidate.name, "NumPy") if candidate.is_numpy else None), "peak_bytes": peak}


def kernel_of(names: Iterable[str], otherwise: str | None = None) -> str | None:
    """The kind of kernel, from the names of operators and of CUDA kernels; None if nothing known was seen."""
    names = set(names)
    for kind, parts in KERNELS.items():
        if any(part in name for part in parts for name in names):
            return f"{kind} persist" if kind == "cuDNN" and any("persist" in name.lower() for name in names) else kind
    return otherwise


def profiled(candidate: Candidate, cuda: bool) -> tuple[set[str], list[Allocation]]:
    """(names of the operators and kernels of one call, what torch's CPU allocator did)"""
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with no_messages(), profile(activities=activities, profile_memory=not cuda) as p:
        candidate.call()
        candidate.sync()
    events: Any = p.profiler.kineto_results if p.profiler else None
    return {event.name() for event in events.events()}, [] if cuda else allocations(events)


def allocations(events: Any) -> list[Allocation]:
    """The CPU allocator's events of a profile."""
    todo, own = list(events.experimental_event_tree()), []
    while todo:
        event = todo.pop()
        todo += event.children
        if event.name == "[memory]" and event.extra_fields.device.type == "cpu":
            own.append((event.start_time_ns, event.extra_fields.ptr, event.extra_fields.alloc_size))
    return own


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


def traced(candidate: Candidate) -> int:
    """Peak bytes of one call as tracemalloc sees them; what is held from calls before was there before it looked."""
    tracemalloc.start()
    try:
        out = candidate.call()
        _, peak = tracemalloc.get_traced_memory()
        del out
    finally:
        tracemalloc.stop()
    return peak


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
