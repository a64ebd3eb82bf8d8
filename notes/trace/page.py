"""A trace as one self-contained HTML page."""

from html import escape
from itertools import groupby
from types import ModuleType

from . import Problem, Quantity
from .text import Others, compared, equations, figures, given, heading

STYLE = """
:root { color-scheme: light dark; --line: #8884; --dim: #666; --good: #18794e; --bad: #c62a2f; --wrong: #c62a2f1c; }
@media (prefers-color-scheme: dark) { :root { --dim: #aaa; --good: #4cc38a; --bad: #ff8589; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code { font: .92em ui-monospace, monospace; white-space: nowrap; } .f code { color: var(--dim); white-space: normal; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } tr.wrong { background: var(--wrong); }
@media print { body { max-width: none; margin: 0; font-size: 10px; } tr { break-inside: avoid; } }
"""


def page(cell: str, room: ModuleType, q: Problem, quantities: list[Quantity], others: Others, verdict: str) -> str:
    """The whole page."""
    stated = [[f"<strong>{label}</strong>", "<br>".join(map(_code, text.splitlines()))] for label, text in equations(room).items()]
    body = [f"<h1>{cell}, line by line</h1><p>{escape(verdict)}.</p>", "<h2>Equations</h2>", _table([], stated)]
    body += ["<h2>Given</h2>", _table([], [[_code(name), _code(figures(v, 1))] for name, v in given(q).items()])]
    head = ["quantity", "label", f"the line of reference/cells/{cell}.py", "NumPy"] + ["torch", "difference"] * (others is not None)
    for title, group in groupby(quantities, heading):
        body += [f"<h2>{title}</h2>", _table(head, [_row(one, others) for one in group])]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{cell}, line by line</title>'
        f"<style>{STYLE}</style></head>\n"
        f"<body>{''.join(body)}</body></html>\n"
    )


def _row(one: Quantity, others: Others) -> list[str]:
    formula = f'<span class="f">{one.line}: {_code(one.formula)}</span>' if one.line else escape(one.formula)
    cells = [_code(one.name), escape(" ".join(one.labels)), formula, _code(figures(one.value, 6)) if one.line else ""]
    if both := compared(one, others):
        other, said, bad = both
        return [*cells, _code(other), f'<span class="{"bad" if bad else "good"}">{said}</span>']
    return cells if others is None else [*cells, "", ""]


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _table(head: list[str], rows: list[list[str]]) -> str:
    top = f"<thead><tr>{''.join(f'<th scope=col>{escape(h)}</th>' for h in head)}</tr></thead>" if head else ""
    return f'<div class="wide"><table>{top}<tbody>{"".join(map(_line, rows))}</tbody></table></div>'


def _line(row: list[str]) -> str:
    wrong = " class=wrong" if "✗" in row[-1] else ""
    return f"<tr{wrong}>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
