"""Checkpoints of both backends: one safetensors file with the arrays, and everything else as JSON in its metadata.

Written to a temporary file beside it, flushed to the disk, then renamed: whatever happens, the name holds the old file
or the new one, whole.  Read without executing anything: arrays are bytes of a known type, the rest is JSON.  A SHA-256
over all of it shows what was damaged or changed; it is no signature, so it does not say who wrote the file.  So nothing
that a file says is used before all of it was held against what it must be.

file.py       the bytes: a header of bounded size, whose arrays fill the rest of the file without gap or overlap
schema.py     JSON, and what it must look like
content.py    what a checkpoint holds
writing.py    save, write
reading.py    load, and what an application asks of its own parts
restoring.py  restore: all or nothing

torch_impl.common.checkpoint has the same functions for torch modules, and reads and writes the same files.
"""

from .content import PARTS, Checkpoint, Stateful
from .file import FORMAT, CheckpointError, digest
from .reading import load, require
from .restoring import check, restore
from .writing import save, write

__all__ = ["FORMAT", "PARTS", "Checkpoint", "CheckpointError", "Stateful"]
__all__ += ["check", "digest", "load", "require", "restore", "save", "write"]
