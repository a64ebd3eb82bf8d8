"""``python -m benchmarks tricks``: the factor that each trick of reference/fast/ gives.

A trick is left out by a change to the text of a copy of ``reference`` (as a fault is put in, parity_tests/mutation/faults.py).  The
copy is judged as any implementation is, then timed in turns with the whole.  The file that is written is a result file.

Exit status: as ``python -m benchmarks run``.  What was measured before Ctrl-C is in the file.
"""

import sys
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track

from parity_tests.judge.implementations import BUILTIN, Implementation, numpy_implementation
from parity_tests.judge.terminal import console
from parity_tests.mutation.patching import CONDITION, copied

from . import study
from .report.tables import parts, times
from .run import clock, grouping, limits, machine, results
from .what.config import PHASES, Config
from .what.presets import CELLS, square

USAGE_ERROR, INTERRUPTED = 2, 130
WHOLE = "numpy.fast"
ALONE = ((100, 1, 128), (1000, 1, 64))
TOGETHER = ((50, 16, 64), (100, 32, 128), (100, 64, 256))
LARGE = ((25, 64, 1024),)
FOLDER = Path(results.__file__).parent / "results" / "tricks"

Change = tuple[str, str, str]  # (file of ``reference``, text that stands there, what stands there without the trick)


class Trick(NamedTuple):
    """What is left out, where it can show, and how."""

    name: str
    cells: tuple[str, ...]
    phases: tuple[str, ...]
    sizes: tuple[tuple[int, int, int], ...]
    changes: tuple[Change, ...]


BOTH, TRAIN, FORWARD = PHASES, ("train",), ("forward",)
TRICKS = (
    Trick("memory is used again", CELLS, BOTH, ALONE + TOGETHER + LARGE, (
        ("common/memory.py", "SMALL = 1 << 15", "SMALL = 1 << 62"),)),
    Trick("tiles and threads", CELLS, BOTH, TOGETHER[1:] + LARGE, (
        ("fast/parts.py", f"PARTED = {CONDITION}", "PARTED = False"),)),
    Trick("threads", CELLS, BOTH, TOGETHER[2:] + LARGE, (("fast/parts.py", "min(n, processors())", "1"),)),
    Trick("tiles filled 64 rows at a time", ("lstm",), TRAIN, TOGETHER[1:] + LARGE, (
        ("fast/tiles.py", "LINES = 64 ", "LINES = 1 << 30 "),)),
    Trick("weights turned round in one pass, some rows at a time", CELLS, TRAIN, ALONE + TOGETHER[:1], (
        ("fast/weights.py", "    out = empty((I, width * len(order)), W.dtype)\n",
         "    return np.ascontiguousarray(folded(W, given, order, negated).T)\n"),)),
    Trick("one sequence has no batch axis", ("rnn",), BOTH, ALONE, (
        ("fast/rnn.py", "() if b == 1 else (b,)", "(b,)"),)),
    Trick("one sequence has no batch axis", ("lstm", "gru"), TRAIN, ALONE, tuple(
        change for file in ("fast/lstm.py", "fast/gru.py") for change in (
            (file, "() if b == 1 else (b,)", "(b,)"),
            (file, "() if dy.shape[1] == 1 else (dy.shape[1],)", "(dy.shape[1],)")))),
    Trick("vector times matrix by ndarray.dot", CELLS, TRAIN, ALONE, (
        ("fast/tiles.py", "np.matmul if out.ndim > 1 else np.ndarray.dot", "np.matmul"),)),
    Trick("input product of all steps at once", ("rnn",), BOTH, ALONE + TOGETHER, (
        ("fast/rnn.py", "    np.matmul(rows(x), w.p.W_ih.T, rows(h[1:])) ",
         "    for u, v in zip(x, h[1:]): np.matmul(u, w.p.W_ih.T, v) "),)),
    Trick("input product of a chunk of steps, not of one", ("lstm", "gru"), TRAIN, TOGETHER, (
        ("fast/lstm.py", "ROWS = 1024 ", "ROWS = 1 "),)),
    Trick("input product of a chunk of steps, not of all", ("lstm", "gru"), TRAIN, TOGETHER, (
        ("fast/lstm.py", "ROWS = 1024 ", "ROWS = 1 << 30 "),)),
    Trick("input product of many steps, not of one", ("lstm", "gru"), FORWARD, TOGETHER, (
        ("fast/inference.py", "ROWS = 1 << 13 ", "ROWS = 1 "),)),
    Trick("input product of many steps, not of 256 rows", ("lstm", "gru"), FORWARD, TOGETHER + LARGE, (
        ("fast/inference.py", "ROWS = 1 << 13 ", "ROWS = 256 "),)),
    Trick("a step writes in place", ("rnn",), BOTH, ALONE + TOGETHER[:2], (
        ("fast/rnn.py", "times(before, W, at)", "z = before @ W"),
        ("fast/rnn.py", "np.add(z, after, z) ", "z = z + after "),
        ("fast/rnn.py", "np.tanh(z, after) ", "after[...] = np.tanh(z) "))),
    Trick("slopes before the loop, not in it", ("rnn",), TRAIN, ALONE + TOGETHER, (
        ("fast/rnn.py", "        np.multiply(h, h, da)\n        np.subtract(1, da, da)\n    else",
         "        pass\n    else"),
        ("fast/rnn.py", "        np.multiply(d, through, d) ",
         "        if nonlinearity == 'tanh':\n            u = h[t].reshape(d.shape)\n"
         "            np.multiply(u, u, d)\n            np.subtract(1, d, d)\n        np.multiply(d, through, d) "))),
    Trick("derivatives of a chunk of steps, not of one", ("lstm", "gru"), TRAIN, ALONE + TOGETHER, (
        ("fast/lstm.py", "STEPS, CELLS = 32, 1 << 16 ", "STEPS, CELLS = 1, 1 "),)),
    Trick("derivatives of a chunk of steps, not of all", ("lstm", "gru"), TRAIN, ALONE + TOGETHER, (
        ("fast/lstm.py", "STEPS, CELLS = 32, 1 << 16 ", "STEPS, CELLS = 1 << 40, 1 << 40 "),)),
    Trick("minus of the sigmoid in the weights", ("lstm", "gru"), TRAIN, ALONE + TOGETHER, (
        ("fast/weights.py", "-1.0 if gate in negated else 1.0", "1.0"),
        ("fast/lstm.py", "np.exp(sigmoids_of_z, sigmoids)", "np.exp(np.negative(sigmoids_of_z, sigmoids), sigmoids)"),
        ("fast/gru.py", "np.exp(rz, rz)", "np.exp(np.negative(rz, rz), rz)"))),
    Trick("divided by 1 / σ, not multiplied by σ", ("lstm", "gru"), TRAIN, ALONE + TOGETHER, (
        ("fast/lstm.py", "np.add(sigmoids, one, sigmoids) ", "np.divide(one, np.add(sigmoids, one, sigmoids), sigmoids) "),
        ("fast/lstm.py", "np.divide(cg, fi, two)", "np.multiply(cg, fi, two)"),
        ("fast/lstm.py", "np.divide(m, o, after) ", "np.multiply(m, o, after) "),
        ("fast/lstm.py", "    np.reciprocal(blocks[2:4, start:end], M[:2]) ", "    M[:2] = blocks[2:4, start:end] "),
        ("fast/lstm.py", "    np.reciprocal(blocks[4, start:end], k2) ", "    k2[...] = blocks[4, start:end] "),
        ("fast/gru.py", "np.add(rz, one, rz) ", "np.divide(one, np.add(rz, one, rz), rz) "),
        ("fast/gru.py", "np.divide(q, r, n)", "np.multiply(q, r, n)"),
        ("fast/gru.py", "np.divide(after, z_t, after)", "np.multiply(after, z_t, after)"),
        ("fast/gru.py", "    np.reciprocal(blocks[0, start:end], r)\n", "    r[...] = blocks[0, start:end]\n"),
        ("fast/gru.py", "    np.reciprocal(blocks[1, start:end], z)\n", "    z[...] = blocks[1, start:end]\n"))),
    Trick("neighbouring gates share a call", ("lstm",), TRAIN, ALONE + TOGETHER, (
        ("fast/lstm.py", "            np.divide(cg, fi, two)", "            np.divide(cg[0], fi[0], c_part)\n"
         "            np.divide(cg[1], fi[1], g_part)"),)),
    Trick("a step works in one record, whose views are made once", ("lstm",), TRAIN, ALONE + TOGETHER + LARGE, (
        ("fast/lstm.py", "            times(before, W, at)\n            np.add(z, a_x, z)", "            kept[0] = c\n"
         "            g, sigmoids, cg, fi, o = kept[1], kept[2:], kept[:2], kept[2:4], kept[4]\n"
         "            times(before, W, at)\n            np.add(z, a_x, z)"),
        ("fast/lstm.py", "            kept[...] = record\n", ""))),
    Trick("what several blocks are multiplied by is copied to each", ("lstm", "gru"), TRAIN, ALONE + TOGETHER[:1], (
        ("fast/lstm.py", "FEW = 1 << 11 ", "FEW = 0 "),)),
    Trick("that, up to 2048 numbers in a block", ("lstm", "gru"), TRAIN, TOGETHER[1:], (
        ("fast/lstm.py", "FEW = 1 << 11 ", "FEW = 1 << 60 "),)),
    Trick("a constant is an array without an axis", ("lstm", "gru"), BOTH, ALONE + TOGETHER[:1], (
        ("fast/lstm.py", "np.array(1, dtype)", "dtype.type(1)"),
        ("fast/gru.py", "np.array(1, dtype)", "dtype.type(1)"),
        ("fast/inference.py", "np.array(1, x.dtype)", "x.dtype.type(1)"))),
    Trick("n + z ∘ (h - n)", ("gru",), TRAIN, ALONE + TOGETHER, (
        ("fast/gru.py", "    before = state[0]\n", "    before, spare = state[0], empty((*lead, H), dtype)\n"),
        ("fast/gru.py", "            np.subtract(before, n, after)\n            np.divide(after, z_t, after)\n",
         "            np.divide(n, z_t, after)\n            np.subtract(n, after, after)\n"
         "            np.divide(before, z_t, spare)\n"),
        ("fast/gru.py", "np.add(after, n, after) ", "np.add(after, spare, after) "))),
    Trick("deltas as n r z q, no copy", ("gru",), TRAIN, ALONE + TOGETHER, (
        ("fast/gru.py", "times(D_rzq[t], W, at) ", "times(np.ascontiguousarray(D_rzq[t]), W, at) "),
        ("fast/gru.py", "np.matmul(A[:, : 3 * H],", "np.matmul(np.ascontiguousarray(A[:, : 3 * H]),"),
        ("fast/gru.py", "dW_hh = A[:, H:].T", "dW_hh = np.ascontiguousarray(A[:, H:]).T"))),
    Trick("the recurrent bias is a column of the weights", ("lstm",), FORWARD, TOGETHER, (
        ("fast/inference.py", "    M = folded(W, *fold, columns=1)\n    M[:, W.shape[1] :] = b\n    return M",
         "    return folded(W, *fold)"),
        ("fast/inference.py", "if B == 1 or inside:", "if True:"),
        ("fast/inference.py", "state.reshape(K, B)", "state[: K * B].reshape(K, B)"))),
    Trick("an inference of its own: one record, feature-major", ("lstm", "gru"), FORWARD, ALONE + TOGETHER, (
        ("fast/packed.py", 'if hasattr(room, "infer") and', "if False and"),)),
)


@cache
def variant(trick: Trick) -> ModuleType:
    """A copy of ``reference`` without a trick.

    Raises
    ------
    LookupError
        What the trick's changes replace is not there: the list must follow the code.
    """
    def rewrite(file: str, text: str) -> str:
        for where, old, new in trick.changes:
            if where == file:
                if old not in text:
                    raise LookupError(f"trick {trick.name!r}: {file} must contain {old!r}")
                text = text.replace(old, new)
        return text

    return copied(f"reference_without_{zlib.crc32(repr(trick).encode())}", rewrite)


def implementations(config: Config, phase: str) -> list[Implementation]:
    """The whole, and what there is without each of the tricks that show on this case."""
    size = (config.T, config.B, config.hidden_size)
    return [BUILTIN[WHOLE], *(numpy_implementation(trick.name, variant(trick), "fast") for trick in TRICKS
                              if config.cell in trick.cells and phase in trick.phases and size in trick.sizes)]


def jobs(cells: Sequence[str], phases: Sequence[str]) -> list[tuple[Config, str]]:
    return [(square(cell, *size), phase) for cell in cells for phase in phases for size in ALONE + TOGETHER + LARGE]


def main(argv: Sequence[str] | None = None) -> int:
    args, error = study.parser("tricks", __doc__, 0.4, "variant and case").parse_args(argv), console(stderr=True)
    found = results.new("tricks", study.command("tricks", args), machine.machine(), machine.environment())
    found["limits"] = {"cpu": limits.measure("cpu", ["float32", "float64"])}
    setting = grouping.Setting(found["limits"], clock.Plan(seconds=args.seconds, rounds=4))
    try:
        results.write(args.out, found)
        for config, phase in track(jobs(args.cell or CELLS, args.phase or PHASES), "tricks", console=error, transient=True):
            found["rows"] += grouping.group(config, phase, implementations(config, phase), setting)
            results.write(args.out, found)
    except OSError as e:
        error.print(f"error: {e}", style="bold red", markup=False, soft_wrap=True)
        return USAGE_ERROR
    except KeyboardInterrupt:
        error.print(f"interrupted; {args.out} has what was measured", markup=False)
        return INTERRUPTED
    print(*section(args.out.stem, found), sep="\n")
    bad = [r for r in found["rows"] if r["status"] != "ok"]
    for r in bad:
        error.print(f"{r['implementation']}, {r['case']['cell']} {r['phase']}: {r['status']}: {r['reason']}", markup=False)
    return int(bool(bad))


class Factor(NamedTuple):
    """Time without over time with: median and quartiles over all pairs of a call without and a call with."""

    median: float
    q1: float
    q3: float

    @property
    def text(self) -> str:
        return f"**{times(self.median)}** ({self.q1:.2f} – {self.q3:.2f})"


def factor(without: Sequence[float], whole: Sequence[float]) -> Factor:
    q1, median, q3 = np.percentile(np.divide.outer(np.array(without), np.array(whole)), (25, 50, 75))
    return Factor(float(median), float(q1), float(q3))


def table() -> str:
    """The part of the note: what the files in benchmarks/results/tricks say."""
    files = [(path.stem, results.read(path)) for path in sorted(FOLDER.glob("*.json"))]
    return "\n".join(line for name, found in files for line in section(name, found)) or "No machine has been measured yet."


def section(name: str, found: Mapping[str, Any]) -> list[str]:
    """One machine: tricks by sizes."""
    timed = {(r["case"]["cell"], r["phase"], " ".join(parts(r["case"])), r["implementation"]): r["seconds"]["samples"]
             for r in found["rows"] if r["status"] == "ok"}
    sizes = list(dict.fromkeys(size for *_, size, _ in timed))
    lines = [f"**{study.place(name, found)}**: `{found['command']}`", "",
             f"| left out | cell | phase | {' | '.join(sizes)} |", f"|---|---|---|{'--:|' * len(sizes)}"]
    keys = dict.fromkeys((trick, cell, phase) for cell, phase, _, trick in timed if trick != WHOLE)
    order = {trick.name: i for i, trick in reversed(list(enumerate(TRICKS)))}
    for trick, cell, phase in sorted(keys, key=lambda key: (order.get(key[0], len(order)), CELLS.index(key[1]), key[2])):
        cells = [factor(timed[cell, phase, size, trick], timed[cell, phase, size, WHOLE]).text
                 if {(cell, phase, size, trick), (cell, phase, size, WHOLE)} <= timed.keys() else "–" for size in sizes]
        lines.append(f"| {trick} | {cell} | {phase} | {' | '.join(cells)} |")
    return [*lines, ""]


if __name__ == "__main__":
    sys.exit(main())
