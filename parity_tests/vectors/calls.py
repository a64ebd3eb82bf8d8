"""A case as calls: what is loaded, what goes in, what is right, and in which order; or why it cannot be said in files."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ..judge.cases import Case, Data
from ..judge.contracts import calls
from ..judge.contracts.call import data_of, truth_of
from ..judge.contracts.dropout import certain
from ..judge.oracle import Truth, truth_on


class Call(NamedTuple):
    """One call of a layer."""

    name: str  # empty if it is the only one
    case: Case  # its sizes and lengths
    data: Data
    truth: Truth
    layer: str = ""  # the layer that is called; empty if there is one
    backward: bool = True  # whether gradients are asked for
    asked: bool = True  # whether anything is


class Plan(NamedTuple):
    """All calls of a case.  A step is "load LAYER", "forward CALL", "infer CALL" or "backward CALL", without empty names."""

    calls: tuple[Call, ...]
    steps: tuple[str, ...]


LEFT_OUT = {
    "thousand_forwards": "a thousand calls are compared with each other, in memory",
    "arguments_reused": "what becomes of a caller's memory does not show in files",
    "results_apart": "which arrays share memory does not show in files",
    "dropout_new_each_call": "masks that an implementation draws are judged over many calls",
    "dropout_keeps_the_mean": "masks that an implementation draws are judged over many calls",
}
MEMORY = "how arrays lie in memory does not show in files"


def left_out(case: Case) -> str:
    """Why there are no files for a case; empty if there are."""
    return MEMORY if case.memory else LEFT_OUT.get(case.contract, "")


def plan(case: Case) -> Plan:
    """The calls of a case that is not left out."""
    return CONTRACTS.get(case.contract, once)(case)


def asked(case: Case, owner: Case, name: str = "", backward: bool = True, layer: str = "") -> Call:
    """The call of a case with the weights of another."""
    return Call(name, case, data_of(case, owner), truth_of(case, owner, case.spec.dtype), layer, backward)


def once(case: Case) -> Plan:
    return Plan((asked(case, case),), ("load", "forward", "backward"))


def in_turn(case: Case, cases: list[Case]) -> Plan:
    """One layer, called again and again."""
    asks = tuple(asked(each, case, each.label) for each in cases)
    return Plan(asks, ("load", *(f"{verb} {call.name}" for call in asks for verb in ("forward", "backward"))))


def other_data(case: Case) -> Plan:
    return in_turn(case, calls.forms(case))


def other_lengths(case: Case) -> Plan:
    return in_turn(case, calls.given_lengths(case))


def two_layers(case: Case) -> Plan:
    """The backward of the first comes after the forward of the second."""
    both = [replace(case, label=label) for label in "AB"]
    asks = tuple(asked(each, each, each.label, layer=each.label) for each in both)
    return Plan(asks, tuple(f"{verb} {name}" for verb in ("load", "forward", "backward") for name in "AB"))


def last_forward(case: Case) -> Plan:
    """A forward whose backward is never asked for, and another."""
    first = asked(replace(case, T=6, label="first"), case, "first", backward=False)
    last = asked(replace(case, label="last"), case, "last")
    return Plan((first, last), ("load", "forward first", "forward last", "backward last"))


def inference(case: Case) -> Plan:
    """Inference between a forward and its backward."""
    first, other = (replace(case, label=label) for label in ("first", "other"))
    inferred = (asked(first, case, "first_inferred", backward=False), asked(other, case, "other_inferred", backward=False))
    asks = (asked(first, case, "first"), *inferred, asked(other, case, "other"))
    between = ("infer first_inferred", "infer other_inferred")
    return Plan(asks, ("load", "forward first", *between, "backward first", "forward other", "backward other"))


def without_chance(case: Case, p: int, name: str = "", backward: bool = True, asked: bool = True) -> Call:
    """A call whose dropout is 0 or 1: no masks need be given, and none drawn."""
    sure, data = certain(case, case.data(), p)
    return Call(name, case, data._replace(masks=None), truth_on(sure, data), "", backward, asked)


def dropout_not_in_evaluation(case: Case) -> Plan:
    """Inference before and after a forward in training, whose result nobody asks for."""
    names = ("before", "training", "after")
    asks = tuple(without_chance(case, 0, name, backward=False, asked=name != "training") for name in names)
    return Plan(asks, ("load", "infer before", "forward training", "infer after"))


def dropout_of_everything(case: Case) -> Plan:
    return Plan((without_chance(case, 1),), ("load", "forward", "backward"))


FUNCTIONS: tuple[Callable[[Case], Plan], ...] = (
    other_data,
    other_lengths,
    two_layers,
    last_forward,
    inference,
    dropout_not_in_evaluation,
    dropout_of_everything,
)
CONTRACTS = {f.__name__: f for f in FUNCTIONS}
