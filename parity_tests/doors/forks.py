"""``python -m parity_tests.doors.forks``: a process that forks while other threads of it multiply matrices.

Nothing of this project is in it: NumPy's matmul alone.  Each trial is a process with threads that multiply, which then forks, or
begins a new process as multiprocessing's spawn does; the child multiplies once and ends.  What is counted are children that do not
end, and forks that do not come back.
notes/compiled.md says what follows.

Exit status: 0, whatever was found; 2 something was asked for that cannot be done; 130 Ctrl-C.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reference.common.command import UsageError, entered, guarded, parser, positive

KEPT = Path(__file__).with_name("forks.json")
SECONDS = 10  # in which a child multiplies once, or never will
TRIAL = """
import os, subprocess, sys, threading, time
import numpy as np

computing, how = int(sys.argv[1]), sys.argv[2]
a = np.ones((300, 300))
if how == "limited":
    from threadpoolctl import threadpool_limits
    threadpool_limits(1)

busy = True

def multiply():
    while busy:
        np.matmul(a, a)

for _ in range(computing):
    threading.Thread(target=multiply, daemon=True).start()
np.matmul(a, a)
time.sleep(0.1)
print("forks", flush=True)
if how == "anew":
    child = subprocess.Popen([sys.executable, "-c", "import numpy as np; np.matmul(*np.ones((2, 300, 300)))"]).pid
else:
    child = os.fork()
if not child:
    np.matmul(a, a)
    os._exit(0)
busy = False
print("forked", child, flush=True)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
WAYS = {  # how many threads OpenBLAS has, and what is done about it
    "2": (2, "fork"),
    "1": (1, "fork"),
    "2, limited to 1 by threadpoolctl": (2, "limited"),
    "2, and the child begins anew": (2, "anew"),
}
OUTCOMES = "went well", "the fork did not come back", "the child did not end"


def main(argv: Sequence[str] | None = None) -> int:
    p = parser("python -m parity_tests.doors.forks", __doc__ or "")
    p.add_argument("--trials", type=positive, default=20, metavar="N", help="of each kind (default: 20)")
    p.add_argument("--out", type=Path, metavar="FILE", help="write the counts as JSON, too")
    args = p.parse_args(argv)
    return guarded(lambda: run(args))


def run(args: argparse.Namespace) -> int:
    if not hasattr(os, "fork"):
        raise UsageError("this system has no fork")
    rows = []
    for name, (threads, how) in WAYS.items():
        for computing in (0, 1, 4):
            found = Counter(trial(threads, computing, how) for _ in range(args.trials))
            counts = {outcome: found[outcome] for outcome in OUTCOMES}
            rows.append({"threads of OpenBLAS": name, "threads that multiply": computing, **counts})
            print(", ".join(f"{name}: {n}" for name, n in rows[-1].items()), flush=True)
    if args.out:
        kept = {"trials": args.trials, "numpy": version(), "rows": rows}
        args.out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 0


def trial(threads: int, computing: int, how: str) -> str:
    """Which of OUTCOMES"""
    words = [sys.executable, "-W", "ignore", "-c", TRIAL, str(computing), how]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, encoding="utf-8", start_new_session=True)
    assert process.stdout
    process.stdout.readline()  # "forks": it is there
    try:
        process.wait(SECONDS)
        hung = False
    except subprocess.TimeoutExpired:
        hung = True
        os.killpg(process.pid, 9)  # the child, too
    said, _ = process.communicate()
    if not hung and process.returncode:
        raise UsageError(f"a trial ended with status {process.returncode}")
    return OUTCOMES[0] if not hung else OUTCOMES[2 if "forked" in said else 1]


def version() -> dict[str, str]:
    """Of NumPy and of the matrix library that it was built with"""
    import numpy as np

    blas: Any = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {"version": np.__version__, "library": blas["name"], "its version": blas["version"]}


def kept() -> tuple[list[str], list[list[object]]]:
    """What was counted last, as the head and the rows of a table"""
    rows = json.loads(KEPT.read_text(encoding="utf-8"))["rows"]
    return list(rows[0]), [list(row.values()) for row in rows]


def measured() -> str:
    """How, in a sentence"""
    k = json.loads(KEPT.read_text(encoding="utf-8"))
    numpy = k["numpy"]
    return f"{k['trials']} processes of each kind, NumPy {numpy['version']}, {numpy['library']} {numpy['its version']}."


if __name__ == "__main__":
    sys.exit(entered(main))
