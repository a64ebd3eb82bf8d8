"""``python -m torch_impl.tasks``: the tasks of reference/tasks in PyTorch."""
