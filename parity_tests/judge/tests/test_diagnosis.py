"""The hand-written rooms against witnesses that share no code with their backward."""

import numpy as np
import pytest
import torch

import reference
import torch_impl

from ..cases import KINDS
from ..definition import check
from ..diagnosis import AGREES, TWINS, by_autograd, by_complex_step, by_room, diagnose, disagreements, problem
from ..tolerance import judge


def room_of(kind):
    return getattr(reference, KINDS[kind]["cell"])


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_agrees_with_autograd(kind):
    """Every gate, state, dh_t, dc_t, da_t and weight gradient, by the tolerance rule."""
    assert disagreements(kind, room_of(kind)) == []
    assert AGREES in diagnose(kind, reference)


@pytest.mark.parametrize("kind", KINDS)
def test_both_witnesses_see_every_quantity(kind):
    """A quantity that only one side reports would be compared with nothing."""
    mine = by_room(room_of(kind), problem(kind, room_of(kind)))
    theirs = by_autograd(problem(kind, TWINS[KINDS[kind]["cell"]]))
    assert mine.keys() == theirs.keys()
    assert {k: v.shape for k, v in mine.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_agree_with_the_complex_step(kind):
    """Element by element, every weight, bias, input and initial state, by the tolerance rule."""
    by_step, by_hand = by_complex_step(kind, room_of(kind))
    assert len(by_step) >= 6
    for name, g in by_hand.items():
        v = judge(name, by_step[name], [g], g.astype(np.longdouble), "float64")
        assert v.ok, v


@pytest.mark.parametrize("kind", KINDS)
def test_the_definition_stands(kind):
    assert check(kind) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_hand_derived_bptt_passes_gradcheck(kind):
    """torch.autograd.gradcheck perturbs every input numerically, in float64."""
    q = problem(kind, TWINS[KINDS[kind]["cell"]], T=3, B=2)
    leaves = [None if v is None else torch.tensor(v, requires_grad=True) for v in (*q.p, q.x, *q.s)]
    n, room = len(q.p), TWINS[KINDS[kind]["cell"]]

    def run(*args):
        y, s_n = room.bptt(type(q.p)(*args[:n]), args[n], type(q.s)(*args[n + 1 :]), **q.options)
        return y, *s_n

    assert torch.autograd.gradcheck(run, leaves)


def test_bptt_refuses_a_second_derivative():
    """It has none, and says so instead of returning zeros."""
    lstm = torch_impl.LSTM(3, 5, way="bptt")
    y, _ = lstm(torch.randn(4, 2, 3))
    (g,) = torch.autograd.grad((y**2).sum(), lstm.weight_hh_l0, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()
