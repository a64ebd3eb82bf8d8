"""A room run line by line: each quantity that a labelled line computes, with its label, its formula and its value.

``trace`` does not know the equations.  It runs the room's own ``forward`` and ``backward``, statement by statement, and
notes down what each line with a label has computed.  So a line that is changed in the room is changed in the trace.
"""

import ast
import copy
import inspect
import re
import sys
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from reference.cells import gru, lstm, rnn
from reference.common.arrays import Array, split

LABEL = re.compile(r"\b[A-Z]\d\*?(?![\w*])")
ROOMS = {"rnn": rnn, "lstm": lstm, "gru": gru}
VERBS = ("step_forward", "step_backward", "deltas")
# What the time loops hand to a step, and what it hands back: no labelled line computes it, so a wrong array shows only here.
ENTERING = {"step_forward": ("h", "c"), "step_backward": ("dh", "dc", "gates", "q", "h_prev", "c_prev", "c", "h")}
LEAVING = {
    "rnn": {"step_forward": ("h",), "step_backward": ("da", "dh"), "forward": ("y",)},
    "lstm": {"step_forward": ("h", "c", "gates"), "step_backward": ("da", "dh", "dc"), "forward": ("y",)},
    "gru": {"step_forward": ("h", "gates", "q"), "step_backward": ("da_x", "da_h", "dh"), "forward": ("y",)},
}
# What a return statement computes goes by these names.
RETURNED = {"step_forward": ("h",), "step_backward": ("da", "dh_prev", "dc_prev"), "backward": ("dp", "dx", "ds_0")}
Labels = tuple[str, ...]
Key = tuple[str, int | None, str, Labels]  # verb, t, name, labels


class Quantity(NamedTuple):
    """What one line computes."""

    verb: str  # the function that the line stands in
    t: int | None  # the step; None for what is done for all steps at once
    name: str
    labels: Labels
    formula: str  # the code, with only the branch that was taken
    value: Array
    line: int  # in the room's file

    @property
    def key(self) -> Key:
        """What names a quantity on both sides of a comparison."""
        return self.verb, self.t, self.name, self.labels


class BrokenLineError(Exception):
    """A line of the room that cannot be run: the message says which, and why."""


class Problem(NamedTuple):
    """What goes into a room, and into its backward."""

    p: Any  # Params
    x: Array  # (T, B, I)
    s: Any  # State
    dy: Array  # (T, B, P)
    ds: Any  # State
    options: dict[str, Any]


def problem(room: ModuleType, T: int = 3, B: int = 1, I: int = 1, H: int = 2, seed: int = 0, P: int = 0, **options: Any) -> Problem:
    """Random numbers with one decimal, none of them zero, so that a person can put them into the formulas.

    P is the width of an LSTM's projection, 0 for none.
    """
    rng, G = np.random.default_rng(seed), len(room.GATES)

    def draw(*shape: int) -> Array:
        return rng.integers(1, 10, shape) * rng.choice([-1, 1], shape) / 10

    p = room.Params(draw(G * H, I), draw(G * H, P or H), draw(G * H), draw(G * H), *([draw(P, H)] if P else ()))
    x, widths = draw(T, B, I), (P or H, H)[: len(room.State._fields)]
    s, dy, ds = room.State(*(draw(B, n) for n in widths)), draw(T, B, P or H), room.State(*(draw(B, n) for n in widths))
    return Problem(p, x, s, dy, ds, options)


def trace(room: ModuleType, q: Problem) -> list[Quantity]:
    """Every labelled quantity of forward and backward, in the order of computation."""
    return ran(room, q).quantities


def ran(room: ModuleType, q: Problem) -> "Run":
    """Forward and backward, with all that was noted down."""
    run = Run(room)
    _, _, k = run.call(room.forward, q.p, q.x, q.s, **q.options)
    run.call(room.backward, q.dy, q.ds, k)
    return run


@cache
def parsed(function: FunctionType) -> tuple[ast.FunctionDef, list[str]]:
    """The syntax tree of a function, and all lines of its file."""
    module = sys.modules[function.__module__]
    source = module.__loader__.get_source(module.__name__)  # type: ignore[union-attr]
    tree = ast.parse(source)
    node = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function.__name__)
    return node, source.splitlines()


class Run:
    """What all calls of a trace share."""

    def __init__(self, room: ModuleType):
        self.room = room
        self.quantities: list[Quantity] = []
        self.handed: list[Quantity] = []  # what enters a step, and what leaves it
        self.t: int | None = None

    def call(self, function: FunctionType, *args: Any, **kwargs: Any) -> Any:
        """The function's result, its lines run one by one."""
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        frame = Frame(self, function, dict(bound.arguments))
        return frame.statements(frame.node.body)


class Frame:
    """One call, by an interpreter for the few kinds of statement that a room has."""

    def __init__(self, run: Run, function: FunctionType, names: dict[str, Any]):
        self.run, self.verb, self.globals, self.names = run, function.__name__, function.__globals__, names
        self.node, self.lines = parsed(function)
        self.choices = [n for n in ast.walk(self.node) if isinstance(n, ast.IfExp)]

    def value(self, node: ast.expr) -> Any:
        """What an expression gives; the room's own verbs are run line by line too."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in VERBS:
            given = [self.value(arg) for arg in node.args]
            self.enter(node, given)
            return self.run.call(getattr(self.run.room, node.func.id), *given)
        return eval(compile(ast.fix_missing_locations(ast.Expression(node)), self.verb, "eval"), self.globals, self.names)

    def enter(self, node: ast.Call, given: list[Any]) -> None:
        """Note down the states, or the gradients with respect to them, that a step is called with."""
        verb = ast.unparse(node.func)
        for name, arg, v in zip(inspect.signature(getattr(self.run.room, verb)).parameters, node.args, given, strict=False):
            if name in ENTERING.get(verb, ()):
                one = Quantity(verb, self.run.t, f"{name} entering", (), self.text(arg), np.array(v), node.lineno)
                self.run.handed.append(one)

    def leave(self, node: ast.Return, parts: list[ast.expr], values: list[Any]) -> None:
        """Note down what a step, or forward, returns."""
        cell = next(cell for cell, room in ROOMS.items() if room.GATES == self.run.room.GATES)
        for name, part, v in zip(LEAVING[cell].get(self.verb, ()), parts, values, strict=False):
            self.run.handed.append(
                Quantity(self.verb, self.run.t, f"{name} leaving", (), self.text(part), np.array(v), node.lineno)
            )

    def execute(self, node: ast.stmt) -> None:
        exec(compile(ast.fix_missing_locations(ast.Module([node], [])), self.verb, "exec"), self.globals, self.names)

    def store(self, target: ast.expr, value: Any) -> None:
        self.names["_"] = value
        self.execute(ast.Assign([target], ast.Name("_", ast.Load())))

    def statements(self, body: list[ast.stmt]) -> Any:
        """The value of the return statement if there is one."""
        for node in body:
            try:
                result = self.statement(node)
            except BrokenLineError:
                raise
            except Exception as e:
                raise BrokenLineError(self.where(node, f"{type(e).__name__}: {' '.join(str(e).split())}")) from e
            if result is not None:
                return result
        return None

    def where(self, node: ast.stmt, what: str) -> str:
        labels = ", ".join(self.labels(node))
        return f"{self.run.room.__name__.replace('.', '/')}.py, line {node.lineno}{labels and f', {labels}'}: {what}"

    def statement(self, node: ast.stmt) -> Any:
        """As ``statements``, of one."""
        if isinstance(node, ast.Assign):
            self.assign(node)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(ast.copy_location(ast.Assign([node.target], node.value), node))
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):  # dh[t + 1] at t = 1 is dh[2]
            self.execute(node)
            array, index = self.value(node.target.value), self.value(node.target.slice)
            self.note(f"{ast.unparse(node.target.value)}[{index}]", (), node, array[index], node)
        elif isinstance(node, ast.AugAssign):
            self.execute(node)
            self.note(ast.unparse(node.target), self.labels(node), node, self.names[ast.unparse(node.target)], node)
        elif isinstance(node, ast.If):
            return self.statements(node.body if self.value(node.test) else node.orelse)
        elif isinstance(node, ast.For):
            for item in self.value(node.iter):
                self.store(node.target, item)
                self.run.t = item
                result = self.statements(node.body)
                if result is not None:
                    return result
            self.run.t = None
        elif isinstance(node, ast.Return) and node.value is not None:
            return self.returned(node)
        elif hasattr(node, "body") or isinstance(node, (ast.Break, ast.Continue, ast.Match)):
            kind = type(node).__name__.lower()
            raise BrokenLineError(self.where(node, f"the trace cannot run a statement of the kind '{kind}' line by line"))
        else:
            self.execute(node)
        return None

    def assign(self, node: ast.Assign) -> None:
        taken, carried, target = self.taken(node.value), self.labels(node), node.targets[0]
        value = [self.value(part) for part in taken.elts] if isinstance(taken, ast.Tuple) else self.value(taken)
        self.store(target, value)
        if not carried:
            return
        if isinstance(node.value, ast.IfExp) and len(carried) == 2:  # one label for each branch
            carried = carried[:1] if self.value(node.value.test) else carried[1:]
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        if isinstance(taken, ast.Tuple):
            for name, part, v in zip(targets, taken.elts, value, strict=True):
                self.expand(ast.unparse(name), carried, part, v, node)
        elif len(targets) > 1:  # the pre-activations of all gates, split
            for k, (name, v) in enumerate(zip(targets, value, strict=True)):
                self.note(f"a_{ast.unparse(name)}", carried, f"{self.text(taken)}[{k}]", v, node)
        else:
            self.expand(ast.unparse(target), carried, taken, value, node)

    def expand(self, name: str, carried: Labels, part: Any, value: Any, node: ast.stmt) -> None:
        """One quantity, or one for each gate or each weight if the line computes several side by side."""
        call = part.func.id if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) else ""
        gates = self.run.room.GATES
        if call == "join":
            letters = name.partition("_")[2] or gates
            for g, arg, v in zip(letters, part.args, split(value, len(part.args)), strict=True):
                self.note(f"{name.partition('_')[0]}_{g}", carried, arg, v, node)
        elif call in ("Params", "State"):
            for field, arg, v in zip(value._fields, part.args, value, strict=False):
                if v is not None and ast.unparse(arg) != f"d{field}":
                    self.note(f"d{field}{'_0' * (call == 'State')}", carried, arg, v, node)
        elif len(name) > 1 and set(name) <= set(gates):
            for g, v in zip(name, split(value, len(name)), strict=True):
                self.note(g, carried, part, v, node)
        else:
            self.note(name, carried, part, value, node)

    def returned(self, node: ast.Return) -> Any:
        """The result; what is computed in the return statement itself is noted under the names that it goes by."""
        assert node.value is not None
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        values, carried = [self.value(self.taken(part)) for part in parts], self.labels(node)
        computed = [k for k, part in enumerate(parts) if not isinstance(part, ast.Name)] if carried else []
        for n, k in enumerate(computed):
            name, own = RETURNED[self.verb][k], carried
            if self.verb == "backward":
                own = () if name == "ds_0" else carried
            elif len(carried) == len(computed):
                own = (carried[n],)
            self.expand(name, own, self.taken(parts[k]), values[k], node)
        self.leave(node, parts, values)
        return tuple(values) if isinstance(node.value, ast.Tuple) else values[0]

    def taken(self, node: ast.expr) -> Any:
        """A copy of the expression with every choice replaced by the branch that is taken."""
        frame = self

        class Choose(ast.NodeTransformer):
            def visit_IfExp(self, choice):
                return self.visit(choice.body if frame.value(choice.test) else choice.orelse)

        return Choose().visit(copy.deepcopy(node))

    def labels(self, node: ast.stmt) -> Labels:
        """Those in the comments of its lines"""
        lines = self.lines[node.lineno - 1 : node.end_lineno]
        return tuple(label for line in lines for label in LABEL.findall(line.partition("#")[2]))

    def note(self, name: str, carried: Labels, part: ast.AST | str, value: Array, node: ast.stmt) -> None:
        formula = part if isinstance(part, str) else self.text(part)
        self.run.quantities.append(Quantity(self.verb, self.run.t, name, carried, formula, np.array(value), node.lineno))

    def text(self, part: ast.AST) -> str:
        """The code of an expression, as it is written, without the branches that were not taken."""
        code = segment(self.lines, part)
        for choice in self.choices:
            branch = self.taken(choice)
            written = f"({segment(self.lines, branch)})" if isinstance(branch, ast.BinOp) else segment(self.lines, branch)
            code = code.replace(f"({segment(self.lines, choice)})", written)
        return " ".join(re.sub(r"#.*", "", code).split())


def segment(lines: list[str], node: Any) -> str:
    """The code of a node."""
    if node.lineno == node.end_lineno:
        return lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()
    return ast.get_source_segment("\n".join(lines), node) or ""
