"""``python -m notes.site``: the notes as a site in out/notes, without the network.  Needs node, and npm once for KaTeX."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.report import published
from reference.common.command import entered, failed, parser
from reference.common.output import put_text
from torch_impl import door

from .. import explorer
from ..labels import NOTES, ROOT
from .local import outside

HERE = Path(__file__).parent


def main() -> int:
    parser("python -m notes.site", __doc__ or "").parse_args()
    door.needs("dev", "sphinx", "myst_parser", "furo", "sphinxcontrib", "jupytext", "nbclient", "ipykernel")
    from . import notebooks

    if not (shutil.which("node") and shutil.which("npm")):
        return failed("the site needs node and npm: its formulas are rendered when it is built")
    out = ROOT / "out" / "notes"
    if not (HERE / "node_modules" / "katex").is_dir():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, check=True)
    build = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--fresh-env", "-b", "html"]
    build += ["-c", str(HERE), "-d", str(ROOT / "out" / "doctrees"), str(NOTES), str(out)]
    code = subprocess.run(build, cwd=ROOT, check=False).returncode
    if code:
        return code
    notebooks.write(out)
    (out / ".nojekyll").touch()  # a host that makes sites of its own leaves this one as it is
    for name in explorer.PAGES:
        put_text(out / f"{name}.html", explorer.build(name))
    for name, page in published.pages():
        put_text(out / f"{name}.html", page)
    foreign = list(outside(out))
    if foreign:
        print("error: the site must load nothing from elsewhere, but it does", *foreign, sep="\n", file=sys.stderr)
        return 1
    print(f"open {(out / 'index.html').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
