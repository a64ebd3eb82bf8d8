"""A copy of ``reference`` in which each array operation is timed where it stands, sorted by kind.

The text of the copy is rewritten: every call, operator and assignment goes through a function of this module, which times
it if an array is its business.  Nothing has to be marked in the rooms, so they can change.  What the clock costs between
its two readings is measured (``cost``) and is to be subtracted, once for each operation.
"""

import ast
import operator
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import BuiltinMethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from parity_tests.mutation.patching import copied

TIMED = ("fast/", "layers.py", "stack.py", "forms.py", "memory.py", "ops.py", "module.py")  # others check and name
PRODUCT, NONLINEAR, ELEMENTWISE, COPY = "product", "nonlinear", "elementwise", "copy"

_COPIERS = (np.concatenate, np.ascontiguousarray, np.copyto, np.stack, np.repeat, np.tile, np.zeros, np.zeros_like, np.ones,
            np.array, np.copy)
KINDS: dict[Any, str] = {np.matmul: PRODUCT, np.ndarray.dot: PRODUCT, np.dot: PRODUCT,
                         np.tanh: NONLINEAR, np.exp: NONLINEAR, **dict.fromkeys(_COPIERS, COPY)}
METHODS = {"dot": PRODUCT, "sum": ELEMENTWISE, "copy": COPY, "astype": COPY, "fill": COPY}
OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.MatMult: ("matmul", PRODUCT), ast.Add: ("add", ELEMENTWISE), ast.Sub: ("sub", ELEMENTWISE),
    ast.Mult: ("mul", ELEMENTWISE), ast.Div: ("truediv", ELEMENTWISE), ast.Pow: ("pow", ELEMENTWISE)}
NAME = "_timed"  # of this module in a copy
HELD = "_held"   # a variable of a copy

Key = tuple[int, str]  # (place in the text, kind)


class Found(NamedTuple):
    """What the operations of one kind at one place took together."""

    calls: int
    seconds: float


_found: dict[Key, list] = {}
_kept: list[tuple[Callable, tuple, dict]] | None = None
now = time.perf_counter


def take() -> dict[Key, Found]:
    """What was timed since the last time."""
    made = {key: Found(*v) for key, v in _found.items()}
    _found.clear()
    return made


@contextmanager
def keeping_products() -> Iterator[list[tuple[Callable, tuple, dict]]]:
    """Inside, each product that is computed is kept, (function, arguments, names), so that it can be computed again."""
    global _kept
    _kept = []
    try:
        yield _kept
    finally:
        _kept = None


def _add(place: int, kind: str, seconds: float) -> None:
    entry = _found.get((place, kind))
    if entry is None:
        _found[place, kind] = [1, seconds]
    else:
        entry[0] += 1
        entry[1] += seconds


def kind_of(f: Any) -> str | None:
    """The kind of a function that is about to be called; None if it is none of NumPy's that work on arrays."""
    if type(f) is BuiltinMethodType:
        return METHODS.get(f.__name__) if isinstance(f.__self__, np.ndarray) else KINDS.get(f)
    if type(f) is np.ufunc:
        return KINDS.get(f, ELEMENTWISE)
    try:
        return KINDS.get(f)
    except TypeError:  # not hashable
        return None


def call(place: int, f: Callable, /, *args: Any, **named: Any) -> Any:
    """f(*args, **named), timed if it works on arrays."""
    kind = kind_of(f)
    if kind is None:
        return f(*args, **named)
    start = now()
    out = f(*args, **named)
    seconds = now() - start
    _add(place, kind, seconds)
    if _kept is not None and kind == PRODUCT:
        _kept.append((f, args, named))
    return out


def binary(place: int, kind: str, name: str, a: Any, b: Any) -> Any:
    """The operator of this name in ``operator``, timed if one side is an array."""
    f = getattr(operator, name)
    if not (isinstance(a, np.ndarray) or isinstance(b, np.ndarray)):
        return f(a, b)
    start = now()
    out = f(a, b)
    seconds = now() - start
    _add(place, kind, seconds)
    if _kept is not None and kind == PRODUCT:
        _kept.append((f, (a, b), {}))
    return out


def stored(place: int, kind: str, target: Any, start: float) -> None:
    """An assignment that began at ``start`` is done, timed if the target is an array."""
    seconds = now() - start
    if isinstance(target, np.ndarray):
        _add(place, kind, seconds)


class _Rewriter(ast.NodeTransformer):
    """Rewrites the functions of one file; ``first`` is the number of its first place."""

    def __init__(self, first: int):
        self.place, self.depth = first, 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.depth += 1
        node.body = [new for statement in node.body for new in self._several(statement)]
        self.depth -= 1
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.depth += 1
        node.body = self.visit(node.body)
        self.depth -= 1
        return node

    def _several(self, statement: ast.stmt) -> list[ast.stmt]:
        made = self.visit(statement)
        return made if isinstance(made, list) else [made]

    def _next(self) -> str:
        self.place += 1
        return str(self.place)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not self.depth or (isinstance(node.func, ast.Name) and node.func.id == "super"):
            return node
        return ast.Call(_expression(f"{NAME}.call"), [_expression(self._next()), node.func, *node.args], node.keywords)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name, kind = OPERATORS.get(type(node.op), ("", ""))
        if not self.depth or not name:
            return node
        words = (self._next(), repr(kind), repr(name))
        return ast.Call(_expression(f"{NAME}.binary"), [*map(_expression, words), node.left, node.right], [])

    def visit_Assign(self, node: ast.Assign) -> Any:
        self.generic_visit(node)
        inside = [t for target in node.targets for t in ast.walk(target) if isinstance(t, ast.Subscript)
                  and isinstance(t.ctx, ast.Store)]
        if not self.depth or not inside:
            return node
        value, node.value = node.value, _expression(f"{HELD}_value")
        base, inside[0].value = inside[0].value, _expression(f"{HELD}_base")
        held = [_statement(f"{HELD}_value", value), _statement(f"{HELD}_base", base)]
        return [*held, *self._timed(node, COPY, f"{HELD}_base")]

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        _, kind = OPERATORS.get(type(node.op), ("", ""))
        if not self.depth or not kind or not isinstance(node.target, ast.Name):
            return node
        value, node.value = node.value, _expression(f"{HELD}_value")
        return [_statement(f"{HELD}_value", value), *self._timed(node, kind, node.target.id)]

    def _timed(self, node: ast.stmt, kind: str, target: str) -> list[ast.stmt]:
        done = f"{NAME}.stored({self._next()}, {kind!r}, {target}, {HELD}_start)"
        return [_statement(f"{HELD}_start", _expression(f"{NAME}.now()")), node, ast.parse(done).body[0]]


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _statement(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def rewritten(text: str, first: int = 0) -> tuple[str, int]:
    """A module's text with everything timed, and the number of its last place"""
    tree, rewriter = ast.parse(text), _Rewriter(first)
    made = rewriter.visit(tree)
    made.body[1:1] = ast.parse(f"from {__package__} import instrument as {NAME}").body  # after the docstring
    return ast.unparse(ast.fix_missing_locations(made)), rewriter.place


@cache
def timed_reference() -> ModuleType:
    """The copy."""
    last = 0

    def rewrite(file: str, text: str) -> str:
        nonlocal last
        if not file.startswith(TIMED):
            return text
        text, last = rewritten(text, last)
        return text

    return copied("reference_with_clocks", rewrite)


def cost(count: int = 2000) -> float:
    """Seconds that the clock adds between its two readings: a sum of two numbers timed, less its time in a plain loop."""
    a, b, out = (np.ones(1, np.float32) for _ in range(3))
    inside, plain = [], []
    take()
    for _ in range(9):
        for _ in range(count):
            call(0, np.add, a, b, out)
        inside.append(take()[0, ELEMENTWISE].seconds / count)
        start = now()
        for _ in range(count):
            np.add(a, b, out)
        middle = now()
        for _ in range(count):
            pass
        plain.append((2 * middle - start - now()) / count)
    return max(0.0, float(np.median(inside) - np.median(plain)))


def least(count: int = 2000) -> dict[str, float]:
    """Seconds that one call of each kind takes on arrays of one number: what it costs to ask NumPy for anything."""
    one, square = np.ones(1, np.float32), np.ones((1, 1), np.float32)
    out, square_out = one.copy(), square.copy()
    calls: dict[str, Callable[[], Any]] = {
        PRODUCT: lambda: np.matmul(square, square, square_out), NONLINEAR: lambda: np.tanh(one, out),
        ELEMENTWISE: lambda: np.multiply(one, one, out), COPY: lambda: out.__setitem__(..., one)}
    nothing = _each(lambda: None, count)
    return {kind: max(0.0, _each(f, count) - nothing) for kind, f in calls.items()}


def _each(f: Callable[[], Any], count: int) -> float:
    times = []
    for _ in range(9):
        start = now()
        for _ in range(count):
            f()
        times.append((now() - start) / count)
    return float(np.median(times))
