"""What each process of test_data_parallel.py does; started by torchrun with a file for the results of rank 0."""

import sys
from functools import partial
from typing import Any

import numpy as np
import torch

from torch_impl.training.data_parallel import DataParallel, group
from torch_impl.training.loop import evaluate, train
from torch_impl.training.optim import SGD

from .parallel_tasks import TASKS, model, some


def same(batches: list, epoch: int) -> list:
    """Every pass has these batches."""
    return batches


def resume(kind: str, rank: int, path: str) -> dict[str, Any]:
    """The weights of rank 1 after training with dropout and a carried state: in one go, or stopped and taken up.

    The generators are seeded apart: DataParallel makes them equal.
    """
    seed = 7 if kind == "resumed" else 0
    plain = TASKS["language_model"].build("torch_impl", "lstm", seed, dtype="float64")
    plain.rng = np.random.default_rng([seed, rank])
    parallel = DataParallel(plain)
    steps, folder = {"straight": (9, None), "stopped": (4, f"{path}.run"), "resumed": (9, f"{path}.run")}[kind]
    train(
        parallel,
        SGD(parallel.module, lr=0.1, momentum=0.5),
        TASKS["language_model"].batches,
        epochs=1,
        steps=steps,
        folder=folder,
        resume=kind == "resumed",
    )
    made = {n: p.detach().clone() for n, p in parallel.module.named_parameters()}
    for p in made.values():
        torch.distributed.broadcast(p, src=1)
    return {f"{kind} {n}": p.numpy() for n, p in made.items()}


def main(path: str) -> None:
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    with group() as (rank, world):
        for name in TASKS:
            parallel: Any = DataParallel(model("torch_impl", name, dtype="float64", seed=rank))  # rank 0's weights count
            for k, batch in enumerate(some(name)):
                parallel.zero_grad()
                loss = parallel.loss(batch)
                loss.backward()
                results |= {f"{name} {k} {n}": p.grad.numpy().copy() for n, p in parallel.module.named_parameters()}
                results[f"{name} {k} loss"] = loss.detach().numpy()
            parallel = DataParallel(model("torch_impl", name, dtype="float64"))
            batches = some(name)
            made = train(parallel, SGD(parallel.module, lr=0.1), partial(same, batches), epochs=2, max_norm=0.5)
            results |= {f"{name} trained {n}": p.detach().numpy() for n, p in parallel.module.named_parameters()}
            results[f"{name} losses"] = np.array(made.losses)
            results[f"{name} evaluated"] = np.array(evaluate(parallel, batches))
        for kind in ("straight", "stopped", "resumed"):
            results |= resume(kind, rank, path)
        assert world == 2
        if rank == 0:
            np.savez(path, **results)


if __name__ == "__main__":
    main(sys.argv[1])
