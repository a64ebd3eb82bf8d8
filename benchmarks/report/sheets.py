"""Small tables of a report that are not times by sizes: peak memory, one thread count against another, published figures."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..what.presets import V100, V100_SOURCE
from .ratios import geometric
from .tables import LIBRARY, Entry, duration, grouped, order, times

PEAK = ("Most memory that one training step holds at a time beyond what was there before (parameters and inputs), over that "
        f"of {LIBRARY}: geometric mean, (smallest – largest) over the cases that both ran. NumPy by tracemalloc, which sees "
        "every array; torch on the CPU by its profiler, which sees every tensor but not what oneDNN takes by itself; CUDA by "
        "torch's allocator.")
GAIN = "Ratios are to {} on as many threads. Gain: how many times as fast as with the fewest. Geometric means over {} cases."
RATE = "A step is loss, backward, clipping and Adam, with the defaults of the command; T · B characters over the median time."
PUBLISHED = ("Published: Tesla V100, mixed precision, cuDNN, forward and backward together without the input product and the "
             "input's gradient, and the rate of its forward. Ours have both inside, which is twice the products; so a "
             f"landmark, no rival. Source: {V100_SOURCE}")


class Sheet(NamedTuple):
    """A table as text."""

    title: str
    caption: str
    head: list[str]
    rows: list[list[str]]


def of_file(found: Sequence[Entry]) -> list[Sheet]:
    """The sheets of one file."""
    return [*characters(found), *memory(found), *published(found)]


def characters(found: Iterable[Entry]) -> list[Sheet]:
    """How many characters a second the application char_lm trains on."""
    made = []
    own = sorted((e for e in found if e.case.get("model") == "char_lm" and e.median), key=order)
    for (device, dtype), group in grouped(own, lambda e: (e.device, e.dtype)).items():
        heads = list(dict.fromkeys(f"{e.case['cell']} {e.size}" for e in group))
        rows = []
        for name, es in grouped(group, lambda e: e.implementation).items():
            said = {f"{e.case['cell']} {e.size}": f"{e.case['T'] * e.case['B'] / (e.median or 1):,.0f}"
                    + (f" ({1 / e.ratio:.2f}× {LIBRARY})" if e.ratio and name != LIBRARY else "") for e in es}
            rows.append([name, *(said.get(head, "–") for head in heads)])
        title = f"Characters a second, training char_lm · {dtype} · {device}"
        made.append(Sheet(title, RATE, ["implementation", *heads], rows))
    return made


def memory(found: Iterable[Entry]) -> list[Sheet]:
    """Peak memory over that of torch.nn's layer, for each device and dtype: implementations by cells."""
    made = []
    trained = sorted((e for e in found if e.phase == "train" and e.peak_bytes), key=order)
    for (device, dtype), group in grouped(trained, lambda e: (e.device, e.dtype)).items():
        theirs = {(e.kind, e.size): e.peak_bytes for e in group if e.implementation == LIBRARY}
        kinds = list(dict.fromkeys(e.kind for e in group if (e.kind, e.size) in theirs))
        own = {name: by_kind(es, theirs) for name, es in grouped(group, lambda e: e.implementation).items()
               if name != LIBRARY}
        rows = [[name, *(ratio.get(kind, "–") for kind in kinds)] for name, ratio in own.items() if ratio]
        if rows:
            made.append(Sheet(f"Peak memory of a training step · {dtype} · {device}", PEAK, ["implementation", *kinds], rows))
    return made


def by_kind(own: Iterable[Entry], theirs: dict[tuple[str, str], int | None]) -> dict[str, str]:
    """kind -> '0.95× (0.80 – 1.10)'"""
    made = {}
    for kind, es in grouped(own, lambda e: e.kind).items():
        ratios = [e.peak_bytes / other for e in es if e.peak_bytes and (other := theirs.get((kind, e.size)))]
        if ratios:
            made[kind] = f"{times(geometric(ratios))} ({times(min(ratios))[:-1]} – {times(max(ratios))[:-1]})"
    return made


def published(found: Iterable[Entry]) -> list[Sheet]:
    """Training steps beside the published figures of a V100, where a file has those cases."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for e in sorted(found, key=order):
        figures = V100.get((str(e.case["cell"]), e.case["hidden_size"], e.case["B"], e.case["T"]))
        if figures and e.phase == "train" and e.median:
            total, rate = figures
            key = (f"{e.kind} {e.size}", f"{e.dtype} {e.device}", f"{duration(total)}, {rate:g} TFLOP/s")
            rows.setdefault(key, {})[e.implementation] = duration(e.median)
    names = list(dict.fromkeys(name for by_name in rows.values() for name in by_name))
    body = [[*key, *(by_name.get(name, "–") for name in names)] for key, by_name in rows.items()]
    return [Sheet("Beside published figures", PUBLISHED, ["case", "here", "V100", *names], body)] if body else []


def threads(found: Iterable[Entry]) -> list[Sheet]:
    """One thread count against another, where files of one machine and preset have them, on the CPU."""
    made = []
    own = [e for e in found if e.device == "cpu"]
    for group in grouped(own, lambda e: (e.run.machine["processor"], e.run.machine["cores"], e.run.preset, e.dtype)).values():
        counts = sorted({count(e) for e in group})
        rows, cases = thread_rows(group, counts)
        if len(counts) > 1 and rows:
            few, many = "One core" if counts[0] == 1 else f"{counts[0]} threads", "two" if counts[-1] == 2 else counts[-1]
            head = ["cell", "phase", "implementation", *(f"ratio, {n} thread{'s' * (n > 1)}" for n in counts), "gain"]
            first = group[0]
            made.append(Sheet(f"{few} against {many} · {first.run.preset} · {first.dtype} · {first.where}",
                              GAIN.format(LIBRARY, cases), head, rows))
    return made


def thread_rows(group: Iterable[Entry], counts: Sequence[int]) -> tuple[list[list[str]], int]:
    """The rows, and the number of cases of the fullest."""
    rows, cases = [], 0
    ways = grouped(sorted(group, key=lambda e: order(e)[1:]), lambda e: (e.kind, e.phase, e.implementation))
    for (kind, phase, name), own in ways.items():
        sizes = grouped([e for e in own if e.median], lambda e: e.size).values()
        everywhere = [e for es in sizes if {count(e) for e in es} == set(counts) for e in es]
        if everywhere:
            at = [[e for e in everywhere if count(e) == n] for n in counts]
            ratios = [[e.ratio for e in es if e.ratio] for es in at]
            gain = geometric(e.median for e in at[0] if e.median) / geometric(e.median for e in at[-1] if e.median)
            rows.append([kind, phase, name, *(times(geometric(r)) if r else "–" for r in ratios), times(gain)])
            cases = max(cases, len(at[0]))
    return rows, cases


def count(e: Entry) -> int:
    """The threads of an entry's file."""
    return int(e.run.environment["torch_threads"])
