"""Symbols for numbers, and derivatives by SymPy: what the tests ``test_symbolic_*.py`` derive with.

A test writes the forward of a chapter down once more, in symbols.  SymPy differentiates each of its expressions.  The
chain through them runs from the inputs to the outputs, in ``DIGITS`` decimals: for every input, how each expression
moves with it.  So neither the derivatives nor the direction nor the rounding are those of the code under test.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from mpmath import mp

from reference.common.arrays import Array
from reference.common.parameters import TORCH_NAME

Arrays = tuple[Array, ...]
DIGITS = 60
ROUNDINGS = 64


def rule(symbols: list, expressions: list) -> Callable:
    """Numbers for the symbols -> the expressions' values, and their derivatives with respect to each symbol by SymPy."""
    slopes = [[e.diff(s) for s in symbols] for e in expressions]
    return sp.lambdify(symbols, [expressions, slopes], "mpmath", cse=True)


class Call(NamedTuple):
    """A rule put to use on these symbols, and the Parts that it gives."""

    rule: Callable
    args: tuple
    results: list


class Part(sp.Dummy):
    """A symbol that stands for one result of a call, so that what it goes into stays short."""

    call: Call


def applied(rule: Callable, args: Iterable, count: int) -> list[Part]:
    """A Part for each of the rule's ``count`` results; an argument that is not a symbol becomes a Part itself."""
    call = Call(rule, tuple(a if isinstance(a, sp.Symbol) else _part(a) for a in args), [Part("part") for _ in range(count)])
    for part in call.results:
        part.call = call
    return call.results


def _part(e) -> Part:
    e = sp.sympify(e)
    reads = sorted(e.free_symbols, key=str)
    return applied(rule(reads, [e]), reads, 1)[0]


def derived(function: Callable) -> Callable:
    """A function of arrays of symbols whose derivatives SymPy finds once for each set of shapes, not at every use."""

    @cache
    def for_shapes(*shapes):
        given = [sp.symarray(f"arg{n}", shape) for n, shape in enumerate(shapes)]
        out = function(*given)
        outs = out if isinstance(out, tuple) else (out,)
        flat = [e for v in outs for e in np.ravel(v)]
        return rule([s for v in given for s in np.ravel(v)], flat), [np.shape(v) for v in outs], isinstance(out, tuple)

    def call(*arrays):
        derivatives, shapes, several = for_shapes(*map(np.shape, arrays))
        sizes = [int(np.prod(shape)) for shape in shapes]
        parts = applied(derivatives, (a for v in arrays for a in np.ravel(v)), sum(sizes))
        cut = np.split(np.array(parts, object), np.cumsum(sizes)[:-1])
        outs = tuple(v.reshape(shape)[()] for v, shape in zip(cut, shapes, strict=True))
        return outs if several else outs[0]

    return call


def jacobian(outputs: Iterable, symbols: Iterable) -> Callable[[Iterable], tuple[Array, Array]]:
    """A function of numbers, one for each symbol: the values of the outputs and their derivatives with respect to the symbols."""
    symbols, ends = list(symbols), [_part(e) for e in outputs]
    calls = in_order(ends)

    def at(numbers: Iterable) -> tuple[Array, Array]:
        with mp.workdps(DIGITS):
            value = {s: mp.mpf(v) for s, v in zip(symbols, numbers, strict=True)}
            moved: dict[Any, dict] = {s: {s: mp.mpf(1)} for s in symbols}
            for call in calls:
                values, slopes = call.rule(*(value[a] for a in call.args))
                for p, v, row in zip(call.results, values, slopes, strict=True):
                    moves: dict[Any, Any] = {}
                    value[p] = mp.mpf(v)
                    for a, slope in zip(call.args, row, strict=True):
                        for s, m in moved[a].items() if slope else ():
                            moves[s] = moves.get(s, 0) + slope * m
                    moved[p] = moves
            slopes = [[moved[p].get(s, mp.mpf(0)) for s in symbols] for p in ends]
            return np.array([value[p] for p in ends], object), np.array(slopes, object)

    return at


def in_order(ends: Iterable[Part]) -> list[Call]:
    """The calls that these parts come from, each after those that it reads."""
    ordered: dict[int, Call] = {}

    def visit(call: Call) -> None:
        if id(call) not in ordered:
            for a in call.args:
                if isinstance(a, Part):
                    visit(a.call)
            ordered[id(call)] = call

    for p in ends:
        visit(p.call)
    return list(ordered.values())


class Symbols(dict):
    """Named arrays of symbols, each of which stands for one number.

    s = Symbols(W=np.array([[0.5, -2.0]]), x=np.array([1.0, 3.0]))
    s.gradient((s["W"] @ s["x"])[0])     # {"W": [[1, 3]], "x": [0.5, -2]}
    """

    def __init__(self, arrays: Mapping[str, Array] = {}, **more: Any):
        super().__init__()
        self.numbers: dict[Any, Any] = {}
        for name, v in {**arrays, **more}.items():
            numbers = np.asarray(v)
            self[name] = np.empty(numbers.shape, object)
            for index in np.ndindex(numbers.shape):
                self[name][index] = symbol = sp.Symbol(f"{name}_{'_'.join(map(str, index))}".replace(".", "_"))
                self.numbers[symbol] = numbers[index]

    def value(self, output: Any) -> Any:
        """The number that an expression, or each of an array of them, comes to."""
        return np.reshape(self.jacobian(np.ravel(output))[0], np.shape(output))

    def gradient(self, output: Any) -> dict[str, Array]:
        """The derivative of one expression with respect to every symbol, named and shaped like the arrays."""
        return self.named(self.jacobian([output])[1][0])

    def jacobian(self, outputs: Iterable) -> tuple[Array, Array]:
        """n expressions  ->  their values (n,) and derivatives (n, symbols), in ``DIGITS`` decimals"""
        return jacobian(outputs, self.numbers)(self.numbers.values())

    def named(self, row: Array) -> dict[str, Array]:
        """One number for each symbol, in order  ->  named and shaped like the arrays"""
        of = dict(zip(self.numbers, row, strict=True))
        return {name: np.array([of[s] for s in v.ravel()], object).reshape(v.shape) for name, v in self.items()}


def agree(by_code: Mapping[str, Any], by_symbols: Mapping[str, Any]) -> None:
    """Every array of the code is that of the symbols, to a few roundings of its largest entry or of 1."""
    assert by_code.keys() <= by_symbols.keys()
    for name, v in by_code.items():
        computed, expected = np.asarray(v), np.asarray(by_symbols[name], object)
        assert computed.shape == expected.shape, name
        assert computed.dtype == np.float64, name
        if computed.size:
            largest = max(1.0, float(max(abs(expected.ravel()))))
            wrong = float(max(abs(computed.ravel().astype(object) - expected.ravel())))
            assert wrong <= ROUNDINGS * np.finfo(float).eps * largest, (name, computed, expected.astype(float))


def inner(d: Any, v: Any) -> Any:
    """⟨d, v⟩, the loss whose gradient with respect to v is d"""
    return np.sum(np.asarray(d) * np.asarray(v))


# Functions of one symbol, for arrays of them.
tanh, exp, log = (np.frompyfunc(f, 1, 1) for f in (sp.tanh, sp.exp, sp.log))
sigmoid = np.frompyfunc(lambda a: 1 / (1 + sp.exp(-a)), 1, 1)
relu = np.frompyfunc(lambda a: sp.Piecewise((a, a > 0), (0, True)), 1, 1)


@derived
def softmax(z: Array) -> Array:
    """Of one row of symbols."""
    return exp(z) / exp(z).sum()


@derived
def surprise(z: Array) -> Array:
    """-log softmax(z), of one row of symbols"""
    return log(exp(z).sum()) - z


# One step of each cell: p W_ih, W_hh, b_ih, b_hh and what else there is, x a vector, the state one or two vectors.


def rnn(nonlinearity: Callable) -> Callable:
    def step(W: Array, V: Array, b: Array, d: Array, x: Array, h: Array) -> Arrays:
        return (nonlinearity(W @ x + b + V @ h + d),)

    return derived(step)


@derived
def lstm(W: Array, V: Array, b: Array, d: Array, x: Array, h: Array, c: Array) -> Arrays:
    i, f, g, o = np.split(W @ x + b + V @ h + d, 4)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru(reset_after: bool) -> Callable:
    def step(W: Array, V: Array, b: Array, d: Array, x: Array, h: Array) -> Arrays:
        (W_r, W_z, W_n), (V_r, V_z, V_n), (b_r, b_z, b_n), (d_r, d_z, d_n) = (np.split(v, 3) for v in (W, V, b, d))
        r, z = sigmoid(W_r @ x + b_r + V_r @ h + d_r), sigmoid(W_z @ x + b_z + V_z @ h + d_z)
        by_h = r * (V_n @ h + d_n) if reset_after else V_n @ (r * h) + d_n
        return ((1 - z) * tanh(W_n @ x + b_n + by_h) + z * h,)

    return derived(step)


STEPS = {"rnn": rnn(tanh), "rnn-relu": rnn(relu), "lstm": lstm, "lstm-proj": lstm, "gru": gru(True), "gru-before": gru(False)}


def unroll(kind: str, p: Any, xs: Iterable, s: tuple) -> tuple[list, list[tuple]]:
    """Parameters, a list of vectors, the first state  ->  y of every step, and every state, the first one too"""
    states = [s]
    for x in xs:
        h, *rest = STEPS[kind](p.W_ih, p.W_hh, p.b_ih, p.b_hh, x, *states[-1])
        states.append((h if getattr(p, "W_hr", None) is None else p.W_hr @ h, *rest))
    return [h for h, *_ in states[1:]], states


def layer(s: Mapping[str, Array], prefix: str = "", suffix: str = "_l0") -> SimpleNamespace:
    """The weights of one layer and direction among named symbols."""
    return SimpleNamespace(**{field: s.get(f"{prefix}{name}{suffix}") for field, name in TORCH_NAME.items()})
