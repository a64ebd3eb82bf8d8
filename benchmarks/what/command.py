"""``python -m benchmarks list``: the presets, or the cases of one."""

from collections.abc import Sequence

from rich.text import Text

from parity_tests.judge import terminal
from reference.common.command import Parser

from .presets import PRESETS


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(prog="python -m benchmarks list", description="The presets, or the cases of one.")
    parser.add_argument("--preset", choices=PRESETS, help="print its cases")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="some presets have larger cases on CUDA")
    args, console = parser.parse_args(argv), terminal.console()
    if args.preset:
        jobs = PRESETS[args.preset].jobs(args.device)
        console.print(*(f"{config.name} {phase}" for config, phase in jobs), sep="\n", highlight=False, soft_wrap=True)
        return 0
    table = terminal.grid("presets")
    for name in ("preset", "cases", "what"):
        table.add_column(name, justify="right" if name == "cases" else "left", overflow="fold")
    for name, preset in PRESETS.items():
        table.add_row(name, str(len(preset.jobs(args.device))), Text(preset.about))
    console.print(table)
    return 0
