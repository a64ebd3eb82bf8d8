"""The explorers: pages without a server, in which a reader changes a number and sees every gradient move.

Each has a folder: ``data`` says what the rest of the project says (formulas of the notes, lines of the code, names and
labels of the trace), ``page.html`` is its template, and beside them stand its scripts and its style.  A template begins with
``head.html`` and names a file as ``/*common.js*/``; the file takes its place, so that the page is one file.
"""

import json
import re
from pathlib import Path

from ..diagrams import palette
from ..labels import read
from . import attention, cells, sampling
from .formulas import Render, mathml

HERE = Path(__file__).parent
# The pages of the site, by name.
PAGES = {"explorer": cells, "explorer_attention": attention, "explorer_sampling": sampling}


def build(name: str, render: Render = mathml) -> str:
    """One page."""
    folder = Path(str(PAGES[name].__file__)).parent
    data = "const DATA = " + json.dumps(PAGES[name].data(render), ensure_ascii=False).replace("</", "<\\/") + ";"
    made = {"data": data, "palette": theme(), "title": f"Explorer · {folder.name}", "links": links(name)}

    def part(m: re.Match[str]) -> str:
        return made.get(m[1]) or read(next(file for file in (folder / m[1], HERE / m[1]) if file.is_file()))

    return re.sub(r"/\*([\w.]+)\*/(?=</)", part, read(folder / "page.html").replace("<!--head-->\n", read(HERE / "head.html")))


def links(here: str) -> str:
    """To every explorer, from one of them."""
    words = {name: Path(str(module.__file__)).parent.name for name, module in PAGES.items()}
    current = {here: ' aria-current="page"'}
    return "".join(f'<a href="{name}.html"{current.get(name, "")}>{word}</a>' for name, word in words.items())


def theme() -> str:
    """The colours: the reader's system decides, or <html data-theme>, which common.js sets to what was chosen on the site."""
    light, dark = palette.variables(False), palette.variables(True)
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        f':root[data-theme="light"] {{ color-scheme: light; {light} }}\n'
        f':root[data-theme="dark"] {{ color-scheme: dark; {dark} }}'
    )
