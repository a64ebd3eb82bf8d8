"""From result files to entries and tables, and what they say as text."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

LIBRARY = "torch.library"
PHASES = {"forward": "forward is inference", "train": "train is forward and backward from scratch"}
CASE = ("cell", "nonlinearity", "T", "B", "input_size", "hidden_size", "num_layers", "bidirectional", "proj_size",
        "reset_after", "fill", "dtype", "device", "model", "vocabulary", "classes")
ORDER = {"rnn": 0, "lstm": 1, "gru": 2}


@dataclass(frozen=True)
class Run:
    """One result file: where and how it was measured."""

    number: int
    name: str  # unique among the files of a report, and fit for the name of a file
    source: str  # the file
    preset: str
    command: str
    started: str
    machine: Mapping[str, Any]
    environment: Mapping[str, Any]
    limits: Mapping[str, Any]

    def where(self, device: str) -> str:
        """The processor, or the GPU if that computed."""
        gpu = self.machine["gpu"]
        return str(gpu["name"]) if device == "cuda" and gpu else f"{self.machine['processor']}, {self.machine['cores']} cores"


@dataclass(frozen=True)
class Entry:
    """One row of a result file, and its ratio to torch.nn's layer in the same file; times in seconds, None if not timed."""

    run: Run
    implementation: str
    phase: str
    case: Mapping[str, Any]
    status: str
    reason: str
    parity: float | None
    kernel: str | None
    compile_s: float | None
    median: float | None
    q1: float | None
    q3: float | None
    samples: int
    outliers: int
    peak_bytes: int | None
    flops: int
    gflops: float | None
    fraction: float | None
    limit: str | None
    ratio: float | None

    @property
    def kind(self) -> str:
        """The cell, with the option that makes it another function."""
        cell = str(self.case["cell"])
        if "model" in self.case:
            return str(self.case["model"]) + ("" if cell == "none" else f" {cell}")
        if cell == "rnn" and self.case["nonlinearity"] == "relu":
            return "rnn relu"
        return "gru reset before" if cell == "gru" and not self.case["reset_after"] else cell

    @property
    def device(self) -> str:
        return str(self.case["device"])

    @property
    def dtype(self) -> str:
        return str(self.case["dtype"])

    @property
    def where(self) -> str:
        return self.run.where(self.device)

    @property
    def size(self) -> str:
        """The sizes and options of the case, as a column's head: 'T100 B32 H128'."""
        return " ".join(parts(self.case))


class Line(NamedTuple):
    """One implementation in a table; an entry for each size, None where the file has no row."""

    implementation: str
    kernel: str
    parity: float | None
    compile_s: float | None
    entries: list[Entry | None]


class Table(NamedTuple):
    """Implementations by sizes: one cell, phase, dtype and device of one file."""

    run: Run
    kind: str
    phase: str
    dtype: str
    device: str
    sizes: list[str]
    lines: list[Line]

    @property
    def title(self) -> str:
        return f"{self.kind} · {self.phase} · {self.dtype} · {self.device}"

    def untimed(self) -> list[Entry]:
        return [e for line in self.lines for e in line.entries if e and e.status != "ok"]

    def split(self, columns: int) -> list["Table"]:
        """The same table in pieces of at most so many sizes."""
        cuts = range(0, len(self.sizes), columns)
        return [self._replace(sizes=self.sizes[i:i + columns], lines=[
            line._replace(entries=line.entries[i:i + columns]) for line in self.lines]) for i in cuts]


def load(files: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Entry]:
    """(file name, what it holds) -> every row as an Entry, in the order of the files."""
    found: list[Entry] = []
    names: list[str] = []
    for number, (source, file) in enumerate(files):
        name = slug(Path(source).stem)
        names.append(name if name not in names else f"{name}-{number + 1}")
        run = Run(number, names[-1], source,
                  *(file[k] for k in ("preset", "command", "started", "machine", "environment", "limits")))
        found += entries(run, file["rows"])
    return found


def slug(text: str) -> str:
    """Only letters, digits and single hyphens, so that it can name a file or an element."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def entries(run: Run, rows: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """The rows of one file; ratios are to torch.nn's layer in the same case and phase of the same file."""
    library = {same(r): seconds(r, "median") for r in rows if r["implementation"] == LIBRARY}
    return [entry(run, r, library.get(same(r))) for r in rows]


def same(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What two rows must share to be rivals."""
    return row["phase"], *(row["case"].get(k) for k in CASE)


def entry(run: Run, row: Mapping[str, Any], library: float | None) -> Entry:
    median, timing = seconds(row, "median"), row["seconds"] or {}
    kept = ("implementation", "phase", "case", "status", "reason", "parity", "kernel", "compile_s", "peak_bytes", "flops",
            "gflops", "limit")
    return Entry(run=run, median=median, q1=seconds(row, "q1"), q3=seconds(row, "q3"), outliers=timing.get("outliers", 0),
                 samples=len(timing.get("samples", ())), ratio=median / library if median and library else None,
                 fraction=row["fraction_of_limit"], **{k: row[k] for k in kept})


def seconds(row: Mapping[str, Any], what: str) -> float | None:
    """A figure of a row's timing; None if the row was not timed, or if it is no length of time."""
    value = float(row["seconds"][what]) if row["status"] == "ok" and row["seconds"] else 0
    return value if 0 < value < math.inf else None


def parts(case: Mapping[str, Any]) -> list[str]:
    """The parts of a size: T, B, H, and what is not as usual."""
    found = [f"T{case['T']}", f"B{case['B']}", f"H{case['hidden_size']}"]
    found += [f"I{case['input_size']}"] * (case["input_size"] != case["hidden_size"])
    found += [f"V{case['vocabulary']}"] if "model" in case else []
    found += [f"P{case['proj_size']}"] * bool(case["proj_size"]) + [f"L{case['num_layers']}"] * (case["num_layers"] > 1)
    found += ["bi"] * bool(case["bidirectional"])
    return found + ([] if case["fill"] is None else [f"fill{100 * case['fill']:.3g}%"])


def order(e: Entry) -> tuple[Any, ...]:
    """Files as given, then devices, dtypes, RNN before LSTM before GRU, forward before train."""
    return e.run.number, e.device, e.dtype, ORDER.get(e.case["cell"], len(ORDER)), e.kind, e.phase


X = TypeVar("X")


def grouped(found: Iterable[X], key: Callable[[X], Any]) -> dict[Any, list[X]]:
    """Entries, or whatever it is, by a key, in the order in which the keys come."""
    groups: dict[Any, list[X]] = {}
    for e in found:
        groups.setdefault(key(e), []).append(e)
    return groups


def tables(found: Iterable[Entry]) -> list[Table]:
    """A table for each file, device, dtype, cell and phase."""
    return [table(group) for group in grouped(sorted(found, key=order), order).values()]


def table(group: Sequence[Entry]) -> Table:
    e, sizes = group[0], list(dict.fromkeys(e.size for e in group))
    lines = [line(name, es, sizes) for name, es in grouped(group, lambda e: e.implementation).items()]
    return Table(e.run, e.kind, e.phase, e.dtype, e.device, sizes, lines)


def line(name: str, group: Sequence[Entry], sizes: Sequence[str]) -> Line:
    by_size = {e.size: e for e in group}
    kernels = dict.fromkeys(e.kernel for e in group if e.kernel)
    return Line(name, ", ".join(kernels), largest(e.parity for e in group), largest(e.compile_s for e in group),
                [by_size.get(s) for s in sizes])


def largest(values: Iterable[float | None]) -> float | None:
    return max((v for v in values if v is not None), default=None)


def duration(s: float | None) -> str:
    """Three digits and a unit: '1.23 ms'."""
    if s is None:
        return ""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if s * factor >= 0.9995:
            return f"{three(s * factor)} {unit}"
    return f"{three(s * 1e9)} ns"


def quartiles(e: Entry) -> str:
    """'1.20 – 1.31', in the unit of the entry's median."""
    if not e.median or e.q1 is None or e.q3 is None:
        return ""
    factor = {"s": 1.0, "ms": 1e3, "µs": 1e6, "ns": 1e9}[duration(e.median).split()[1]]
    return f"{three(e.q1 * factor)} – {three(e.q3 * factor)}"


def three(x: float) -> str:
    """Three significant digits, without an exponent."""
    if not 0 < x < math.inf:
        return f"{x:g}"
    return f"{x:.{max(0, 2 - math.floor(math.log10(float(f'{x:.3g}'))))}f}"


def times(x: float | None) -> str:
    """A ratio: '0.75×'."""
    return "" if x is None else f"{x:.2f}×" if x < 10 else f"{x:.0f}×"


def size_of(bytes_: int | None) -> str:
    """'12.3 MB'."""
    if bytes_ is None:
        return ""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if bytes_ >= factor:
            return f"{three(bytes_ / factor)} {unit}"
    return f"{bytes_} B"


def rate(e: Entry) -> str:
    """'45.2 GFLOP/s, 31% of compute'."""
    if e.gflops is None:
        return ""
    return f"{three(e.gflops)} GFLOP/s" + ("" if e.fraction is None else f", {percent(e.fraction)} of {e.limit}")


def short_rate(e: Entry) -> str:
    """'45.2 GF/s 31% mem'."""
    if e.gflops is None:
        return ""
    fraction = "" if e.fraction is None else f" {percent(e.fraction)} {str(e.limit)[:3]}"
    return f"{three(e.gflops)} GF/s{fraction}"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.0f}%" if fraction >= 0.01 else "<1%"


def word(e: Entry) -> str:
    """Why there is no time, in a word; empty if there is one."""
    return {"ok": "", "wrong": "WRONG"}.get(e.status, e.status)


def where(run: Run, device: str) -> str:
    """The processor with the threads that were used, or the GPU."""
    n = run.environment["torch_threads"]
    return run.where(device) + (f", {n} thread{'s' * (n != 1)}" if device == "cpu" else "")


def about(run: Run, devices: Iterable[str]) -> list[str]:
    """The machine, the versions and the limits, in lines."""
    m, env = run.machine, run.environment
    memory = f", {m['memory_gb']:g} GB" if m["memory_gb"] else ""
    cuda = f", CUDA {env['cuda']}, cuDNN {env['cudnn']}, TF32 {env['tf32']}" if env["cuda"] else ""
    blas = [f"{b['api']} {b['version'] or ''} ({b['threads'] or 'unknown'} threads)" for b in env["blas"]]
    simd = f" with {', '.join(env['simd'])}" if env.get("simd") else ""
    threads = "; ".join([f"torch {env['torch_threads']} threads", *blas])
    return [f"{m['processor']}, {m['cores']} cores{memory}, {m['system']}", *([gpu(m["gpu"])] if m["gpu"] else []),
            f"Python {env['python']}, NumPy {env['numpy']}{simd}, PyTorch {env['torch']}{cuda}; {threads}",
            *([f"{name}: {said}" for name, said in env.get("strangers", {}).items()]),
            *(limits(d, run.limits[d]) for d in devices if d in run.limits)]


def gpu(of: Mapping[str, Any]) -> str:
    """The GPU, and what could be read of it."""
    read_out = (("driver {}", "driver"), ("{:g} GB", "memory_gb"), ("power limit {:g} W", "power_limit_w"),
                ("clock {:g} MHz", "clock_mhz"))
    return ", ".join([of["name"], *(text.format(of[key]) for text, key in read_out if of[key] is not None)])


def limits(device: str, of: Mapping[str, Any]) -> str:
    gemm = ", ".join(f"{three(v)} GFLOP/s {dtype}" for dtype, v in of["gemm_gflops"].items() if v)
    return f"{device}: GEMM {of['shape']} {gemm}; copy {three(of['copy_gbs'])} GB/s"
