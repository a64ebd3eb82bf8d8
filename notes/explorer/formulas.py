"""LaTeX for a page that works without a script, a style or a font of its own for it."""

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from ..labels import DEFINED, NOTES, equations, read

KATEX = Path(__file__).parent.parent / "site" / "node_modules" / "katex"
Render = Callable[[Sequence[str]], list[str]]


def plain(formulas: Sequence[str]) -> list[str]:
    """LaTeX as it is, where there is no KaTeX."""
    return [f"<code>{escape(f)}</code>" for f in formulas]


def mathml(formulas: Sequence[str]) -> list[str]:
    """LaTeX as MathML, which browsers draw by themselves."""
    program = (
        f"const k = require({json.dumps(str(KATEX))}); const f = JSON.parse(require('fs').readFileSync(0));"
        "const options = {output: 'mathml', displayMode: true, strict: 'error'};"
        "console.log(JSON.stringify(f.map(t => k.renderToString(t, options))))"
    )
    run = subprocess.run(["node", "-e", program], input=json.dumps(formulas), capture_output=True, encoding="utf-8", check=True)
    return json.loads(run.stdout)


def definitions(note: str, render: Render) -> dict[str, list[str]]:
    """Label -> its formulas as HTML; of a label that the note puts in words, the paragraph, its formulas within."""
    found = {e.label: render(e.formulas) if e.formulas else [] for e in equations(note)}
    text = read(NOTES / f"{note}.md")
    for m in DEFINED.finditer(text):
        if not found[m[1]]:
            paragraph = text[m.end() :].partition("\n")[2].partition("\n\n")[0]
            found[m[1]] = [f'<p class="words">{in_words(paragraph, render)}</p>']
    return found


def in_words(paragraph: str, render: Render) -> str:
    """Markdown of one paragraph as HTML: formulas, code and emphasis; of a link only its text."""
    words = re.split(r"\$([^$]+)\$", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", paragraph))
    words[1::2] = render(words[1::2]) if words[1::2] else []
    for k in range(0, len(words), 2):
        words[k] = re.sub(r"\*+([^*]+)\*+", r"<em>\1</em>", re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(words[k])))
    return "".join(words)
