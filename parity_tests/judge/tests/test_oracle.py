"""The oracle, held against the definition in forty decimal digits, by mpmath; and verdicts where that is the oracle.

So the oracle is right where longdouble is wide, and the rule means the same where it is float64.
"""

from dataclasses import replace

import numpy as np
import pytest
from mpmath import mp

from reference.common import checks

from ..arithmetic import replaced
from ..cases import KINDS, Case, Spec
from ..implementations import BUILTIN
from ..oracle import Truth, compute, transform, truth
from ..verdicts import of_case

DIGITS = 40
EXACT = {
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "tanh": mp.tanh,
    "exp": mp.exp,
    "log": mp.log,
    "log1p": mp.log1p,
}
exactly = np.frompyfunc(mp.mpf, 1, 1)
# Plain; packed, over two layers and directions; with an output that is saturated; without a state.
SHAPES = {
    "plain": ({}, {}),
    "packed": ({"num_layers": 2, "bidirectional": True}, {"lengths": (4, 2, 5), "T": 5, "B": 3}),
    "saturated": ({}, {"gain": 4.0}),
    "no state": ({"batch_first": True, "bias": False}, {"state": False}),
}


def case_of(kind, shape, dtype="float64"):
    spec, more = SHAPES[shape]
    return Case(Spec(input_size=3, hidden_size=4, dtype=dtype, **(KINDS[kind] | spec)), label="mpmath", **more)


@pytest.fixture
def by_mpmath(monkeypatch):
    """Every output and gradient of a case by the definition itself, its numbers those of mpmath."""

    def run(case):
        data = transform(case.data(), lambda v: exactly(v.astype(object)) if v.size else v.astype(object))
        with mp.workdps(DIGITS), replaced(lambda name, _: np.frompyfunc(EXACT[name], 1, 1)), monkeypatch.context() as m:
            m.setattr(checks, "dtype", np.dtype)  # objects, too
            m.setattr(checks, "numbers", checks.given)
            layer = BUILTIN["numpy"].load(case.spec, data.weights)
            y, state_n = layer.forward(data.x, data.state, data.lengths)
            dx, dstate, dweights = layer.backward(data.dy, data.dstate)
        letters = "hc"[: len(state_n)]
        states = zip([f"{s}_n" for s in letters] + [f"d{s}_0" for s in letters], [*state_n, *dstate], strict=True)
        return {"y": y, "dx": dx, **dict(states), **{f"d{name}": v for name, v in dweights.items()}}

    return run


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_oracle_is_right_to_its_last_digits(kind, shape, by_mpmath):
    case = case_of(kind, shape)
    exact, oracle = by_mpmath(case), truth(case).oracle
    assert exact.keys() == oracle.keys()
    condition = 40 if shape == "saturated" else 1  # what a tanh near one loses
    for name, v in exact.items():
        with mp.workdps(DIGITS):
            wrong = max(map(abs, (v - as_exact(oracle[name])).ravel()))
            assert wrong <= 64 * condition * np.finfo(np.longdouble).eps * max(map(abs, v.ravel())), name


def as_exact(v):
    """A longdouble is a float64 and what that leaves."""
    high = v.astype(float)
    return exactly(high.astype(object)) + exactly((v - high).astype(float).astype(object))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_are_the_same_where_the_oracle_is_of_mpmath_in_float64(kind, shape, dtype, by_mpmath):
    """As on Windows and Apple silicon, but exact: what is right is accepted, and what is wrong by a little more is refused."""
    case = case_of(kind, shape, dtype)
    exact = {name: v.astype(np.float64) for name, v in by_mpmath(case).items()}
    judge_by = replace(truth(case), oracle=exact)
    if kind != "gru-before":
        right = compute(BUILTIN["torch.loop"].load(case.spec, case.data().weights), case, case.data())
        assert [v for v in of_case(case, judge_by, right) if not v.ok] == []
    assert [v for v in of_case(case, judge_by, judge_by.baselines[0]) if not v.ok] == []
    for name, v in judge_by.baselines[0].items():
        wrong = judge_by.baselines[0] | {name: v + v.dtype.type(3 * limit(case, judge_by, name))}
        assert [v.tensor for v in of_case(case, judge_by, wrong) if not v.ok] == [name]


def limit(case: Case, known: Truth, name: str) -> float:
    """What is allowed of a tensor at most."""
    from ..tolerance import allowed

    pick = [t[name] for t in known.baselines], [t[name] for t in known.moved()]
    return allowed(pick[0], known.oracle[name], case.spec.dtype, pick[1]).largest
