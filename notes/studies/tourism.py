"""``python -m notes.studies.tourism``: one network for the 366 monthly series of the tourism competition, beside what is published.

Measured as there (Athanasopoulos, Hyndman, Song and Wu 2011): one origin for each series, 24 months ahead;
MAPE = the mean of 100 |x - f| / x; MASE = the mean of |x - f| over the mean |x_t - x_{t-12}| of all rows before the origin,
each the mean over the steps, then over the series.  Takes half an hour, nearly all of it AutoARIMA's.
"""

import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reference.forecast.backend import BACKEND
from reference.forecast.evaluation.against import statsforecast
from reference.forecast.evaluation.evaluate import Evaluation, evaluate
from reference.forecast.evaluation.metrics import naive_scale
from reference.forecast.evaluation.report import markdown
from reference.forecast.options import parser, settled
from reference.forecast.train import fit, prepare

from .study import Study, short

OPTIONS = "--data tourism --level --quantiles 0.1,0.5,0.9 --hidden 64"
PUBLISHED = {"seasonal naive": ("22.56", "1.63")}  # MAPE and MASE; the first as Tcomp, the R package of the data, confirms


def figures(e: Evaluation) -> dict[str, dict[str, float]]:
    """MAPE and MASE of every forecast, as the competition has them."""
    scale = np.array([naive_scale(s.values[: p.validation, 0], 12) for s, p in zip(e.task.series, e.task.parts, strict=True)])
    errors = {name: abs(e.truth - f) for name, f in e.forecasts.items()}
    return {
        name: {"mape": short(float((100 * error / e.truth).mean()), 5), "mase": short(float((error.mean(0) / scale).mean()), 5)}
        for name, error in errors.items()
    }


def measure() -> dict[str, Any]:
    task, started = prepare(settled(parser("reference", ("fast",)).parse_args(["train", *OPTIONS.split()]))), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        model, _ = fit(BACKEND, task, Path(folder))
    seconds = time.perf_counter() - started
    e = evaluate(task, model, "test", [statsforecast])
    return {
        "figures": figures(e),
        "network": e.name,
        "series": len(task.series),
        "seconds": round(seconds),
        "versions": f"statsforecast {version('statsforecast')}",
    }


def table(kept: dict[str, Any]) -> str:
    rows = [
        [f"**{name}**" if name == kept["network"] else name, f"{f['mape']:.2f}", f"{f['mase']:.3f}", *PUBLISHED.get(name, ("", ""))]
        for name, f in sorted(kept["figures"].items(), key=lambda item: item[1]["mase"])
    ]
    head = f"{kept['series']} series, 24 months ahead"
    return "\n\n".join(
        [
            f"`python -m reference.forecast train {OPTIONS}`, {kept['seconds']} seconds; {kept['versions']}.",
            markdown([head, "MAPE", "MASE", "MAPE published", "MASE published"], rows),
        ]
    )


STUDY = Study("forecast-tourism", __doc__, measure, lambda kept: {"": table(kept)})


if __name__ == "__main__":
    sys.exit(STUDY.command())
