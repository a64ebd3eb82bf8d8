"""Judges an answer: random cases, every output compared, and one sentence about the first thing that is wrong."""

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from reference.common.arrays import Array

from .complex_step import UnjudgedError, several
from .products import products
from .tasks import Inputs, Task

CASES, SEED = 6, 20
TOLERANCE = 1e-9  # of the largest entry of an output, in float64


def judge(tasks: tuple[Task, ...], answer: Mapping[str, Callable]) -> str | None:
    """What is wrong with the answer; None if nothing is.

    Raises
    ------
    UnjudgedError
        A function is missing, or raised an exception.
    """
    for task in tasks:
        if not callable(answer.get(task.function)):
            raise UnjudgedError(f"the file must define a function {task.function}({', '.join(task.arguments)})")
    for task in tasks:
        rng = np.random.default_rng(SEED)
        for _ in range(CASES):
            wrong = judge_case(task, answer, task.draw(rng))
            if wrong:
                return wrong
    return None


def judge_case(task: Task, answer: Mapping[str, Callable], inputs: Inputs) -> str | None:
    given = {name: np.array(v) if isinstance(v, np.ndarray) else v for name, v in inputs.items()}
    try:
        out = answer[task.function](*given.values())
    except (Exception, SystemExit) as error:
        raise UnjudgedError(f"{task.function} raised {raised(error)}") from error
    for name, v in inputs.items():
        if not np.array_equal(v, given[name]):
            return f"{task.function} changes its argument {name}; it must leave its arguments as they are"
    returned = several(out)
    names = ", ".join(task.outputs)
    if len(returned) != len(task.outputs):
        return f"{task.function} must return {names}: {count(len(task.outputs))}, got {count(len(returned))}"
    compared = list(zip(task.outputs, returned, task.expected(answer, inputs), strict=True))
    faults = {name: fault(name, v, e) for name, v, e in compared}
    wrong = [text for text in faults.values() if text]
    right = [name for name, text in faults.items() if not text]
    rest = [f"{name}{span(v, e)}" for name, v, e in compared if faults[name]][1:]
    if not wrong:
        return too_many_products(task, answer, inputs)
    also = f"; also wrong: {', '.join(rest)}" if rest else ""
    also += f"; right: {', '.join(right)}" if right else ""
    return f"{task.function}: {wrong[0]}{also} (case: {described(inputs)})"


def too_many_products(task: Task, answer: Mapping[str, Callable], inputs: Inputs) -> str | None:
    if task.products is None:
        return None
    n = products(answer[task.function], list(inputs.values()))
    said = f"{task.function} is right, but makes {n} matrix products where {task.products} would do"
    return said if n > task.products else None


def fault(name: str, given: object, expected: Array) -> str | None:
    """What is wrong with one output."""
    v = as_array(given)
    if v.dtype.kind not in "fiu":
        return f"{name} must be an array of real numbers, got {type(given).__name__ if v.ndim == 0 else v.dtype}"
    if v.shape != expected.shape:
        return f"{name} must have shape {expected.shape}, got {v.shape}"
    off = wrong_entries(v, expected)
    if not off.any():
        return None
    distance = np.where(np.isnan(v), np.inf, abs(v - expected))
    at = tuple(int(i) for i in np.unravel_index(distance.argmax(), v.shape))
    where = f"{name}[{', '.join(map(str, at))}]" if at else name
    others = f", and {off.sum()} of {off.size} entries are wrong" if off.size > 1 else ""
    return f"{where} must be {expected[at]:.6g}, got {v[at]:.6g}{others}{span(v, expected)}{pattern(v, expected)}"


def as_array(given: object) -> Array:
    """An array of objects, which is refused, if the parts have different lengths."""
    try:
        return np.asarray(given)
    except ValueError:
        return np.asarray(None)


def wrong_entries(v: Array, expected: Array) -> Array:
    return ~(abs(v - expected) <= TOLERANCE * max(1e-3, abs(expected).max(initial=0)))  # a NaN is one


def span(given: object, expected: Array) -> str:
    """Where along the first axis the wrong entries lie, if not everywhere: of which gate, sample or step they are."""
    v = as_array(given)
    if v.shape != expected.shape or v.ndim == 0 or v.dtype.kind not in "fiu":
        return ""
    off = wrong_entries(v, expected).reshape(len(expected), -1).any(1)
    at = np.flatnonzero(off)
    if off.all() or len(at) != at[-1] - at[0] + 1:
        return ""
    return f" (only [{at[0]}])" if len(at) == 1 else f" (only [{at[0]}:{at[-1] + 1}])"


def pattern(v: Array, expected: Array) -> str:
    """What the wrong entries have in common, if it is simple."""
    if v.ndim == 2 and v.shape[0] == v.shape[1] and np.allclose(v.T, expected, 1e-9, 0):
        return ", as if transposed"
    size = np.vdot(expected, expected)
    ratio = np.vdot(expected, v) / size if size else 0
    if v.size > 1 and abs(ratio) > 1e-9 and np.allclose(v, ratio * expected, 1e-9, 1e-12):
        return f", each {ratio:.4g} times what it must be"
    return ""


def described(inputs: Inputs) -> str:
    """The shapes, and small values that are no arrays."""
    return ", ".join(
        f"{name} {v.shape}" if isinstance(v, np.ndarray) and v.ndim else f"{name} = {v:.6g}" for name, v in inputs.items()
    )


def count(n: int) -> str:
    return "one value" if n == 1 else f"{n} values"


def raised(error: BaseException) -> str:
    """The exception in a few words, with the last line that is not a library's."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError in line {error.lineno}: {error.msg}"

    def foreign(file: Path) -> bool:
        return file.parent == Path(__file__).parent or "site-packages" in str(file) or "importlib" in str(file)

    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if not foreign(Path(f.filename))]
    text = " ".join(str(error).split())
    return type(error).__name__ + (f" in line {lines[-1]}" if lines else "") + (f": {text}" if text else "")
