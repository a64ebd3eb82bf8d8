"""Everything that the demo has found, on one page that needs nothing else."""

from pathlib import Path
from typing import Any

from ..judge import pages, report
from . import characters, drawing, parity, sunspots


def write(
    file: Path,
    on_real: dict[str, Any],
    tables: dict[str, list[parity.Line]],
    wrong: int,
    on_fault: dict[str, Any],
    config: dict[str, Any],
    curves: characters.Curves,
    figure: Path,
    texts: characters.Texts,
    forecast: sunspots.Forecast,
) -> None:
    """OSError: it cannot be written."""
    fault = parity.planted()
    content = {
        "environment": on_real["environment"],
        "rule": report.RULE,
        "definition": on_real["definition"],
        "dtypes": parity.DTYPES,
        "tables": tables,
        "wrong": wrong,
        "runs": sum(i["passed"] + i["failed"] for i in on_real["implementations"]),
        "config": config,
        "curves": curves,
        "seconds": dict(zip(characters.NAMES.values(), curves.seconds, strict=True)),
        "loss_plot": drawing.inline(figure),
        "texts": texts,
        "forecast": forecast,
        "forecast_columns": sunspots.COLUMNS,
        "forecast_rows": sunspots.rows(forecast.evaluation),
        "by_step": sunspots.by_step(forecast.evaluation),
        "forecast_plots": {caption: drawing.inline(f) for caption, f in forecast.plots.items()},
        "fault": fault,
        "i": on_fault["implementations"][0],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(pages.render("demo.html", content), encoding="utf-8")
