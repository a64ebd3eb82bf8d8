"""What each process of test_data_parallel.py does; started by torchrun with a file for the results of rank 0.

Each model meets five sequences for two processes, then one sequence.
"""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike

from reference.common.batches import select, sequences
from reference.common.command import Parser, entered
from torch_impl.training.data_parallel import DataParallel, group
from torch_impl.training.loop import evaluate, train
from torch_impl.training.optim import SGD

from . import trajectory

TASKS = {task.module: task for task in trajectory.TASKS}


def model(package: str, name: str, dtype: DTypeLike, seed: int = 0) -> Any:
    """Without what each process draws for itself: masks of dropout and coins of teacher forcing."""
    task = TASKS[name]
    return replace(task, arguments=task.arguments | {"dropout": 0.0}, set={}).build(package, "gru", seed, dtype=dtype)


def some(name: str) -> list:
    """Batches whose sequences do not divide evenly, and last one with less than a sequence for each process."""
    first, second, *_ = TASKS[name].batches(0)
    if name == "language_model":  # streams stay where they are: 3 for 2 processes
        return [first, second]
    three = [select(b, range(3)) for b in (first, second)]
    return [*three, select(first, range(sequences(first) - 3, sequences(first) - 2))]


def resume(kind: str, rank: int, path: str) -> dict[str, np.ndarray]:
    """The weights of rank 1 after training with dropout and a carried state: in one go, or stopped and taken up.

    The generators are seeded apart: DataParallel makes them equal.
    """
    seed = 7 if kind == "resumed" else 0
    task = TASKS["language_model"]
    plain = task.build("torch_impl", "lstm", seed, dtype="float64")
    plain.rng = np.random.default_rng([seed, rank])
    parallel = DataParallel(plain)
    steps, folder = {"straight": (9, None), "stopped": (4, f"{path}.run"), "resumed": (9, f"{path}.run")}[kind]
    optimizer = SGD(parallel.module, lr=0.1, momentum=0.5)
    train(parallel, optimizer, task.batches, epochs=1, steps=steps, folder=folder, resume=kind == "resumed")
    weights = {n: p.detach().clone() for n, p in parallel.module.named_parameters()}
    for p in weights.values():
        torch.distributed.broadcast(p, src=1)
    return {f"{kind} {n}": p.numpy() for n, p in weights.items()}


def train_one(name: str, rank: int) -> dict[str, np.ndarray]:
    """Loss and gradients of each batch, and a model trained on them."""
    results: dict[str, np.ndarray] = {}
    parallel: Any = DataParallel(model("torch_impl", name, dtype="float64", seed=rank))  # rank 0's weights count
    batches = some(name)
    for k, batch in enumerate(batches):
        parallel.zero_grad()
        loss = parallel.loss(batch)
        loss.backward()
        results |= {f"{name} {k} {n}": p.grad.numpy().copy() for n, p in parallel.module.named_parameters()}
        results[f"{name} {k} loss"] = loss.detach().numpy()
    parallel = DataParallel(model("torch_impl", name, dtype="float64"))
    run = train(parallel, SGD(parallel.module, lr=0.1), lambda epoch: batches, epochs=2, max_norm=0.5)
    results |= {f"{name} trained {n}": p.detach().numpy() for n, p in parallel.module.named_parameters()}
    return results | {f"{name} losses": np.array(run.losses), f"{name} evaluated": np.array(evaluate(parallel, batches))}


def command() -> int:
    p = Parser(prog="python -m parity_tests.training.parallel_worker", description=__doc__)
    p.add_argument("file", help="for the results of rank 0")
    main(p.parse_args().file)
    return 0


def main(path: str) -> None:
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    with group() as (rank, world):
        for name in TASKS:
            results |= train_one(name, rank)
        for kind in ("straight", "stopped", "resumed"):
            results |= resume(kind, rank, path)
        assert world == 2
        if rank == 0:
            np.savez(path, **results)


if __name__ == "__main__":
    sys.exit(entered(command))
