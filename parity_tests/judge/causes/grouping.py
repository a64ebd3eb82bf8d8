"""The failures of one implementation, grouped by cause: each cause with how many cases it has, which, and one of them.

A cause is what was raised or came instead of numbers; an equation of one of our own rooms; a misreading of the definition that
gives just what was returned; a precision that is too low; or, of what nothing explains, the first tensor that is wrong.  A case
can have several.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..cases import KINDS, Case
from ..tolerance import NUMBERS, Verdict
from .facets import shared
from .search import Explanation, size

INSTEAD = {
    "raised": "raises {detail}",
    "shape": "{tensor} has the wrong shape: {detail}",
    "dtype": "{tensor} has the wrong dtype: {detail}",
    "missing": "{tensor} {detail}",
    "unexpected": "{tensor} {detail}",
    "changed": "{tensor} {detail}",
    "shared": "{tensor} {detail}",
    "dropout": "{tensor} {detail}",
    "padding": "{tensor} {detail}",
}
# By how much a rounding of float32 is larger than one of float64; a number wrong by less than a ten-thousandth of what is allowed
# in float32 is not taken for one that was computed in it.
TO_FLOAT32 = float(np.finfo("float32").eps / np.finfo("float64").eps)
LEAST = 1e-4
FAMILY = {"dweight": "the weights' gradients", "dbias": "the biases' gradients"}


class Failed(Protocol):
    """What a cause is looked for in: a Result."""

    @property
    def case(self) -> Case: ...
    @property
    def wrong(self) -> list[Verdict]: ...
    @property
    def diagnosis(self) -> str: ...
    @property
    def explained(self) -> tuple[Explanation, ...]: ...


class Cause(NamedTuple):
    """What makes some cases fail."""

    sort: str  # "error", "behaviour", "equation", "misreading", "contract", "precision", "several calls", "unexplained"
    about: str  # the same for all its cases
    text: str  # a sentence, with the numbers of the first case


EXACT_TO_FLOAT32 = Cause("precision", "", "float64 is given, and what is returned is exact to float32 only")
AS_ALONE = Cause("several calls", "", "cases of several calls, in which the first one is wrong already")
LAST = ("unexplained", "several calls")
FIRST = ("", "call 1", "first forward", "layer A")


def grouped(failed: Sequence[Failed], passed: Sequence[Case]) -> list[dict[str, Any]]:
    """Every cause, the one with most cases first, and at the end what nothing explains."""
    groups: dict[tuple[str, str], list[tuple[Failed, Cause]]] = {}
    chosen = fewest(r.explained for r in failed)
    single = {r.case.spec.kind for r in failed if not r.case.contract}
    for r in failed:
        found = [AS_ALONE] if as_alone(r, single) else causes_of(r, chosen)
        for cause in found:
            groups.setdefault((cause.sort, cause.about), []).append((r, cause))
    everything = [described(group, passed) for group in groups.values()]
    return sorted(everything, key=lambda c: (c["sort"] in LAST, -len(c["of"])))


def as_alone(r: Failed, single: set[str]) -> bool:
    """Whether a contract over several calls fails at its first one, in a cell of which a call by itself is wrong too."""
    numbers = all(v.why in NUMBERS for v in r.wrong)
    return bool(r.case.contract) and numbers and r.case.spec.kind in single and r.wrong[0].tensor.partition(", ")[2] in FIRST


def described(group: Sequence[tuple[Failed, Cause]], passed: Sequence[Case]) -> dict[str, Any]:
    """A cause as a report has it: what its cases share is said against those of the same cells; ``of`` are the failures."""
    smallest, cause = min(group, key=lambda member: (size(member[0].case), member[0].case.name))
    cases = [r.case for r, _ in group]
    kinds = [kind for kind in KINDS if any(case.spec.kind == kind for case in cases)]
    return {
        "sort": cause.sort,
        "text": cause.text,
        "cases": len(group),
        "kinds": kinds,
        "shared": shared(cases, [case for case in passed if case.spec.kind in kinds]),
        "example": {"case": smallest.case.name, "dtype": smallest.case.spec.dtype},
        "of": [r for r, _ in group],
    }


def causes_of(r: Failed, chosen: Sequence[str]) -> list[Cause]:
    """Why one case failed."""
    found = instead_of_numbers(r.wrong)
    numbers = [v for v in r.wrong if v.why in NUMBERS]
    if ".py" in r.diagnosis and not r.explained:
        return [*found, Cause("equation", r.diagnosis, f"First to go wrong: {r.diagnosis}")]
    if explained := {e.misreading: e for e in r.explained}:
        sentence = next((s for s in chosen if s in explained), "")
        found.append(Cause("misreading", sentence, str(explained[sentence])))
    elif numbers and r.case.spec.dtype == "float64" and all(map(as_in_float32, numbers)):
        found.append(EXACT_TO_FLOAT32)
    elif numbers:
        found.append(broken(r.case.contract, numbers[0]) if r.case.contract else unexplained(numbers[0]))
    return found


def as_in_float32(v: Verdict) -> bool:
    """Whether a number of float64 is as wrong as float32 may be."""
    return v.why == "number" and LEAST * TO_FLOAT32 < v.ratio <= TO_FLOAT32


def fewest(explained: Iterable[tuple[Explanation, ...]]) -> list[str]:
    """Few misreadings that explain all cases that any explains: always the one that explains most of the rest."""
    left = [{e.misreading for e in es} for es in explained if es]
    chosen = []
    while left:
        best = Counter(sentence for sentences in left for sentence in sorted(sentences)).most_common(1)[0][0]
        chosen.append(best)
        left = [sentences for sentences in left if best not in sentences]
    return chosen


def instead_of_numbers(wrong: Iterable[Verdict]) -> list[Cause]:
    """What was raised, or came instead of numbers: one cause for each sort of it."""
    by_why: dict[str, list[Verdict]] = {}
    for v in wrong:
        if v.why not in NUMBERS:
            by_why.setdefault(v.why, []).append(v)
    return [instead(verdicts) for verdicts in by_why.values()]


def instead(verdicts: Sequence[Verdict]) -> Cause:
    """One cause for all tensors of which the same is to be said."""
    first = verdicts[0]
    text = INSTEAD.get(first.why, "{why}: {detail}").format(**first._asdict())
    if re.match(r"raises (forward|infer|backward) must return", text):  # what was raised is ours
        text = text.removeprefix("raises ")
    about = " ".join([first.why, family(first.tensor), normal(first.detail)])
    return Cause("behaviour" if first.why in ("changed", "shared", "dropout", "padding") else "error", about, text)


def broken(contract: str, v: Verdict) -> Cause:
    """A contract over several calls that is not kept."""
    return Cause("contract", contract, f"contract {contract}: {v.tensor} is {'wrong' if v.why == 'number' else 'not finite'}")


def unexplained(v: Verdict) -> Cause:
    """The first wrong tensor of a case that nothing explains."""
    stem, _, call = v.tensor.partition(", ")
    tensor = family(stem)
    what = "wrong" if v.why == "number" else v.detail.removeprefix("is ") if v.detail.startswith("is ") else "not finite"
    if call:
        return Cause("unexplained", f"{v.why} {call}", f"a second call with the same arguments gives another {stem}")
    text = f"{tensor} {'are' if tensor.endswith('gradients') else 'is'} {what}, why is not known"
    return Cause("unexplained", f"{v.why} {tensor}", text)


def family(tensor: str) -> str:
    """A tensor without the layer and direction."""
    return next((name for start, name in FAMILY.items() if tensor.startswith(start)), tensor)


def normal(detail: str) -> str:
    """A message without its numbers, shapes and addresses; but where it was raised stays."""
    place = "".join(re.findall(r" \([^()]*, line \d+\)$", detail))
    message = detail.removesuffix(place)
    message = re.sub(r"0x[0-9a-fA-F]+|-?\d+(\.\d+)?(e[+-]?\d+)?", "n", message)
    return re.sub(r"[(\[](n(, ?n)*,?)?[)\]]", "(n)", message) + place
