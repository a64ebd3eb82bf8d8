"""``python -m benchmarks report``: what result files say, on the terminal, in Markdown and as one HTML page."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from parity_tests.judge.terminal import console
from reference.common.command import Parser, failed
from reference.common.extras import needs
from reference.common.output import about, put_text

from ..gpu import crossing
from ..run.clock import three
from ..run.results import ResultError, read
from . import plots, tables
from .blocks import Block, Heading, Lines, to_html, to_markdown, to_terminal
from .drawing import Plot
from .frame import LIBRARY, Content, File, load, word
from .sizes import plots as of_sizes
from .sizes.tables import exponents, threads_help

TITLE = "Benchmark report"
RULES = (
    "The input product is inside every time, for every implementation.",
    "A time is the median of its samples; below it the lower and the upper quartile.",
    "forward is inference; train is forward and backward from scratch.",
    f"× is the median over that of {LIBRARY} in the same case, phase and file: below 1 is faster.",
    "kernel is what really ran. parity is the worst error over what is allowed; above 1 is wrong, and was not timed.",
    "% is the fraction of the nearer limit that the machine itself was measured to have: GEMM rate (compute) or copy "
    "bandwidth (memory).",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a report and write what was asked for; 0, or 2 if a file is unusable or something cannot be written."""
    parser = Parser(prog="python -m benchmarks report", description="Show result files of one or many machines.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a result file of `python -m benchmarks run`")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write report.md, report.html and plots/*.png, *.svg there")
    args = parser.parse_args(argv)
    try:
        files = opened(args.files)
        rows = load(files)
        if args.out:
            needs("bench", "matplotlib")
        drawn = every_plot(files, rows) if args.out else []
        to_terminal(console(), report(files, rows))
        if args.out:
            write(list(report(files, rows, drawn)), drawn, args.out)
    except ResultError as e:
        return failed(str(e))
    except OSError as e:
        return failed(f"the report cannot be written: {e.filename}: {e.strerror}")
    return 0


def opened(names: Sequence[str]) -> list[File]:
    """The name of each file, without the folders of this machine, and what it holds; ResultError: unusable, or no rows."""
    files: list[File] = [(Path(name).name if Path(name).is_absolute() else name, read(Path(name))) for name in names]
    for name, content in files:
        if not content["rows"]:
            raise ResultError(f"{name} has no rows yet")
    return files


def every_plot(files: list[File], rows: pd.DataFrame) -> list[Plot]:
    return [*plots.draw(files, rows), *of_sizes.draw(rows), *crossing.draw(rows)]


def report(files: Sequence[File], rows: pd.DataFrame, drawn: Sequence[Plot] = ()) -> Iterator[Block]:
    """The rules, devices side by side, then a part for each file."""
    yield Lines(RULES)
    for several in (tables.fastest, tables.crossover, tables.threads, threads_help):
        yield from several(rows)
    for group in tables.groups(rows, ["run"]):
        source, content = files[group.run.iloc[0]]
        devices, n = list(group.device.unique()), content["environment"]["torch_threads"]
        threads = f", {n} thread{'s' * (n != 1)}" if "cpu" in devices else ""
        yield Heading(" · ".join([content["preset"], *group["where"].unique()]) + threads)
        yield Lines([f"{source}, {content['started']}: {content['command']}", *machine(content, devices)])
        for table in (tables.means, tables.characters, tables.memory, tables.energy, tables.published):
            yield from table(group)
        yield Lines(untimed(group))
        yield from (plot for plot in drawn if plot.run == group["name"].iloc[0])
        for table in (tables.forward_share, tables.packed, tables.structure, exponents, tables.all_times):
            yield from table(group)


def untimed(rows: pd.DataFrame) -> list[str]:
    """What has no time, and why: rows of one implementation, status and reason together."""
    lines = []
    for group in tables.groups(rows[rows.status != "ok"], ["implementation", "status", "reason"]):
        first, of = group.iloc[0], ", ".join(dict.fromkeys(group.kind + " " + group.phase + " " + group.dtype))
        why = f": {first.reason}" if first.reason else ""
        lines.append(f"{first.implementation}: {len(group)} {word(first.status)} ({of}){why}")
    return lines


def machine(content: Content, devices: Sequence[str]) -> list[str]:
    """The machine, the versions and the limits, in lines."""
    m, env, limits = content["machine"], content["environment"], content["limits"]
    memory = f", {m['memory_gb']:g} GB" if m["memory_gb"] else ""
    cuda = f", CUDA {env['cuda']}, cuDNN {env['cudnn']}, TF32 {env['tf32']}" if env["cuda"] else ""
    blas = [f"{b['api']} {b['version'] or ''} ({b['threads'] or 'unknown'} threads)" for b in env["blas"]]
    computing = "; ".join([f"torch {env['torch_threads']} threads", *blas])
    simd = f" with {', '.join(env['simd'])}" if env.get("simd") else ""
    known = {d: limits[d] for d in devices if d in limits}
    return [
        f"{m['processor']}, {m['cores']} cores{memory}, {m['system']}",
        *([gpu(m["gpu"])] if m["gpu"] else []),
        f"Python {env['python']}, NumPy {env['numpy']}{simd}, PyTorch {env['torch']}{cuda}; {computing}",
        *(f"{name}: {version}" for name, version in env.get("strangers", {}).items()),
        *(f"{d}: GEMM {of['shape']} {gemm(of)}; copy {three(of['copy_gbs'])} GB/s" for d, of in known.items()),
    ]


def gemm(limits: Content) -> str:
    return ", ".join(f"{three(rate)} GFLOP/s {dtype}" for dtype, rate in limits["gemm_gflops"].items() if rate)


def gpu(of: Content) -> str:
    """The GPU, and what could be read of it."""
    texts = {"driver": "driver {}", "memory_gb": "{:g} GB", "power_limit_w": "power limit {:g} W", "clock_mhz": "clock {:g} MHz"}
    return ", ".join([of["name"], *(text.format(of[key]) for key, text in texts.items() if of[key] is not None)])


def write(blocks: Sequence[Block], drawn: Sequence[Plot], folder: Path) -> None:
    """report.md, report.html and the plots, in a folder that need not be there."""
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    for plot in drawn:
        for form in ("png", "svg"):
            file = folder / "plots" / f"{plot.name}.{form}"
            with about(file):
                file.write_bytes(plot.save(form))
    page = to_markdown(TITLE, blocks, lambda plot: f"plots/{plot.name}.png")
    put_text(folder / "report.md", page)
    put_text(folder / "report.html", to_html(TITLE, blocks))
