"""A report as a file: JSON, Markdown, or one self-contained HTML page."""

import json
from pathlib import Path
from typing import Any

import jinja2

from .terminal import figure, said

SUFFIXES = (".json", ".md", ".html")


def write(report: dict[str, Any], path: Path) -> None:
    """Write the report in the form that the file's suffix names.

    Raises
    ------
    ValueError
        The suffix is none of .json, .md, .html.
    OSError
        The file cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"a report is {', '.join(SUFFIXES)}; got {path.name!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n" if path.suffix == ".json" else page(report, path.suffix),
                    encoding="utf-8")


def page(report: dict[str, Any], suffix: str) -> str:
    """The Markdown or HTML page."""
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
                             autoescape=suffix == ".html", trim_blocks=True, lstrip_blocks=True,
                             undefined=jinja2.StrictUndefined)
    env.filters |= {"figure": figure, "said": said}
    return env.get_template(f"report{suffix}").render(report)
