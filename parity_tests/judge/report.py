"""From results to one plain dictionary, which every output (terminal, JSON, Markdown, HTML) shows."""

import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from torch_impl.common.precision import tf32

from .cases import KINDS
from .causes.facets import shared
from .causes.grouping import grouped
from .suite import ERRORS, STATUSES, Result, worst_of
from .terminal import Json
from .tolerance import BASELINE_FACTOR, FLOOR_EPS, LIBM_FACTOR, LIBM_ULP, Verdict
from .verdicts import place

VERSION = 2
RULE = (
    f"max|candidate - oracle| <= {BASELINE_FACTOR} · noise + {FLOOR_EPS} · eps · max|oracle|, "
    f"or {LIBM_FACTOR} · what {LIBM_ULP} ulp of tanh and sigmoid do"
)


def build(results: Iterable[Result], definition: list[dict[str, str]], device: str) -> Json:
    """The report: where it ran, whether the definition itself stands, and each implementation's rows and failures."""
    by_name: dict[str, list[Result]] = {}
    for r in results:
        by_name.setdefault(r.implementation, []).append(r)
    implementations = [implementation(name, rs) for name, rs in by_name.items()]
    return {
        "version": VERSION,
        "rule": RULE,
        "environment": environment(device),
        "definition": definition,
        "kinds": list(dict.fromkeys(r["kind"] for i in implementations for r in i["rows"])),
        "overview": [overview(i) for i in implementations],
        "implementations": implementations,
    }


def overview(implementation: Json) -> Json:
    """One implementation in a line: for each kind of cell the largest error over allowed, and how many cases went wrong."""
    cells: dict[str, Json] = {}
    for r in implementation["rows"]:
        cell = cells.setdefault(r["kind"], {"ratio": None, "wrong": 0, "errors": 0, "xfailed": 0})
        for outcome in ("wrong", "errors", "xfailed"):
            cell[outcome] += r[outcome]
        if r["worst"] and r["worst"]["ratio"] is not None:
            cell["ratio"] = number(max(float(cell["ratio"] or 0), float(r["worst"]["ratio"])))
    passed = implementation["passed"]
    return {"name": implementation["name"], "passed": passed, "judged": passed + implementation["failed"], "cells": cells}


def implementation(name: str, results: Sequence[Result]) -> Json:
    """One implementation: counts, a row for each kind and dtype, failures, their causes, and what all failures share."""
    counts = Counter(r.status for r in results)
    failed = [r for r in results if r.status in ("wrong", "error")]
    passed = [r.case for r in results if r.status == "passed"]
    causes = grouped(failed, passed)
    return {
        "name": name,
        "counts": {status: counts[status] for status in STATUSES},
        "passed": counts["passed"],
        "failed": len(failed),
        "declined": dict(Counter(r.declined for r in results if r.declined)),
        "forward_only": any(r.forward_only for r in results)
        and not any(v.tensor.startswith("d") for r in results for v in r.verdicts),
        "computes": {r.case.spec.dtype: r.precision for r in results if r.precision},
        "rows": [
            row(kind, dtype, rs)
            for kind in KINDS
            for dtype in sorted({r.case.spec.dtype for r in results})
            if (rs := [r for r in results if r.case.spec.kind == kind and r.case.spec.dtype == dtype])
        ],
        "failures": [failure(r, [k for k, c in enumerate(causes, 1) if any(r is member for member in c["of"])]) for r in failed],
        "causes": [{k: v for k, v in c.items() if k != "of"} for c in causes],
        "shared": shared([r.case for r in failed], passed) if failed else "",
        "cases": [entry(r) for r in results],
    }


def row(kind: str, dtype: str, results: Sequence[Result]) -> Json:
    """One kind of cell in one dtype: how many passed, and the verdict closest to its limit, or furthest past it."""
    judged = [r for r in results if r.status not in ("declined", "xfailed")]
    by_tensor: dict[str, list[Verdict]] = {}
    for v in (v for r in judged for v in r.verdicts):
        by_tensor.setdefault(v.tensor, []).append(v)
    return {
        "kind": kind,
        "dtype": dtype,
        "cases": len(judged),
        "passed": sum(r.ok for r in judged),
        "wrong": sum(r.status == "wrong" for r in judged),
        "errors": sum(r.status == "error" for r in judged),
        "declined": sum(r.status == "declined" for r in results),
        "xfailed": sum(r.status == "xfailed" for r in results),
        "worst": verdict(worst_of(v for verdicts in by_tensor.values() for v in verdicts)),
        "tensors": [verdict(worst_of(verdicts)) for verdicts in by_tensor.values()],
    }


def verdict(v: Verdict | None) -> Json | None:
    """A verdict with its status in a word; no ratio where none can be had."""
    if v is None:
        return None
    status = "passed" if v.ok else "error" if v.why in ERRORS else "wrong"
    ratio = number(v.ratio) if np.isfinite(v.ratio) else None
    figures = {"error": number(v.error), "allowed": number(v.allowed), "ratio": ratio}
    return v._asdict() | figures | {"status": status}


def located(r: Result) -> list[Json]:
    """What is wrong in a case, and where first."""
    return [(verdict(v) or {}) | {"where": place(v, 1 + r.case.spec.bidirectional)} for v in r.wrong]


def number(x: float | None) -> float | str | None:
    """A float that JSON can hold; None where no numbers were compared."""
    return x if x is None else float(x) if np.isfinite(x) else str(float(x))


def entry(r: Result) -> Json:
    """One case, whatever became of it."""
    return {
        "case": r.case.name,
        "dtype": r.case.spec.dtype,
        "tier": r.case.tier,
        "status": r.status,
        "reason": r.declined or r.expected or None,
        "worst": verdict(r.worst),
        "wrong": located(r),
        "seconds": round(r.seconds, 6),
    }


def failure(r: Result, causes: list[int]) -> Json:
    """One case that failed; its causes are numbered from 1, as they are listed."""
    return entry(r) | {"causes": causes, "right": sum(v.ok for v in r.verdicts)}


def environment(device: str) -> Json:
    """Where a report was made."""
    where = {"device": device, "processor": processor(), "system": f"{platform.system()} {platform.machine()}"}
    where |= {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__}
    where |= {"oracle": f"longdouble, eps {np.finfo(np.longdouble).eps:.1e}"}
    return where | gpu(device)


def gpu(device: str) -> Json:
    """A CUDA device, and what computes on it; nothing for any other, or where torch does not know it."""
    try:
        name = torch.cuda.get_device_name(device) if device.startswith("cuda") else ""
    except (AssertionError, RuntimeError, ValueError):  # an adapter may have devices that torch has not
        return {}
    cudnn = torch.backends.cudnn.version()
    return {"gpu": name, "cuda": torch.version.cuda, "tf32": tf32(), "cudnn": cudnn} if name else {}


def processor(info: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's model name, as far as the system tells it, and its family and model by number, because a virtual
    machine may give one name to many: 'AMD EPYC (family 25, model 1)'."""
    if not info.exists():
        return platform.processor() or "unknown"
    lines = info.read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    first = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = first.get("model name") or platform.processor() or "unknown"
    numbers = [f"{word} {first[key]}" for word, key in (("family", "cpu family"), ("model", "model")) if key in first]
    return f"{name} ({', '.join(numbers)})" if numbers else name
