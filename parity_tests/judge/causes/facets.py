"""What failures share: the options, one or two together, that all of them have and no case that passed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from ..cases import Case

Value = bool | int | str | None
Facet = tuple[str, Value]
Facets = frozenset[Facet]


def attribute(name: str) -> Callable[[Case], Value]:
    """What a case says of itself under a name, or its layer; None if it says nothing."""
    return lambda case: getattr(case, name, getattr(case.spec, name, None))


# A facet is a line: its name, and what a case has there.
FACETS: dict[str, Callable[[Case], Value]] = {
    "cell": attribute("cell"),
    "variant": attribute("kind"),
    "dtype": attribute("dtype"),
    "more than one layer": lambda case: case.spec.num_layers > 1,
    "num_layers": attribute("num_layers"),
    "bidirectional": attribute("bidirectional"),
    "bias": attribute("bias"),
    "batch_first": attribute("batch_first"),
    "initial state": lambda case: "given" if case.state else "not given",
    "lengths": lambda case: "given" if case.lengths else "not given",
    "sequences of different lengths": lambda case: len(set(case.lengths or ())) > 1,
    "dropout": lambda case: bool(case.spec.dropout),
    "T > 1": lambda case: case.T > 1,
    "B > 1": lambda case: case.B > 1,
    "T > 64": lambda case: case.T > 64,
    "B > 32": lambda case: case.B > 32,
    "hidden_size > 32": lambda case: case.spec.hidden_size > 32,
    "hidden_size > 64": lambda case: case.spec.hidden_size > 64,
    "hidden_size > 128": lambda case: case.spec.hidden_size > 128,
    "input_size > hidden_size": lambda case: case.spec.input_size > case.spec.hidden_size,
    "weights": lambda case: "large" if case.gain > 1 else "usual",
    "memory not row by row": lambda case: bool(case.memory),
    "memory": attribute("memory"),
    "values": attribute("values"),
    "lengths_dtype": attribute("lengths_dtype"),
    "several calls": lambda case: bool(case.contract),
    "contract": attribute("contract"),
}
OPPOSITE = {
    "more than one layer": "one layer",
    "sequences of different lengths": "sequences of one length",
    "dropout": "no dropout",
    "T > 1": "T = 1",
    "B > 1": "B = 1",
    "memory not row by row": "memory row by row",
    "several calls": "one call",
}
# What says less, and follows: if both hold, the coarser one is enough.
COARSER: dict[str, Callable[[Value], Facet]] = {
    "variant": lambda value: ("cell", str(value).partition("-")[0]),
    "num_layers": lambda value: ("more than one layer", value != 1),
    "sequences of different lengths": lambda value: ("lengths", "given" if value else None),
    "hidden_size > 64": lambda value: ("hidden_size > 32", value),
    "hidden_size > 128": lambda value: ("hidden_size > 64", value),
    "memory": lambda value: ("memory not row by row", True),
    "contract": lambda value: ("several calls", True),
}


def facets(case: Case) -> Facets:
    return frozenset((name, value) for name, of in FACETS.items() if (value := of(case)) not in (None, ""))


def shared(failed: Iterable[Case], passed: Iterable[Case]) -> str:
    """What all failures have and no case that passed, if the cases tell it apart from all else: a facet, or a pair of them.

    A case that neither passed nor is among ``failed`` failed for another reason.
    """
    common = frozenset.intersection(*map(facets, failed))
    others = [facets(case) & common for case in passed]
    if not others:
        return ""
    for together in (1, 2):
        sets = [frozenset(some) for some in combinations(common, together)]
        found = coarsest([some for some in sets if not any(some <= other for other in others)])
        if found:
            return " together with ".join(map(phrase, sorted(found[0], key=rank))) if len(found) == 1 else ""
    return ""


def coarsest(found: Sequence[Facets]) -> list[Facets]:
    """Without those of which one facet can be replaced by a coarser one."""
    return [some for some in found if not any(coarse in found for coarse in coarsened(some))]


def coarsened(some: Facets) -> Iterator[Facets]:
    """With one facet replaced by the coarser one."""
    for name, value in some:
        if name in COARSER:
            yield some - {(name, value)} | {COARSER[name](value)}


def rank(facet: Facet) -> int:
    """Its place in the table."""
    return list(FACETS).index(facet[0])


def phrase(facet: Facet) -> str:
    """A facet as a person would say it."""
    name, value = facet
    if name in ("initial state", "lengths"):
        return f"{name} {value}"
    if isinstance(value, bool) and name not in ("bidirectional", "bias", "batch_first"):
        return name if value else OPPOSITE.get(name) or name.replace(" > ", " <= ")
    return f"{name} = {value}"
