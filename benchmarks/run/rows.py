"""From what was measured to the row of a result file."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from reference.common.command import is_out_of_memory

from ..what.config import Config
from . import clock
from .limits import roofline


def row(config: Config, implementation: str, phase: str, **found: Any) -> dict[str, Any]:
    """A row; what is not given is unknown."""
    made = {"case": config.as_dict(), "implementation": implementation, "phase": phase, "status": "error", "reason": "",
            "parity": None, "kernel": None, "compile_s": None, "seconds": None, "peak_bytes": None,
            "flops": config.flops(phase), "bytes": config.bytes(phase), "gflops": None, "fraction_of_limit": None,
            "limit": None} | found
    if made["parity"] is not None and not math.isfinite(made["parity"]):
        made["parity"] = None  # JSON has no infinity
    return made


def timed(config: Config, implementation: str, phase: str, samples: Sequence[float], limits: Mapping[str, Any],
          **found: Any) -> dict[str, Any]:
    """A row with a time."""
    seconds = clock.summary(samples)
    made = row(config, implementation, phase, status="ok", seconds=seconds, **found)
    if seconds["median"]:
        fraction, limit = roofline(made["flops"], made["bytes"], seconds["median"], config.dtype, limits[config.device])
        made |= {"gflops": made["flops"] / seconds["median"] / 1e9, "fraction_of_limit": fraction, "limit": limit}
    return made


def failure(e: BaseException) -> dict[str, Any]:
    """The status and reason of a row without a time."""
    reason = " ".join(f"{type(e).__name__}: {e}".split())
    return {"status": "out of memory" if is_out_of_memory(e) else "error", "reason": reason[:300]}
