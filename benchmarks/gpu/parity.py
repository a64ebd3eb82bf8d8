"""``python -m benchmarks.gpu.parity``: the parity suite in float32, TF32 off, every way of torch on a third of the cases.

The third is chosen, always alike: every kind of cell meets every option, every contract, special value, layout and size comes
up, and the cheapest case does it.  They are run in the order in which they were chosen, so what was judged when the time
is over says the most that can be said by then.

Exit status: 0 nothing was wrong; 1 something was, or was lost; 2 there is no CUDA device.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from parity_tests.judge.cases import Case, table
from parity_tests.judge.implementations import BUILTIN, MORE
from parity_tests.judge.suite import Result, run_case
from parity_tests.judge.verdicts import place
from reference.common.command import entered, guarded
from reference.common.screen.prose import say

from .crew import Row, Setting, Task
from .rows import Rows, about, arguments, leave, names, no_device, processes, until

PART = 3
CALLS_OF = {"thousand_forwards": 400, "dropout_keeps_the_mean": 30, "dropout_new_each_call": 4}
SECONDS_EACH = 20.0


def chosen(device: str = "cpu", dtype: str = "float32") -> list[Case]:
    """A third of the cases, in the order of worth: the case with the most that is new for what it costs, until nothing single is
    new any more, then likewise by two options at a time."""
    every = table([dtype], device)
    left, out = {case.name: case for case in every}, list[Case]()
    for points in (single, pairs):
        own, known = {name: frozenset(points(case)) for name, case in left.items()}, set[tuple]()
        for case in out:
            known.update(points(case))
        while len(out) < len(every) // PART:
            case = max(left.values(), key=lambda c: (len(own[c.name] - known) / cost(c), -cost(c)))
            if own[case.name] <= known and points is single:
                break
            known |= own[case.name]
            out.append(left.pop(case.name))
    return out


def options(case: Case) -> dict[str, Any]:
    """What a layer is asked for, and how it is called."""
    names = ("num_layers", "bidirectional", "bias", "batch_first", "dropout", "packed", "state")
    return {name: getattr(case.spec, name) for name in names} | {"one": (case.T == 1, case.B == 1)}


def single(case: Case) -> Iterator[tuple]:
    """Each option, with the kind of cell; what is special in a case, with the cell; how arrays lie in memory."""
    s = case.spec
    yield from ((s.kind, *option) for option in options(case).items())
    yield from ((s.cell, name, getattr(case, name)) for name in ("contract", "values", "label"))
    yield from ((name, getattr(case, name)) for name in ("memory", "lengths_dtype"))


def pairs(case: Case) -> Iterator[tuple]:
    """Each two options, with the kind of cell; what is special, with that too."""
    yield from ((case.spec.kind, *two) for two in itertools.combinations(options(case).items(), 2))
    yield from ((case.spec.kind, name, getattr(case, name)) for name in ("contract", "values", "label", "memory"))


def cost(case: Case) -> float:
    """Roughly what it takes: the steps of all layers and directions, one after the other, and the arithmetic."""
    s = case.spec
    steps = case.T * s.num_layers * (1 + s.bidirectional)
    work = steps * case.B * s.hidden_size * (s.hidden_size + s.input_size)
    return 20 + steps * CALLS_OF.get(case.contract, 1) + work / 1e4


def work(name: str, case: Case) -> Row:
    """The row of one way on one case."""
    return row_of(run_case((BUILTIN | MORE)[name], case))


def row_of(result: Result) -> Row:
    """What became of a case; of what is wrong, everything that helps to find it."""
    status = {"passed": "ok"}.get(result.status, result.status)
    D, worst = 1 + result.case.spec.bidirectional, result.worst
    wrong = [f"{v.tensor}: {v.why} {v.detail} error {v.error}, allowed {v.allowed}, {place(v, D)}" for v in result.wrong]
    return {
        "status": status,
        "reason": result.declined or "; ".join(wrong)[:1500],
        "diagnosis": result.diagnosis,
        "parity": worst.ratio if worst and worst.ratio < float("inf") else None,
        "seconds": round(result.seconds, 4),
    }


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments("parity", __doc__).parse_args(argv)
    return no_device(args.device) or guarded(lambda: run(args), args.out)


def run(args: argparse.Namespace) -> int:
    """Every way on a case, then on the next, so that what is right is computed once."""
    ways, cases = names(args), chosen(args.device)
    groups = [
        [Task({"implementation": n, "case": c.name, "kind": c.spec.kind, "dtype": c.spec.dtype}, (n, c)) for n in ways]
        for c in cases
    ]
    rows = Rows(args.out, "parity", ("implementation", "case", "dtype"), about())
    setting = Setting(work, args.device, processes(args.device), SECONDS_EACH, until(args.seconds))
    status = rows.judge(groups, setting)
    show(rows.content["rows"])
    return status


def show(rows: Sequence[Row]) -> None:
    """For each implementation how many cases were right, and the largest error over allowed."""
    for name in dict.fromkeys(row["implementation"] for row in rows):
        own = [row for row in rows if row["implementation"] == name]
        right = [row["parity"] or 0.0 for row in own if row["status"] == "ok"]
        declined = sum(row["status"] == "declined" for row in own)
        worst = f", parity {max(right):.2f}" if right else ""
        say(f"{name}: {len(right)} of {len(own) - declined} right{worst}, {declined} declined")


if __name__ == "__main__":
    leave(entered(main))
