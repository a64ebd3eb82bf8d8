"""Something to compute for threads and processes: everything that a layer, or all kinds of them, give for an input.

``python -m parity_tests.doors.work`` computes it in this process, in forks of it, and in processes that begin anew (spawn).
"""

import json
import multiprocessing
import sys
import warnings
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import numpy as np

import reference
from reference.common.command import entered, parser

ENGINES = ("definition", "fast", "compiled")
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu"}),
    ("LSTM", {}),
    ("LSTM", {"proj_size": 7}),
    ("GRU", {}),
    ("GRU", {"reset_after": False}),
)
T, B, INPUT, H = 6, 5, 9, 24
LENGTHS = (6, 6, 4, 2, 1)


def layer(engine: str, name: str, options: dict[str, Any]) -> Any:
    return getattr(reference, name)(INPUT, H, bidirectional=True, rng=np.random.default_rng(0), engine=engine, **options)


def arrays(value: Any) -> Iterator[np.ndarray]:
    """Those of a nest of tuples, dicts and packed sequences"""
    for v in value.values() if isinstance(value, dict) else value:
        if isinstance(v, np.ndarray):
            yield v
        elif v is not None:
            yield from arrays(v)


def everything(module: Any, seed: int) -> list[bytes]:
    """y, state and all gradients of a layer for an input of its own, dense and packed, and an inference: to the last bit"""
    x = np.random.default_rng(seed).standard_normal((T, B, INPUT)).astype(np.float32)
    found = []
    for given in (x, reference.pack_padded_sequence(x, LENGTHS)):
        y, state, pull = module.vjp(given)
        found += [y, state, *pull(y, state), *module.infer(given)]
    return [v.tobytes() for v in arrays(found)]


def digest(engine: str) -> str:
    """Of everything that layers of all kinds give with an engine"""
    layers = [layer(engine, *kind) for kind in KINDS]
    return sha256(b"".join(v for module in layers for v in everything(module, 1))).hexdigest()


def engine_digests(engines: tuple[str, ...]) -> list[str]:
    return [digest(engine) for engine in engines]


def main(argv: Sequence[str] | None = None) -> int:
    parser("python -m parity_tests.doors.work", __doc__ or "").parse_args(argv)
    warnings.simplefilter("ignore")  # Python says that a process with threads should not fork
    found = {"before": engine_digests(ENGINES)}
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(1) as pool:
            found[method] = pool.apply(engine_digests, (ENGINES,))
    found["after"] = engine_digests(ENGINES)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
