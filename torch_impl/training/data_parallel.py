"""Data-parallel training: torchrun starts N processes, each has the model and a share of every batch.  notes/training/loop.md

    torchrun --nproc-per-node 2 train_it.py

    with data_parallel.group() as (rank, world):
        model = data_parallel.DataParallel(Classifier(...))
        train(model, Adam(model.module), batches, epochs=3, folder="run")        # rank 0 writes, all read

DistributedDataParallel averages the gradients of R processes.  The loss of a share is a mean over its own targets, n_r
of them.  Scaled by R n_r / Σ n, the average of the gradients is the gradient of the mean over the whole batch:

    1/R Σ_r (R n_r / Σ n) g_r  =  Σ_r n_r g_r / Σ n

also where the shares are not equal, and where one of them is empty.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from reference.common import batches
from reference.common.arrays import Array

from ..models.model import Model


@contextmanager
def group(device: str = "cpu") -> Iterator[tuple[int, int]]:
    """This process among those that torchrun started, as a context that gives (rank, world): gloo on the CPU, nccl on CUDA.

    Raises
    ------
    RuntimeError
        Not started by torchrun.
    """
    if "RANK" not in os.environ:
        raise RuntimeError("data-parallel training is started by torchrun: torchrun --nproc-per-node 2 SCRIPT")
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield distributed.get_rank(), distributed.get_world_size()
    finally:
        distributed.destroy_process_group()


class DataParallel(DistributedDataParallel):
    """A model of torch_impl over several processes.  ``module`` is the model; the optimiser is made for that.

    ``loss(batch)`` takes the whole batch on every process, computes this one's share, and returns the loss of the whole,
    whose gradient, once averaged, is that of the whole.  What else is asked for, the model answers.

    Dropout.  A model with ``masked`` (LanguageModel) draws the masks of the whole batch on every process, from
    generators that are made equal here, as the weights are, and each takes those of its share: so the run is the same
    over any number of processes.  Other models draw those of their share: give each process a generator of its own, as
    ``default_rng([seed, rank])``, after building the model.
    """

    module: Model

    def __init__(self, module: Model, **options: Any):
        super().__init__(module, **options)
        self.streams = 0  # how many of the carried states are of this process
        if shared_generator(module):
            state = [module.rng.bit_generator.state]
            distributed.broadcast_object_list(state)
            module.rng.bit_generator.state = state[0]

    def loss(self, batch: Any) -> Tensor:
        """The whole batch  ->  its loss, 0-d, the same number on every process"""
        rank, world = place(self)
        masked = getattr(self.module, "masked", None)
        if masked is not None:
            batch = masked(batch)
        part, n = batches.share(batch, rank, world)
        if self.training:
            self.streams = batches.sequences(part) if n else 0
        local = self(part) * (n / batches.count(batch))
        whole = local.detach().clone()
        distributed.all_reduce(whole)
        scaled = local * world
        return scaled + (whole - scaled.detach())  # the value of the whole, the gradient of the share

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("module"), name)

    @property
    def carried(self) -> Any:
        return self.module.carried

    @carried.setter
    def carried(self, state: Any) -> None:
        self.module.carried = state


def inner(model: Model | DataParallel) -> Model:
    """The model inside a DataParallel, or the model itself."""
    return model.module if isinstance(model, DataParallel) else model


def place(model: nn.Module) -> tuple[int, int]:
    """(rank, world) of a DataParallel; (0, 1) of any other model."""
    return (distributed.get_rank(), distributed.get_world_size()) if isinstance(model, DistributedDataParallel) else (0, 1)


def shared_generator(model: Model | DataParallel) -> bool:
    """Whether all processes draw the same numbers."""
    return hasattr(inner(model), "masked")


def generator_name(model: Model | DataParallel, rank: int) -> str:
    """Under which name a checkpoint holds the generator of a process."""
    return f"model {rank}" if rank and not shared_generator(model) else "model"


def gather(model: Model | DataParallel) -> tuple[dict[str, Mapping], dict[str, Array]]:
    """What the processes have each for itself, for one checkpoint; all must call it.

    ->  the states of their generators by name; their carried states side by side, as of one process
    """
    own, (_, world) = inner(model), place(model)
    generator = own.rng.bit_generator.state
    carried: dict[str, Array] = getattr(own, "carried_state", dict)()
    if world == 1:
        return {"model": generator}, carried
    states = [(generator, {k: v[:, : model.streams] for k, v in carried.items()})] * world
    distributed.all_gather_object(states, states[0])
    generators = {generator_name(model, rank): state for rank, (state, _) in reversed([*enumerate(states)])}
    return generators, {k: np.concatenate([c[k] for _, c in states], axis=1) for k in carried}


def take(model: Model | DataParallel, carried: dict[str, Array]) -> None:
    """The inverse of gather: each process takes the carried states of its own streams, divided as by batches.share."""
    rank, world = place(model)
    own: Any = inner(model)
    if carried and world > 1:
        mine = {k: np.array_split(v, world, axis=1)[rank] for k, v in carried.items()}
        model.streams = next(iter(mine.values())).shape[1]
        own.load_carried_state(mine if model.streams else {k: v[:, :1] for k, v in carried.items()})


def any_of(model: nn.Module, flag: bool) -> bool:
    """Whether the flag is up in any of the processes; all must ask."""
    if place(model)[1] == 1:
        return flag
    up = torch.tensor(float(flag), device=next(model.parameters()).device)
    distributed.all_reduce(up, distributed.ReduceOp.MAX)
    return bool(up)
