"""Putting a checkpoint into a model, its optimiser and its generators: all or nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Array, as_array
from .content import Checkpoint, Stateful
from .file import CheckpointError
from .schema import short, shown

MISFITS = (RuntimeError, ValueError, KeyError, TypeError, OverflowError)  # how a state says that it does not fit


def restore(
    checkpoint: Checkpoint,
    model: Stateful,
    optimizer: Stateful | None = None,
    *,
    generators: Mapping[str, np.random.Generator] | None = None,
    vocabulary: Sequence | None = None,
    weight: Callable[[Array], Any] = np.asarray,
) -> None:
    """Put a checkpoint into a model and, if given, its optimiser and generators.  All or nothing.

    ``weight`` makes of an array what ``model.load_state_dict`` takes.

    CheckpointError: it is of another model, other sizes, another dtype, vocabulary or optimiser, or lacks a generator; a
    number in it is not finite, or a state none that its object can have.
    """
    check(checkpoint, model, optimizer, generators or {}, vocabulary)
    weights = {k: weight(v) for k, v in checkpoint.weights.items()}
    if optimizer is not None:
        try:
            optimizer.load_state_dict(checkpoint.optimizer)  # which for one of another kind is all the check there is
        except MISFITS as e:
            raise CheckpointError(f"{checkpoint.place}: its optimiser does not fit: {e}") from e
    model.load_state_dict(weights)
    for name, generator in (generators or {}).items():
        generator.bit_generator.state = checkpoint.generators[name]
    if hasattr(model, "load_carried_state"):
        model.load_carried_state(checkpoint.carried)


def check(
    checkpoint: Checkpoint,
    model: Stateful,
    optimizer: Stateful | None,
    generators: Mapping[str, np.random.Generator],
    vocabulary: Sequence | None,
) -> None:
    """CheckpointError, with the reason, if something does not fit.  Nothing is changed."""
    kind, place = type(model).__name__, checkpoint.place
    if checkpoint.model != kind:
        raise CheckpointError(f"{place} is of a {shown(checkpoint.model)}, not of a {kind}")
    if vocabulary is not None and checkpoint.vocabulary != list(vocabulary):
        raise CheckpointError(f"{place}: {vocabularies(checkpoint.vocabulary, list(vocabulary))}")
    check_weights(checkpoint, {k: as_array(v) for k, v in model.state_dict().items()})
    saved = checkpoint.optimizer["name"] if checkpoint.optimizer else "no optimiser"
    if optimizer is not None and saved != type(optimizer).__name__:
        raise CheckpointError(f"{place} has the state of {shown(saved)}, not of {type(optimizer).__name__}")
    for what, owner, test, state in (
        ("optimiser", optimizer, "checked", checkpoint.optimizer),
        ("carried state", model, "checked_carried", checkpoint.carried),
    ):
        if hasattr(owner, test):
            try:
                getattr(owner, test)(state)
            except MISFITS as e:
                raise CheckpointError(f"{place}: its {what} does not fit: {e}") from e
    for what, arrays in (("carried", checkpoint.carried), *(checkpoint.optimizer or {}).get("state", {}).items()):
        for name, v in arrays.items():
            if name != "step" and (np.isnan(v).any() or (what == "carried" and not np.isfinite(v).all())):
                raise CheckpointError(f"{place}: {name} of {short(what)} has a number that is not finite")
    if checkpoint.carried and not hasattr(model, "load_carried_state"):
        raise CheckpointError(f"{place} has a carried state, and a {kind} has none")
    for name, generator in generators.items():
        if name not in checkpoint.generators:
            raise CheckpointError(f"{place} has no generator {name}")
        check_generator(f"{place}: its generator {name} does not fit", checkpoint.generators[name], generator)


def check_weights(checkpoint: Checkpoint, own: Mapping[str, Array]) -> None:
    """CheckpointError: other names, shapes or dtypes, or a number that is not finite."""
    place, there = checkpoint.place, checkpoint.weights
    for what, names in (("lacks", own.keys() - there.keys()), ("has", there.keys() - own.keys())):
        if names:
            raise CheckpointError(f"{place} is of another {shown(checkpoint.model)}: it {what} {shown(', '.join(sorted(names)))}")
    for k, here in own.items():
        if there[k].shape != here.shape:
            raise CheckpointError(
                f"{place} is of another {shown(checkpoint.model)}: {k} has shape {there[k].shape} there, {here.shape} here"
            )
        if there[k].dtype != here.dtype:
            raise CheckpointError(f"{place} is in {there[k].dtype}, the model in {here.dtype}: {k}")
        if not np.isfinite(there[k]).all():
            raise CheckpointError(f"{place}: {k} has a number that is not finite")


def check_generator(sentence: str, state: Mapping[str, Any], generator: np.random.Generator) -> None:
    """CheckpointError: the state is none of its bit generator."""
    trial = type(generator.bit_generator)()
    try:
        trial.state = state
        same = trial.state == state
    except MISFITS as e:
        raise CheckpointError(f"{sentence}: {e}") from e
    if not same:
        raise CheckpointError(f"{sentence}: {short(state)} is no state of a {type(generator.bit_generator).__name__}")


def vocabularies(saved: list | None, own: list) -> str:
    if saved is None:
        return "it has no vocabulary"
    if len(saved) != len(own):
        return f"its vocabulary has {len(saved)} entries, not {len(own)}"
    k = next(k for k, pair in enumerate(zip(saved, own, strict=True)) if pair[0] != pair[1])
    return f"its vocabulary is another: entry {k} is {short(saved[k])} there, {short(own[k])} here"
