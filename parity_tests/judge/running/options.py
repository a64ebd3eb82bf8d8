"""The options that ``python -m parity_tests`` and pytest have alike, and what they choose: cases, and who is judged."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import torch

from torch_impl.cells.adapters import ADAPTERS, MORE
from torch_impl.common.precision import allow_tf32

from ..cases import TIERS, Case, table
from ..implementations import BUILTIN, Implementation, chosen
from .expected import Entry, read

DTYPES = ("float32", "float64", "float16", "bfloat16")
USUAL_DTYPES = DTYPES[:2]  # the others only when asked for


class Chosen(NamedTuple):
    """What a run is about."""

    cases: list[Case]
    left_out: str  # a sentence on cases of a higher tier, if there are any
    expected: list[Entry]  # failures that are known


def add(option: Callable[..., Any]) -> None:
    """``option`` is ``add_argument`` of an argparse parser, or ``addoption`` of one of pytest's."""
    impl = f"a module with load(spec, weights), or one of {', '.join(BUILTIN)}; may be repeated "
    option("--impl", action="append", metavar="NAME", help=impl + "(default: all built in that run on the device)")
    option("--device", default="cpu", help="as torch or the adapter calls it, as cuda:1 (default: cpu)")
    add_cases(option)
    xfails = "failures that are known, a line each: GLOB [DTYPE]  # reason; one that passes fails the run"
    option("--xfails-file", type=Path, metavar="FILE", help=xfails)


def add_cases(option: Callable[..., Any]) -> None:
    """Those that choose cases."""
    option("--dtype", action="append", choices=DTYPES, help="may be repeated (default: float32 and float64)")
    cases = "only cases whose name matches, as 'lstm-*'; may be repeated"
    option("--cases", action="append", default=[], metavar="GLOB", help=cases)
    option("--exclude", action="append", default=[], metavar="GLOB", help="no cases whose name matches; may be repeated")
    option("--tier", type=int, choices=TIERS, default=TIERS[0], help="the cases of this tier and those below (default: 1)")


def choose(args: argparse.Namespace) -> Chosen:
    """The cases, and which of them are known to fail.

    ValueError: there is no such case, or --xfails-file cannot be read or is not right.
    """
    dtypes = list(dict.fromkeys(args.dtype or USUAL_DTYPES))
    every = table(dtypes, args.device, TIERS[-1])
    names = {case.name for case in every}
    for option, globs in (("--cases", args.cases), ("--exclude", args.exclude)):
        if lost := [glob for glob in globs if not matches(names, glob)]:
            raise ValueError(f"{option}: no case is named {lost[0]!r}; python -m parity_tests --list shows the names")
    wanted = [c for c in every if named(c, args.cases or ["*"]) and not named(c, args.exclude)]
    cases = [c for c in wanted if c.tier <= args.tier]
    left_out = higher(len(wanted) - len(cases), args.tier)
    if not cases:
        raise ValueError(left_out or "--cases and --exclude leave no case")
    expected = read(args.xfails_file, DTYPES) if args.xfails_file else []
    if unknown := [e for e in expected if not matches(names, e.glob)]:
        raise ValueError(f"--xfails-file: no case is named {unknown[0].glob!r} ({args.xfails_file}, line {unknown[0].line})")
    return Chosen(cases, left_out, expected)


def matches(names: Iterable[str], glob: str) -> bool:
    return any(fnmatchcase(name, glob) for name in names)


def named(case: Case, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(case.name, glob) for glob in globs)


def higher(count: int, tier: int) -> str:
    """A sentence on the cases above a tier; nothing if there are none."""
    if not count:
        return ""
    cases = "1 case of tier {0} was" if count == 1 else f"{count} cases of tier {{0}} were"
    return f"{cases} left out: --tier {{0}} runs {'it' if count == 1 else 'them'}".format(tier + 1)


def implementations(args: argparse.Namespace) -> list[Implementation]:
    """Who is judged.  ValueError: an implementation cannot be loaded, or torch is judged on a device that it has not got."""
    judged = chosen(list(dict.fromkeys(args.impl or ())), args.device)
    if any(i.name in ADAPTERS or i.name in MORE for i in judged):
        try:
            torch.empty(1, device=args.device)
        except (RuntimeError, AssertionError) as e:
            raise ValueError(f"--device {args.device}: torch cannot use it here: {str(e).splitlines()[0]}") from None
    exact(args.device)
    return judged


def exact(device: str) -> None:
    """Products in full precision, in each process that judges."""
    if device.startswith("cuda"):
        allow_tf32(False)
