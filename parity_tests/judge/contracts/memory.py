"""Whose an array is: arguments are the caller's again when a call returns, and so is each result."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from ..cases import Case
from ..tolerance import Verdict
from ..verdicts import refused
from .call import Call, Loader


def arguments_reused(load: Loader, case: Case) -> Iterator[Verdict]:
    """The caller writes other numbers into x, state and lengths between forward and backward: the gradients stay the same."""
    call = Call(load, case)
    layer = load(call.data.weights)
    outputs = {name: np.copy(v) for name, v in call.forward(layer).items()}
    for array in (call.data.x, *(call.data.state or ())):
        array[...] = 7
    if call.data.lengths is not None:
        call.data.lengths[...] = 1
    yield from call.judged(outputs | call.backward(layer))


def results_apart(load: Loader, case: Case) -> Iterator[Verdict]:
    """No two results share memory, nor a result and an argument: whoever clips one in place would change the other."""
    call = Call(load, case)
    results = call.run(load(call.data.weights))
    yield from call.judged(results)
    written = {name: v for name, v in results.items() if v.flags.writeable}
    for (name, a), (other, b) in combinations(written.items(), 2):
        if np.shares_memory(a, b):
            yield refused(other, "shared", f"shares memory with {name}: what is written into one changes the other")
    data = call.data
    given = {"x": data.x, "dy": data.dy, **data.weights}
    given |= {f"{letter}_0": v for letter, v in zip("hc", data.state or (), strict=False)}
    given |= {f"d{letter}_n": v for letter, v in zip("hc", data.dstate, strict=False)}
    for name, a in written.items():
        for other, b in given.items():
            if np.shares_memory(a, b):
                yield refused(name, "shared", f"shares memory with the argument {other}")
