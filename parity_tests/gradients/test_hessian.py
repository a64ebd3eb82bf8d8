"""Hessian-vector products: by hand, by the complex step through our backward, and by PyTorch's double backward."""

import numpy as np
import pytest
import torch
from torch import nn

import torch_impl.gradients.hessian as twin
from reference.cells import lstm
from reference.gradients import hessian

from ..helpers import assert_all, assert_close
from ..judge.cases import KINDS
from .problem import ROOMS, TWINS, flat, problem, tensors

T = 5


def direction(q, seed=7):
    """A random change of everything."""
    rng = np.random.default_rng(seed)

    def each(v):
        return type(v)(*(None if u is None else rng.standard_normal(u.shape) for u in v))

    return hessian.Direction(each(q.p), rng.standard_normal(q.x.shape), each(q.s))


def upstream(q):
    """Of L = Σ ½ y² ∘ y dy + Σ ½ s_n² ds: nothing about it is linear, so that R of it counts."""

    def gradient(y, s_n, Ry, Rs_n):
        return (
            y**2 * q.dy,
            type(s_n)(*(v * d for v, d in zip(s_n, q.ds, strict=True))),
            2 * y * Ry * q.dy,
            type(s_n)(*(Rv * d for Rv, d in zip(Rs_n, q.ds, strict=True))),
        )

    return gradient


def loss(kind, q):
    """The same loss of tensors."""
    t = tensors(q)

    def value(*arrays):
        arrays = iter(arrays)
        p = type(t.p)(*(None if v is None else next(arrays) for v in t.p))
        x, s = next(arrays), type(t.s)(*arrays)
        y, s_n = TWINS[kind].loop(p, x, s, **q.options)
        return (y**3 * t.dy).sum() / 3 + sum((v**2 * d).sum() for v, d in zip(s_n, t.ds, strict=True)) / 2

    return value


def leaves(p, x, s):
    return [torch.from_numpy(v.copy()) for v in (*p, x, *s) if v is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_double_backward(kind):
    q = problem(kind, T)
    v = direction(q)
    gradient, Hv = hessian.product(ROOMS[kind], q.p, q.x, q.s, v, upstream(q), **q.options)
    actual, expected = twin.product(loss(kind, q), leaves(q.p, q.x, q.s), leaves(*v))
    names = list(flat(*gradient))
    assert_all(assert_close, flat(*gradient), dict(zip(names, actual, strict=True)))
    assert_all(assert_close, flat(*Hv), dict(zip(names, expected, strict=True)))


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_complex_step_through_our_backward(kind):
    """∇²ℓ v is the derivative of the gradient along v: the imaginary part of the backward run at θ + i ε v."""
    q, eps = problem(kind, T), 1e-30
    v = direction(q)
    _, Hv = hessian.product(ROOMS[kind], q.p, q.x, q.s, v, upstream(q), **q.options)

    def moved(u, w):
        return type(u)(*(None if a is None else a + 1j * eps * b for a, b in zip(u, w, strict=True)))

    room = ROOMS[kind]
    y, s_n, k = room.forward(moved(q.p, v.p), q.x + 1j * eps * v.x, moved(q.s, v.s), **q.options)
    dy, ds, _, _ = upstream(q)(y, s_n, y, s_n)
    complex_step = {name: u.imag / eps for name, u in flat(*room.backward(dy, ds, k)).items()}
    assert_all(assert_close, flat(*Hv), complex_step)


@pytest.mark.parametrize("kind", KINDS)
def test_the_hessian_is_symmetric(kind):
    """⟨u, ∇²ℓ v⟩ = ⟨v, ∇²ℓ u⟩: no other computation is needed to see it."""
    q = problem(kind, T)
    u, v = direction(q, 1), direction(q, 2)

    def times(w):
        return flat(*hessian.product(ROOMS[kind], q.p, q.x, q.s, w, upstream(q), **q.options)[1])

    def inner(w, Hw):
        return sum((a * b).sum() for a, b in zip(flat(*w).values(), Hw.values(), strict=True))

    assert inner(u, times(v)) == pytest.approx(inner(v, times(u)), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_product_is_linear_in_the_direction(kind):
    q = problem(kind, T)
    v = direction(q)
    twice = hessian.Direction(type(v.p)(*(None if u is None else -2 * u for u in v.p)), -2 * v.x, type(v.s)(*(-2 * u for u in v.s)))
    once, more = (flat(*hessian.product(ROOMS[kind], q.p, q.x, q.s, w, upstream(q), **q.options)[1]) for w in (v, twice))
    assert_all(assert_close, more, {k: -2 * u for k, u in once.items()})


def test_the_whole_hessian_of_a_small_lstm_is_torchs():
    """Column by column, in the recurrent matrix alone."""
    q = problem("lstm", 3, B=2)
    zero = hessian.Direction(lstm.Params(*(0 * u for u in q.p[:4])), 0 * q.x, lstm.State(0 * q.s.h, 0 * q.s.c))
    columns = []
    for at in range(0, q.p.W_hh.size, 7):
        unit = np.zeros(q.p.W_hh.size)
        unit[at] = 1
        v = zero._replace(p=zero.p._replace(W_hh=unit.reshape(q.p.W_hh.shape)))
        columns.append(hessian.product(lstm, q.p, q.x, q.s, v, upstream(q))[1][0].W_hh.ravel())
    t = leaves(q.p, q.x, q.s)
    H = torch.autograd.functional.hessian(lambda W: loss("lstm", q)(t[0], W, *t[2:]), t[1])
    assert_close(np.array(columns), H.reshape(len(unit), -1)[::7])


def library(q, device):
    """The loss of torch.nn.LSTM's own layer in float32, and what it is differentiated in."""
    layer = nn.LSTM(3, 6, device=device)
    for parameter, value in zip(layer.parameters(), q.p, strict=False):
        parameter.data.copy_(torch.from_numpy(value))
    x, dy = (torch.from_numpy(v.astype("float32")).to(device) for v in (q.x, q.dy))
    y, _ = layer(x, tuple(torch.from_numpy(v.astype("float32"))[None].to(device) for v in q.s))
    return (y**3 * dy).sum() / 3, list(layer.parameters()), y.grad_fn


def test_torchs_own_layer_on_the_cpu_can_be_differentiated_twice():
    """oneDNN's backward is a kernel too, but PyTorch has a second, differentiable one for it."""
    q = problem("lstm", T)
    q = q._replace(ds=type(q.ds)(*(0 * v for v in q.ds)))
    value, weights, grad_fn = library(q, "cpu")
    assert "Mkldnn" in grad_fn.name()
    v = direction(q)
    grads = torch.autograd.grad(value, weights, create_graph=True)
    along = sum((g * torch.from_numpy(w.astype("float32"))).sum() for g, w in zip(grads, v.p, strict=False))
    v = v._replace(x=0 * v.x, s=type(v.s)(*(0 * u for u in v.s)))
    exact = hessian.product(lstm, q.p, q.x, q.s, v, upstream(q))[1][0]
    for actual, by_hand in zip(torch.autograd.grad(along, weights), exact, strict=False):
        assert_close(actual, by_hand.astype("float32"))


def test_cudnn_cannot(device):
    if not device.startswith("cuda"):
        pytest.skip("cuDNN runs on a CUDA device only: --device cuda")
    value, weights, _ = library(problem("lstm", T), device)
    grads = torch.autograd.grad(value, weights, create_graph=True)
    with pytest.raises(RuntimeError, match="Double backwards is not supported for CuDNN RNNs"):
        torch.autograd.grad(sum((g**2).sum() for g in grads), weights)
