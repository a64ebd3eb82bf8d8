"""Models and batches of test_data_parallel.py: five sequences for two processes, then one sequence, for each model."""

from typing import Any

from reference.common.batches import select, sequences

from . import trajectory

TASKS = {task.module: task for task in trajectory.TASKS}


def model(package: str, name: str, dtype: Any, seed: int = 0) -> Any:
    """Without dropout, whose masks each process draws for itself."""
    task = TASKS[name]
    plain = trajectory.Task(task.module, task.model, task.batches, task.arguments | {"dropout": 0.0})
    return plain.build(package, "gru", seed, dtype=dtype)


def some(name: str) -> list:
    """Batches whose sequences do not divide evenly, and last one with less than a sequence for each process."""
    first, second, *_ = TASKS[name].batches(0)
    if name == "language_model":  # streams stay where they are: 3 for 2 processes
        return [first, second]
    three = [select(b, range(3)) for b in (first, second)]
    return [*three, select(first, range(sequences(first) - 3, sequences(first) - 2))]
