"""The training loop of reference/training/loop.py in PyTorch: same log, checkpoints, answers.  notes/training/loop.md"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reference.common import checks
from reference.common.run import Counters, NonFiniteError, Result, Run, last
from reference.common.schedules import Schedule
from reference.training import loop

from ..common import checkpoint
from ..models.model import Model
from .clip import clip_grad_value, global_norm, scale_to_norm
from .data_parallel import DataParallel, any_of, gather, generator_name, inner, place, take
from .optim import Optimizer


def train(
    model: Model | DataParallel,
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
    """Train a model of torch_impl with an optimiser of torch_impl.training.optim; all else as in reference.training.loop.train.

    The model may be a data_parallel.DataParallel: every process calls this, with the same arguments.
    """
    checks.has("model", model, "loss", "named_parameters"), checks.has("optimizer", optimizer, "step", "lr")
    loop.checked(batches, schedule, validation, folder, resume, config, vocabulary)
    checks.clipping(max_norm, norm_type, clip_value)
    checks.needs(folder, validation, resume, **run_options)
    own, (rank, _) = inner(model), place(model)
    params, counters = dict(own.named_parameters()), Counters()
    if resume and folder is not None and (found := last(folder)):
        saved, counters = found
        checkpoint.restore(saved, own, optimizer, generators={generator_name(model, rank): own.rng}, vocabulary=vocabulary)
        take(model, saved.carried)

    def save(path: Path, now: Counters) -> None:
        if names := not_finite(params):
            raise NonFiniteError(f"step {now.step}: {names[0]} is not finite, so no checkpoint was written")
        generators, carried = gather(model)
        held = {"generators": generators, "counters": now._asdict(), "config": config}
        if rank == 0:
            checkpoint.save(path, own, optimizer, vocabulary=vocabulary, carried=carried, **held)

    run_options |= {"leader": rank == 0, "agree": lambda asked: any_of(model, asked)}
    with Run(save, folder, counters, epochs, **run_options) as run:
        model.train()
        for epoch in run.epochs():
            for batch in run.batches(batches(epoch)):
                if schedule is not None:
                    optimizer.lr = schedule(run.counters.step)
                model.zero_grad()
                loss = model.loss(batch)
                loss.backward()
                norm = global_norm(params, norm_type)
                value = float(loss.detach())
                run.check(value, float(norm), lambda: not_finite({k: p.grad for k, p in params.items() if p.grad is not None}))
                if max_norm is not None:
                    scale_to_norm(params, max_norm, norm)
                if clip_value is not None:
                    clip_grad_value(params, clip_value)
                optimizer.step()
                run.stepped(value, float(norm), optimizer.lr, max_norm is not None and bool(norm > max_norm))
            if not run.stopped:
                run.epoch_done(None if validation is None else evaluate(model, validation()))
    return run.result()


@torch.no_grad()
def evaluate(model: Model | DataParallel, batches: Iterable) -> float:
    """The mean loss of some batches, each weighted by its number of targets; nothing is changed."""
    return loop.evaluate(model, batches)


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    return [name for name, v in tensors.items() if not v.isfinite().all()]
