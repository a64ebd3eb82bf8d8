"""The processes that torchrun starts, as one run.  Alone in reference/common/run.py is the same for one.  notes/training/loop.md

    torchrun --nproc-per-node 2 -m torch_impl.char_lm train

What goes wrong is said once.  Whoever fails first says it, and leaves; the others then lose the connection, see that
something was said, and leave too.  If nothing was said, the process that is missing was killed.
"""

import logging
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import torch
from torch import distributed
from torch.distributed import DistError, PrefixStore, Store
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from reference.common.command import SilentError, UsageError
from reference.training.processes import Alone

from ..models.model import Model
from .data_parallel import DataParallel

CLAIM = "failed"
T = TypeVar("T")


class Together(Alone):
    def __init__(self, rank: int, world: int, store: Store):
        self.rank, self.world, self.leader, self._store = rank, world, rank == 0, store
        self.start = f"torchrun --nproc-per-node {os.environ['LOCAL_WORLD_SIZE']} -m --"  # else it takes --run for its own

    def agreed(self, value: T) -> T:
        values = [value] * self.world
        distributed.all_gather_object(values, value)
        if any(v != values[0] for v in values):
            raise UsageError(
                f"the {self.world} processes do not have the same text and options; on several machines, the files must be the same"
            )
        return value

    def first(self, value: T) -> T:
        values = [value]
        distributed.broadcast_object_list(values)
        return values[0]

    def wrap(self, model: Model) -> DataParallel:
        return DataParallel(model)

    def failed(self, e: BaseException) -> BaseException:
        """What this process is to say of an error."""
        me = str(self.rank)
        with suppress(DistError):  # the store was with a process that is gone
            if self._store.compare_set(CLAIM, "", me) != me.encode():
                return SilentError()
        if lost(e):
            return UsageError(
                f"one of the {self.world} processes ended without a word, so all end; go on from the last checkpoint with --resume"
            )
        return e


def lost(e: BaseException) -> bool:
    """Whether it says that another process is gone."""
    words = "gloo", "NCCL", "onnection"  # of a RuntimeError of the library
    return isinstance(e, DistError) or (isinstance(e, RuntimeError) and any(w in str(e) for w in words))


def launch(processes: int, module: str, arguments: list[str]) -> int:
    """The command over so many processes of this machine, as torchrun starts them; what goes wrong they say, and nothing after it.

    ->  the exit status of the first that failed, or 0
    """
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id=uuid.uuid4().hex,
        max_restarts=0,
    )
    try:
        elastic_launch(config, sys.executable)("-m", module, *arguments)
    except ChildFailedError as e:
        return e.get_first_failure()[1].exitcode
    except SignalException:
        return 130
    return 0


@contextmanager
def together(options: dict) -> Iterator[Alone]:
    """The processes that torchrun started, or this one alone, as a context.  UsageError: no GPU for each of them."""
    if not {"RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR"} <= os.environ.keys():
        yield Alone()
        return
    store, rank, world = next(distributed.rendezvous("env://"))
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    group = Together(rank, world, PrefixStore(f"run {attempt}", store))
    try:
        backend = "gloo" if options["device"] == "cpu" else own_gpu(options["device"])
        distributed.init_process_group(backend, store=PrefixStore(f"group {attempt}", store), rank=rank, world_size=world)
        yield group
        distributed.barrier()  # torchrun ends all when one has left, so they leave together
    except BaseException as e:
        raise group.failed(e) from e
    distributed.destroy_process_group()


def own_gpu(device: str) -> str:
    """Take the GPU of this process  ->  the backend.  UsageError: there is none for it."""
    here, count = int(os.environ["LOCAL_WORLD_SIZE"]), torch.cuda.device_count()
    if device != "cuda":
        raise UsageError(f"--device must be cpu or cuda under torchrun, where each has a GPU of its own, got {device}")
    if count < here:
        raise UsageError(f"{here} processes need {here} GPUs, and this machine has {count}")
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return "nccl"
