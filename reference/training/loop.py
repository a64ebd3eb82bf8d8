"""The training loop.  torch_impl/training/loop.py is the same loop in torch; notes/training/loop.md says why.

    train(model, optimizer, batches, epochs=3, schedule=..., max_norm=1.0, validation=..., folder="run")

``batches(epoch)`` gives the batches of one pass; the same for the same epoch, so that a run can go on where it stopped.
Truncated BPTT is the model's: one that carries its state from window to window (LanguageModel) is trained by the
windows of a stream in their order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..common import checkpoint, checks
from ..common.arrays import Array
from ..common.batches import count
from ..common.run import Counters, NonFiniteError, Result, Run, last
from ..common.schedules import Schedule
from ..models.model import Model
from .clip import clip_grad_value, global_norm, scale_to_norm
from .optim import Optimizer


def train(
    model: Model,
    optimizer: Optimizer,
    batches: Callable[[int], Iterable],
    *,
    epochs: int,
    schedule: Schedule | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    clip_value: float | None = None,
    validation: Callable[[], Iterable] | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    config: dict | None = None,
    vocabulary: Sequence | None = None,
    **run_options: Any,
) -> Result:
    """Train a model.

    Parameters
    ----------
    model : reference.Model
    optimizer : of reference.training.optim, whose parameters are this model's
    batches : callable
        ``batches(epoch)``: the batches of this pass, always the same for the same epoch.
    epochs : int
        Passes in all, those before a resumption included.
    schedule : callable; optional
        The learning rate of step n, from 0; see ``schedules``.
    max_norm, norm_type, clip_value : optional
        Clipping by the global norm, by value, or by both in this order.
    validation : callable; optional
        The batches that are evaluated after each pass.
    folder : path; optional
        Where log and checkpoints go.
    resume : bool
        Go on from the folder's last checkpoint, if there is one: bit for bit as if the run had not stopped.
    config, vocabulary : optional
        What the checkpoints hold besides.
    run_options
        ``save_every``, ``steps``, ``patience``, ``progress``, ``how``: see ``common.run.Run``.

    Returns
    -------
    Result

    Raises
    ------
    TypeError
        An argument of another kind.
    ValueError
        A bound of the clipping below 0, a pass without a batch, a count out of range; save_every or resume without a
        folder, patience without validation.
    NonFiniteError
        The loss or a gradient is inf or NaN: which step, which parameter.  Checkpoints before it are kept.
    CheckpointError
        Resuming from a file that is not this run's, or a checkpoint cannot be written.
    """
    checks.has("model", model, "loss", "backward", "params", "rng"), checks.has("optimizer", optimizer, "step", "lr")
    checked(batches, schedule, validation, folder, resume, config, vocabulary)
    checks.clipping(max_norm, norm_type, clip_value)
    checks.needs(folder, validation, resume, **run_options)
    generators, counters = {"model": model.rng}, Counters()
    if resume and folder is not None and (found := last(folder)):
        saved, counters = found
        checkpoint.restore(saved, model, optimizer, generators=generators, vocabulary=vocabulary)

    def save(path: Path, now: Counters) -> None:
        if names := not_finite(model.params):
            raise NonFiniteError(f"step {now.step}: {names[0]} is not finite, so no checkpoint was written")
        checkpoint.save(path, model, optimizer, generators=generators, counters=now._asdict(), config=config, vocabulary=vocabulary)

    with Run(save, folder, counters, epochs, **run_options) as run:
        model.train()
        for epoch in run.epochs():
            for batch in run.batches(batches(epoch)):
                if schedule is not None:
                    optimizer.lr = schedule(run.counters.step)
                loss = model.loss(batch)
                model.backward()
                norm = global_norm(model.grads, norm_type)
                run.check(loss, float(norm), lambda: not_finite(model.grads))
                if max_norm is not None:
                    scale_to_norm(model.grads, max_norm, norm)
                if clip_value is not None:
                    clip_grad_value(model.grads, clip_value)
                optimizer.step(model.grads)
                run.stepped(loss, float(norm), optimizer.lr, max_norm is not None and bool(norm > max_norm))
            if not run.stopped:
                run.epoch_done(None if validation is None else evaluate(model, validation()))
    return run.result()


def checked(batches: Any, schedule: Any, validation: Any, folder: Any, resume: Any, config: Any, vocabulary: Any) -> None:
    """TypeError: an argument of ``train``, of either side, is not of the kind that it must be."""
    for name, asked in (("batches", batches), ("schedule", schedule), ("validation", validation)):
        if name == "batches" or asked is not None:
            checks.function(name, asked)
    checks.flag("resume", resume), checks.plain("config", config), checks.plain("vocabulary", vocabulary)
    if folder is not None:
        checks.place("folder", folder)


def evaluate(model: Any, batches: Iterable) -> float:
    """The mean loss of some batches, each weighted by its number of targets; nothing is changed.  The model is of either side."""
    checks.has("model", model, "loss", "training", "eval")
    if not np.iterable(batches):
        raise TypeError(f"batches must be a list, got {type(batches).__name__}")
    was_training, carried = model.training, getattr(model, "carried", None)
    model.eval()
    if hasattr(model, "carried"):
        model.carried = None
    total = terms = 0.0
    try:
        for batch in batches:
            n = count(batch)
            total += n * float(model.loss(batch))
            terms += n
    finally:
        model.train(was_training)
        if hasattr(model, "carried"):
            model.carried = carried
    if not terms:
        raise ValueError("there is no batch to evaluate")
    return total / terms


def not_finite(arrays: Mapping[str, Array]) -> list[str]:
    return [name for name, v in arrays.items() if not np.isfinite(v).all()]
