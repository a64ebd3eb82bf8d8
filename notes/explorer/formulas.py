"""LaTeX for a page that works without a script, a style or a font of its own for it."""

import json
import subprocess
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

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
    run = subprocess.run(["node", "-e", program], input=json.dumps(formulas), capture_output=True, text=True, check=True)
    return json.loads(run.stdout)
