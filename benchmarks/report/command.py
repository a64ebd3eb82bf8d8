"""``python -m benchmarks report``: what result files say, on the terminal, in Markdown, as one HTML page, and in a README."""

import argparse
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid
from rich.text import Text

from parity_tests.judge.terminal import console, figure, grid

from ..run.results import ResultError, read
from . import plots, ratios, sheets, tables
from .ratios import Fit, Mean, Means
from .sheets import Sheet
from .tables import PHASES, Entry, Table

USAGE_ERROR = 2
WIDE = 8  # sizes in one table of a page
BEGIN, END = "<!-- benchmark -->", "<!-- end benchmark -->"
INSIDE = "input product inside every time"
RULES = (
    "The input product is inside every time, for every implementation.",
    "A time is the median of its samples; below it the lower and the upper quartile.",
    "forward is inference; train is forward and backward from scratch.",
    f"× is the median over that of {tables.LIBRARY} in the same case, phase and file: below 1 is faster.",
    "kernel is what really ran. parity is the worst error over what is allowed; above 1 is wrong, and was not timed.",
    "% is the fraction of the nearer limit that the machine itself was measured to have: GEMM rate (compute) or copy "
    "bandwidth (memory).",
)


PAGES_NEED = "pages need jinja2, which is not installed: pip install jinja2; the report on the terminal does not"


class ReportError(Exception):
    """A report that cannot be made; the message is one sentence."""


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks report",
                                     description="Show result files of one or many machines.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a result file of `python -m benchmarks run`")
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="write report.md, report.html and plots/*.png, *.svg there")
    parser.add_argument("--readme", type=Path, metavar="README.md",
                        help=f"replace what stands there between {BEGIN} and {END} by the table of means of a grid of each "
                             "machine")
    parser.add_argument("--note", type=Path, metavar="NOTE.md",
                        help="the same with every table; its plots go into figures/ beside it")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print a report and write what was asked for; 0, or 2 if a file is unusable or something cannot be written."""
    args, error = arguments().parse_args(argv), console(stderr=True)
    try:
        files = load(args.files)
        found = tables.load([(shown(name), content) for name, content in files])
        view = build(found)
        show(console(), view)
        if args.out:
            write(view, found, args.out)
        for option, file in (("readme", args.readme), ("note", args.note)):
            if file:
                if option == "note":
                    draw_beside(file, view, found)
                command = ["python", "-m", "benchmarks", "report", *map(shown, args.files), f"--{option}", shown(str(file))]
                shown_there = view if option == "note" else build(headline(found))
                insert(file, page(shown_there | {"command": shlex.join(command)}, f"{option}.md"))
    except (ResultError, ReportError, plots.NoPlotsError) as e:
        error.print(f"error: {e}", style="bold red", markup=False, soft_wrap=True)
        return USAGE_ERROR
    except OSError as e:
        error.print(f"error: the report cannot be written: {e}", style="bold red", markup=False, soft_wrap=True)
        return USAGE_ERROR
    return 0


def headline(found: Sequence[Entry]) -> list[Entry]:
    """What a README shows: of each machine the first file of the grid, on most threads, in float32 if it has that; where
    there is no grid, everything."""
    grids = [e for e in found if e.run.preset == "grid"]
    first: dict[str, Entry] = {}
    for e in sorted(grids, key=lambda e: (e.dtype != "float32", -e.run.environment["torch_threads"], e.run.number)):
        first.setdefault(f"{e.run.machine['processor']} {e.run.machine['cores']} {e.run.machine['gpu']}", e)
    chosen = {e.run.number for e in first.values()}
    return [e for e in grids if e.run.number in chosen] or list(found)


def load(names: Sequence[str]) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """(name, content) of each file.

    Raises
    ------
    ResultError
        A file cannot be read, or is not a result file.
    ReportError
        A file has no rows.
    """
    files = [(name, read(Path(name))) for name in names]
    for name, content in files:
        if not content["rows"]:
            raise ReportError(f"{name} has no rows yet")
    return files


def shown(name: str) -> str:
    """How a report calls a file: as it was given, but without the folders of this machine."""
    return Path(name).name if Path(name).is_absolute() else name


def build(found: Sequence[Entry]) -> dict[str, Any]:
    """What every output shows: the rules, a section for each file, and the devices side by side."""
    sections = [section(es) for es in tables.grouped(found, lambda e: e.run.number).values()]
    return {"rules": RULES, "sections": sections, "fastest": ratios.fastest(found), "threads": sheets.threads(found)}


def section(found: Sequence[Entry]) -> dict[str, Any]:
    """One file; "plots" is filled by ``write``."""
    run = found[0].run
    devices = list(dict.fromkeys(e.device for e in found))
    return {"run": run, "title": f"{run.preset} · " + " · ".join(tables.where(run, d) for d in devices),
            "about": tables.about(run, devices), "means": ratios.means(found), "tables": tables.tables(found),
            "fits": ratios.fits(found), "sheets": sheets.of_file(found), "untimed": untimed(found), "plots": []}


def untimed(found: Iterable[Entry]) -> list[dict[str, Any]]:
    """What has no time, and why: rows of one implementation, status and reason together."""
    groups = tables.grouped([e for e in found if e.status != "ok"], lambda e: (e.implementation, e.status, e.reason))
    return [{"implementation": name, "status": status, "word": tables.word(es[0]), "reason": reason, "rows": len(es),
             "of": ", ".join(dict.fromkeys(f"{e.kind} {e.phase} {e.dtype}" for e in es))}
            for (name, status, reason), es in groups.items()]


def bad(status: str) -> bool:
    return status not in ("ok", "declined")


def colour(status: str) -> str:
    return "bold red" if bad(status) else "yellow"


def show(out: Console, view: dict[str, Any]) -> None:
    """Print the report."""
    for rule in view["rules"]:
        out.print(Text(rule, style="dim"))
    for s in view["sections"]:
        out.print()
        out.rule(Text(s["title"], style="bold"), align="left")
        for text in (f"{s['run'].source}, {s['run'].started}", *s["about"]):
            out.print(Text(text, style="dim"))
        for table in s["tables"]:
            for piece in table.split(max(1, (out.width - 40) // 19)):
                out.print(times_grid(piece))
        for m in s["means"]:
            out.print(means_grid(m))
        for sheet in s["sheets"]:
            out.print(sheet_grid(sheet))
        if s["fits"]:
            out.print(fits_grid(s["fits"]))
        for u in s["untimed"]:
            why = f": {u['reason']}" if u["reason"] else ""
            out.print(Text(f"{u['implementation']}: {u['rows']} {u['word']} ({u['of']}){why}", style=colour(u["status"])))
    for sheet in view["threads"]:
        out.print(sheet_grid(sheet))
    for table in view["fastest"]:
        for piece in table.split(max(1, (out.width - 40) // 19)):
            out.print(fastest_grid(piece))


def caption(made: Grid, *texts: str) -> None:
    """What a table must say of itself."""
    made.caption, made.caption_justify = Text(" · ".join(texts)), "left"


def sheet_grid(sheet: Sheet) -> Grid:
    made = grid(escape(sheet.title))
    caption(made, sheet.caption)
    for name in sheet.head:
        made.add_column(escape(name), overflow="fold")
    for cells in sheet.rows:
        made.add_row(*map(Text, cells))
    return made


def times_grid(table: Table) -> Grid:
    """Implementations by sizes: median and ratio, quartiles, rate and fraction of the limit."""
    made = grid(escape(f"{table.title} · {table.run.where(table.device)}"))
    caption(made, INSIDE, PHASES[table.phase], "median, [quartiles]", f"× {tables.LIBRARY}", "rate and % of the nearer limit")
    made.add_column("implementation\nkernel, parity", max_width=28)
    for s in table.sizes:
        made.add_column(s.replace(" ", "\n", 2) if s.count(" ") > 2 else s, justify="right")
    for line in table.lines:
        parity = "" if line.parity is None else f"parity {figure(line.parity)}"
        compiled = "" if line.compile_s is None else f"compiled in {tables.duration(line.compile_s)}"
        notes = "\n".join(filter(None, (line.kernel, parity, compiled)))
        made.add_row(Text.assemble((line.implementation, "bold"), (f"\n{notes}", "dim")), *map(entry_text, line.entries))
    return made


def entry_text(e: Entry | None) -> Text:
    """One entry of a table, on three lines."""
    if e is None:
        return Text("–", style="dim")
    if e.status != "ok":
        over = f"\nparity {figure(e.parity)}" if e.status == "wrong" and e.parity is not None else ""
        return Text(f"{'✗ ' * bad(e.status)}{tables.word(e)}{over}", style=colour(e.status))
    ratio = (f"  {tables.times(e.ratio)}", "green" if e.ratio is not None and e.ratio < 1 else "")
    return Text.assemble(tables.duration(e.median), ratio, (f"\n[{tables.quartiles(e)}]\n{tables.short_rate(e)}", "dim"))


def means_grid(m: Means) -> Grid:
    """Geometric means of the ratio."""
    made = grid(escape(f"time over {tables.LIBRARY} · {m.run.preset} · {m.dtype} · {m.device} · {m.run.where(m.device)}"))
    caption(made, INSIDE, *PHASES.values(), "geometric mean, smallest – largest, (cases)")
    made.add_column("implementation")
    for kind, phase in m.columns:
        made.add_column(f"{kind}\n{phase}", justify="right")
    for name, by_column in m.lines.items():
        made.add_row(name, *map(mean_text, by_column.values()))
    return made


def mean_text(m: Mean | str) -> Text:
    if isinstance(m, str):
        return Text(m, style="bold red" if ratios.failing(m) else "yellow")
    return Text.assemble((tables.times(m.mean), "green" if m.mean < 1 else ""),
                         (f"\n{ratios.extremes(m)}\n({ratios.covered(m)})", "dim"))


def fits_grid(found: Sequence[Fit]) -> Grid:
    made = grid("scaling: time ~ size^k, least squares over all sizes")
    caption(made, "off: the largest factor between a time and the fit")
    for name in ("axis", "held", "cell", "phase", "implementation", "dtype", "device", "sizes", "k", "off"):
        made.add_column(name, justify="right" if name in ("sizes", "k", "off") else "left")
    for f in found:
        e = f.entry
        made.add_row(f.axis, f.fixed, e.kind, e.phase, e.implementation, e.dtype, e.device, str(f.points),
                     f"{f.exponent:.2f}", tables.times(f.off))
    return made


def fastest_grid(table: Table) -> Grid:
    made = grid(escape(f"devices side by side · {table.title}"))
    caption(made, INSIDE, PHASES[table.phase], "the fastest implementation of each", "median, [quartiles]")
    made.add_column("device", max_width=32)
    for s in table.sizes:
        made.add_column(s, justify="right")
    for line in table.lines:
        made.add_row(line.implementation, *map(fastest_text, line.entries))
    return made


def fastest_text(e: Entry | None) -> Text:
    if e is None:
        return Text("–", style="dim")
    below = f"\n[{tables.quartiles(e)}]\n{e.implementation}\n{e.kernel or ''}"
    return Text.assemble(tables.duration(e.median), (below, "dim"))


def write(view: dict[str, Any], found: Sequence[Entry], folder: Path) -> None:
    """report.md, report.html and the plots, in a folder that is made if need be.

    Raises
    ------
    NoPlotsError
        Matplotlib is not installed; nothing is written.
    ReportError
        Jinja2 is not installed; the plots are written.
    OSError
        Something cannot be written.
    """
    sections = {s["run"].name: s for s in view["sections"]}
    for plot in plots.draw(found):
        (folder / "plots").mkdir(parents=True, exist_ok=True)
        for form in ("png", "svg"):
            (folder / "plots" / f"{plot.name}.{form}").write_bytes(plot.save(form))
        sections[plot.run]["plots"].append({"name": plot.name, "title": plot.title, "caption": plot.caption,
                                            "svg": plot.inline()})
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("report.md", "report.html"):
        (folder / name).write_text(page(view, name), encoding="utf-8")


def draw_beside(note: Path, view: dict[str, Any], found: Sequence[Entry]) -> None:
    """The plots as SVG in the folder figures/ beside a note."""
    sections = {s["run"].name: s for s in view["sections"]}
    for plot in plots.draw(found):
        target = note.parent / "figures" / f"{plot.name}.svg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(plot.save("svg"))
        sections[plot.run]["plots"].append({"name": plot.name, "title": plot.title, "caption": plot.caption, "svg": ""})


def page(view: dict[str, Any], name: str) -> str:
    """The Markdown or HTML page, by the name of its template.

    Raises
    ------
    ReportError
        Jinja2 is not installed.
    """
    try:
        import jinja2  # not everywhere, and only pages need it
    except ImportError as e:
        raise ReportError(PAGES_NEED) from e
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True,
                             trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined,
                             finalize=in_a_cell if name.endswith(".md") else None)
    env.filters |= {"figure": figure, "duration": tables.duration, "quartiles": tables.quartiles, "times": tables.times,
                    "rate": tables.rate, "bytes": tables.size_of, "word": tables.word, "extremes": ratios.extremes,
                    "covered": ratios.covered}
    env.tests |= {"bad": bad, "failing": ratios.failing}
    return env.get_template(name).render(view | {"wide": WIDE, "phases": PHASES, "library": tables.LIBRARY})


def in_a_cell(value: Any) -> Any:
    """Text that ends neither a cell nor a line of a Markdown table."""
    return " ".join(value.replace("|", "\\|").splitlines()) if type(value) is str else value


def insert(readme: Path, block: str) -> None:
    """Replace what stands between the two markers of a file.

    Raises
    ------
    ReportError
        The file cannot be read, or does not have each marker once, in order.
    OSError
        The file cannot be written.
    """
    try:
        text = readme.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as e:
        raise ReportError(f"{readme} cannot be read: {e}") from e
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or text.count(BEGIN) + text.count(END) != 2:
        raise ReportError(f"{readme} must have one line {BEGIN} and after it one line {END}")
    readme.write_bytes(f"{before}{BEGIN}\n{block.strip()}\n{END}{after}".encode())


if __name__ == "__main__":
    sys.exit(main())
