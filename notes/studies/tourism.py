"""``python -m notes.studies.tourism [network] [peers]``: one network for 366 monthly series, beside what is published of them.

The tourism forecasting competition (Athanasopoulos, Hyndman, Song and Wu 2011), one origin for each series, 24 months ahead:
MAPE = the mean of 100 |x - f| / x; MASE = the mean of |x - f| over the mean |x_t - x_{t-12}| of all rows before the origin,
each the mean over the steps, then over the series.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reference.common.command import entered
from reference.forecast.backend import BACKEND
from reference.forecast.evaluation.against import rolling
from reference.forecast.evaluation.baselines import persistence
from reference.forecast.evaluation.evaluate import Evaluation, evaluate
from reference.forecast.evaluation.metrics import naive_scale
from reference.forecast.evaluation.report import markdown
from reference.forecast.options import parser, settled
from reference.forecast.train import Task, fit, prepare

from .study import Study, options, short

OPTIONS = "--data tourism --level --hidden 64 --epochs 20"
PUBLISHED = {"seasonal naive": ("22.56", "1.63")}  # MAPE and MASE; the first as Tcomp, the R package of the data, confirms


def figures(e: Evaluation) -> dict[str, dict[str, float]]:
    """MAPE and MASE of every forecast, as the competition has them."""
    scale = np.array([naive_scale(s.values[: p.validation, 0], 12) for s, p in zip(e.task.series, e.task.parts, strict=True)])
    errors = {name: abs(e.truth - f) for name, f in e.forecasts.items()}
    return {
        name: {"mape": short(float((100 * error / e.truth).mean()), 5), "mase": short(float((error.mean(0) / scale).mean()), 5)}
        for name, error in errors.items()
    }


def network() -> dict[str, Any]:
    """The network and the baselines."""
    task, started = prepared(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        model, _ = fit(BACKEND, task, Path(folder))
    seconds = round(time.perf_counter() - started)
    e = evaluate(task, model, "test")
    return {"figures": figures(e), "name": e.name, "series": len(task.series), "seconds": seconds}


def peers() -> dict[str, Any]:
    """AutoETS of statsforecast; AutoARIMA takes long for so many series."""
    from statsforecast.models import AutoETS

    task = prepared()
    windows = task.windows("test")
    said = {"persistence": task.back(persistence(windows), windows)}
    said["statsforecast AutoETS"] = rolling(partial(AutoETS, season_length=12), task, windows)
    found = figures(Evaluation(task, said, windows, "test", np.empty(0), None))
    return {"figures": {n: f for n, f in found.items() if n != "persistence"}, "version": version("statsforecast")}


def prepared() -> Task:
    return prepare(settled(parser("reference", ("fast",)).parse_args(["train", *OPTIONS.split()])))


MEASURED = {"network": network, "peers": peers}


def study(chosen: Sequence[str] = ()) -> Study:
    """What is not chosen stays as it was kept."""

    def measure() -> dict[str, Any]:
        before = result.kept() if result.file.exists() else {}
        return before | {name: MEASURED[name]() for name in chosen or MEASURED}

    result = Study("forecast-tourism", __doc__, measure, lambda kept: {"": table(kept)})
    return result


def table(kept: dict[str, Any]) -> str:
    own, others = kept["network"], kept.get("peers", {"figures": {}, "version": "not asked"})
    rows = [
        [f"**{name}**" if name == own["name"] else name, f"{f['mape']:.2f}", f"{f['mase']:.3f}", *PUBLISHED.get(name, ("", ""))]
        for name, f in sorted((own["figures"] | others["figures"]).items(), key=lambda item: item[1]["mase"])
    ]
    return "\n\n".join(
        [
            f"`python -m reference.forecast train {OPTIONS}`, {own['seconds']} seconds; statsforecast {others['version']}.",
            markdown([f"{own['series']} series, 24 months ahead", "MAPE", "MASE", "MAPE published", "MASE published"], rows),
        ]
    )


STUDY = study()


def main() -> int:
    p = options("tourism", __doc__)
    p.add_argument("parts", nargs="*", metavar="PART", help=", ".join(MEASURED))
    given = p.parse_args()
    if unknown := [part for part in given.parts if part not in MEASURED]:
        p.error(f"there is no part {unknown[0]!r}; there are {', '.join(MEASURED)}")
    return study(given.parts).run(given.write)


if __name__ == "__main__":
    sys.exit(entered(main))
