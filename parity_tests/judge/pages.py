"""A report as a file: JSON, Markdown, or one self-contained HTML page."""

import json
from importlib.util import find_spec
from pathlib import Path

from reference.common.output import put_text

from .terminal import Json, counted, failed_in, figure, narrower, off, said, verdict_of

SUFFIXES = (".json", ".md", ".html")


def write(report: Json, path: Path) -> None:
    """Write the report in the form that the file's suffix names.  ValueError: there is no such form.  OSError: it cannot be."""
    if path.suffix not in SUFFIXES:
        raise ValueError(f"a report is {', '.join(SUFFIXES)}; got {path.name!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1) + "\n" if path.suffix == ".json" else render(f"report{path.suffix}", report)
    put_text(path, text)


def missing(path: Path) -> str | None:
    """What is not installed that a report of this form needs, in a sentence; None if all is there."""
    if path.suffix == ".json" or find_spec("jinja2"):
        return None
    return "pages (.md, .html) need jinja2, which is not installed: pip install jinja2"


def render(template: str, content: Json) -> str:
    """One of ``templates``, filled."""
    import jinja2  # not everywhere, and only pages need it

    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=template.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    env.filters |= {f.__name__: f for f in (counted, figure, narrower, off, said, failed_in, verdict_of, cell)}
    return env.get_template(template).render(content)


def cell(text: str) -> str:
    """A text as it can stand in a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
