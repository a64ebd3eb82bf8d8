"""How the functions of this folder are compiled, and where what was compiled is kept.

``compiled`` is Numba's njit.  The first call with arrays of a dtype compiles, which takes seconds; what comes of it is kept
beside the source, or, where that cannot be written, in the user's cache folder or in NUMBA_CACHE_DIR.  It is used again as
long as no file of this folder changes: Numba by itself looks only at the file of the function, and would go on with an old
sigmoid after that has been edited.

With NUMBA_DISABLE_JIT=1 nothing is compiled: the same functions run in Python, very slowly, for a debugger to step through.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import __version__ as VERSION
from numba import config, njit, types
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.extending import intrinsic

# nogil: other threads go on.  contract: a product and a sum may be one instruction; no other liberty is taken, so that an
# infinity or a NaN is what it is elsewhere, and a sum is in the order that it is written in.
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "no_cfunc_wrapper": True}
SOURCES = sha256(b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()


class Files(IndexDataCacheFile):
    """A file for each signature, which says what it is of.  Numba's own index may name a file before it is written, and another
    process then finds there what was compiled for another signature, or from another source."""

    def name(self, key: tuple) -> str:
        return f"{Path(self._index_name).stem}.{sha256(repr((VERSION, key)).encode()).hexdigest()[:16]}.nbc"

    def save(self, key: tuple, data: Any) -> None:
        self._save_data(self.name(key), (SOURCES, key, data))

    def load(self, key: tuple) -> Any:
        source, of, data = self._load_data(self.name(key))
        return data if (source, of) == (SOURCES, key) else None


class Cache(FunctionCache):
    """Numba's cache, stale after any change in this folder, and silent where a file cannot be read or written."""

    def __init__(self, function: Callable):
        super().__init__(function)
        self._cache_file = Files(self._cache_path, self._impl.filename_base, source_stamp=SOURCES)

    def load_overload(self, *signature: Any) -> Any:
        with suppress(OSError):
            return super().load_overload(*signature)

    def save_overload(self, *compiled: Any) -> None:
        with suppress(OSError):
            super().save_overload(*compiled)


def compiled(function: Callable) -> Callable:
    """The function, compiled at its first call for each dtype."""
    if config.DISABLE_JIT:
        return function
    dispatcher = njit(**OPTIONS)(function)
    with suppress(RuntimeError):  # there is no folder that may be written
        dispatcher._cache = Cache(function)
    return dispatcher


def written_for_llvm(plain: Callable) -> Callable[[Callable], Callable]:
    """Decorator of an intrinsic: its twin in plain Python stands in its place where nothing is compiled."""
    return lambda function: plain if config.DISABLE_JIT else intrinsic(function)


@written_for_llvm(lambda: None)
def apart(typing):
    """At the head of a function: it is not copied into those that call it, which makes them long to compile, and slower."""
    def codegen(context, b, signature, args):
        b.function.attributes.add("noinline")
        return context.get_dummy_value()
    return types.void(), codegen
