"""From results to one plain dictionary, which every output (terminal, JSON, Markdown, HTML) shows."""

import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from torch_impl.common.precision import tf32

from .cases import KINDS, Case
from .suite import STATUSES, Result, worst_of
from .terminal import Json
from .tolerance import BASELINE_FACTOR, FLOOR_EPS, Verdict

VERSION = 2
RULE = f"max|candidate - oracle| <= {BASELINE_FACTOR} · noise + {FLOOR_EPS} · eps · max|oracle|"


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
    """One implementation in a line: for each kind of cell the largest error over allowed, None if all was declined."""
    cells: dict[str, Json] = {}
    for r in implementation["rows"]:
        cell = cells.setdefault(r["kind"], {"ratio": None, "wrong": 0, "xfailed": 0})
        cell["wrong"] += r["cases"] - r["passed"]
        cell["xfailed"] += r["xfailed"]
        if r["worst"] and r["worst"]["ratio"] is not None:
            cell["ratio"] = number(max(float(cell["ratio"] or 0), float(r["worst"]["ratio"])))
    passed = implementation["passed"]
    return {"name": implementation["name"], "passed": passed, "judged": passed + implementation["failed"], "cells": cells}


def implementation(name: str, results: Sequence[Result]) -> Json:
    """One implementation: counts, a row for each kind and dtype, failures, and what the failures share."""
    counts = Counter(r.status for r in results)
    failed = [r for r in results if r.status in ("wrong", "error")]
    return {
        "name": name,
        "counts": {status: counts[status] for status in STATUSES},
        "passed": counts["passed"],
        "failed": len(failed),
        "declined": dict(Counter(r.declined for r in results if r.declined)),
        "forward_only": any(r.forward_only for r in results),
        "rows": [
            row(kind, dtype, rs)
            for kind in KINDS
            for dtype in sorted({r.case.spec.dtype for r in results})
            if (rs := [r for r in results if r.case.spec.kind == kind and r.case.spec.dtype == dtype])
        ],
        "failures": [failure(r) for r in failed],
        "shared": shared_options([r.case for r in failed], [r.case for r in results if r.status == "passed"]),
        "diagnosis": sorted({r.diagnosis for r in failed if r.diagnosis}),
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
        "declined": sum(r.status == "declined" for r in results),
        "xfailed": sum(r.status == "xfailed" for r in results),
        "worst": verdict(worst_of(v for verdicts in by_tensor.values() for v in verdicts)),
        "tensors": [verdict(worst_of(verdicts)) for verdicts in by_tensor.values()],
    }


def verdict(v: Verdict | None) -> Json | None:
    if v is None:
        return None
    ratio = None if v.error is None else number(v.ratio)
    return v._asdict() | {"error": number(v.error), "allowed": number(v.allowed), "ratio": ratio}


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
        "wrong": [verdict(v) for v in r.wrong],
        "seconds": round(r.seconds, 6),
    }


def failure(r: Result) -> Json:
    return {
        "case": r.case.name,
        "dtype": r.case.spec.dtype,
        "diagnosis": r.diagnosis,
        "wrong": [verdict(v) for v in r.wrong],
        "right": sum(v.ok for v in r.verdicts),
    }


def facets(case: Case) -> Json:
    """The options of a case, as a person would name them."""
    s = case.spec
    return {
        "cell": s.kind,
        "dtype": s.dtype,
        "num_layers": s.num_layers,
        "bidirectional": s.bidirectional,
        "bias": s.bias,
        "batch_first": s.batch_first,
        "initial state": "given" if case.state else "not given",
        "lengths": "given" if case.lengths else "not given",
        "dropout": bool(s.dropout),
        "T > 1": case.T > 1,
    }


def shared_options(failed: Sequence[Case], passed: Sequence[Case]) -> list[str]:
    """The options that all failures have and no success; if there are none, those that some success lacks."""
    if not failed:
        return []
    shares = []
    for option, value in facets(failed[0]).items():
        others = sum(facets(case)[option] == value for case in passed)
        if all(facets(case)[option] == value for case in failed) and others < len(passed):
            shares.append((others, f"{option} = {value}"))
    certain = [text for others, text in shares if not others]  # no success has it
    return certain or [text for _, text in sorted(shares)]


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
