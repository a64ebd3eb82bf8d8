"""``python -m notes.diagrams.parity``: the README's picture, from a run of the suite and one planted fault."""

import re
import sys
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from parity_tests.demo.parity import planted
from parity_tests.judge import report, terminal
from parity_tests.judge.cases import table
from parity_tests.judge.implementations import BUILTIN
from parity_tests.judge.suite import run_case
from parity_tests.mutation.command import candidates, implementation
from reference.common.command import entered, parser
from reference.common.output import put_text

FILE = Path(__file__).parent.parent / "figures" / "parity.svg"
# rich's own format fetches a font from the web; the reader's monospace font will do.
LOCAL = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code", "monospace")


def main() -> int:
    parser("python -m notes.diagrams.parity", __doc__ or "").parse_args()
    console = Console(record=True, width=104, force_terminal=True, color_system="truecolor", quiet=False)
    results = [run_case(i, case) for i in BUILTIN.values() for case in table()]
    console.print(Text("$ python -m parity_tests", style="bold"))
    console.print(terminal.overview(report.build(results, [], "cpu")))
    fault = planted()
    broken = [run_case(implementation(fault), case) for case in candidates(fault)[::9]]
    console.print(Text(f"# one line of lstm.py broken: {fault.old}  ->  {fault.new}", style="bold"))
    judged = report.build([r._replace(implementation="numpy, broken") for r in broken], [], "cpu")
    console.print(terminal.outcome(judged["implementations"][0]))
    put_text(FILE, console.export_svg(title="parity", theme=MONOKAI, code_format=LOCAL))
    print(f"wrote {FILE.relative_to(Path.cwd())}" if FILE.is_relative_to(Path.cwd()) else f"wrote {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
