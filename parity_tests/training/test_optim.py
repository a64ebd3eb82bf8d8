"""Optimisers and schedules are torch.optim's, step for step; their state moves between the two sides."""

from itertools import pairwise

import numpy as np
import pytest
import torch

import torch_impl.training.optim
from reference.common import schedules
from reference.training import optim

from ..helpers import assert_close, assert_equal, draw, tensor

SHAPES = {"weight": (7, 3), "bias": (5,), "one": (1, 1)}
OPTIONS = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.02}),
    ("SGD", {"weight_decay": 0.3}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.8, "weight_decay": 0.02}),
    ("RMSprop", {"alpha": 0.7, "eps": 1e-3, "momentum": 0.8, "centered": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.3, "lr_decay": 0.1, "weight_decay": 0.02}),
    ("Adagrad", {"initial_accumulator_value": 0.4, "eps": 1e-3}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.6, 0.8), "weight_decay": 0.02}),
    ("Adam", {"eps": 1e-2}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "betas": (0.5, 0.7), "weight_decay": 0.3}),
]
IDS = [f"{name}-{'-'.join(options) or 'defaults'}" for name, options in OPTIONS]


def start():
    return {name: draw(k, *shape) for k, (name, shape) in enumerate(SHAPES.items())}


def gradients(n):
    """Of very different sizes, so that an epsilon in the wrong place shows."""
    return {name: 10.0 ** (n % 5 - 3) * draw(100 * n + k, *shape) for k, (name, shape) in enumerate(SHAPES.items())}


def both(name, options):
    ours = getattr(optim, name)(start(), **options)
    theirs = getattr(torch_impl.training.optim, name)({k: tensor(v) for k, v in start().items()}, **options)
    return ours, theirs


def step(optimizer, n):
    grads = gradients(n)
    optimizer.step(grads if isinstance(optimizer, optim.Optimizer) else {k: tensor(v) for k, v in grads.items()})


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_a_hundred_steps_are_those_of_torch(name, options):
    """Gradients are given, so rounding is not amplified: each step adds one or two roundings to a parameter."""
    ours, theirs = both(name, options)
    for n in range(100):
        step(ours, n)
        step(theirs, n)
        for k, w in ours.params.items():
            assert_close(w, theirs.params[k], f"{k} after step {n}")
    moved = {k: np.abs(w - start()[k]).max() for k, w in ours.params.items()}
    assert min(moved.values()) > 1e-3


@pytest.mark.parametrize("name", optim.OPTIMIZERS)
def test_defaults_are_those_of_torch(name):
    ours, theirs = both(name, {})
    assert ours.options == theirs.state_dict()["options"]


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_state_moves_to_the_other_side_and_back(name, options):
    """Ten steps here, ten there, ten here: as thirty in one place."""
    ours, theirs = both(name, options)
    alone, _ = both(name, options)
    for n in range(10):
        step(ours, n)
    theirs.load_state_dict(ours.state_dict())
    for k, p in theirs.params.items():
        p.copy_(torch.from_numpy(ours.params[k]))
    for n in range(10, 20):
        step(theirs, n)
    back = getattr(optim, name)({k: p.numpy().copy() for k, p in theirs.params.items()})
    back.load_state_dict(theirs.state_dict())
    for n in range(20, 30):
        step(back, n)
    for n in range(30):
        step(alone, n)
    for k, w in alone.params.items():
        assert_close(back.params[k], w, k)


@pytest.mark.parametrize("side", [optim, torch_impl.training.optim], ids=["reference", "torch_impl"])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_a_loaded_state_continues_bit_for_bit(name, options, side):
    ours, theirs = both(name, options)
    one = ours if side is optim else theirs
    for n in range(7):
        step(one, n)
    copy = {k: np.copy(v) if side is optim else v.clone() for k, v in one.params.items()}
    two = getattr(side, name)(copy)
    two.load_state_dict(one.state_dict())
    for n in range(7, 12):
        step(one, n)
        step(two, n)
    for k, v in one.params.items():
        assert_equal(two.params[k], v, k)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_steps_are_counted_as_torch_counts_them(name, options):
    for one in both(name, options):
        for n in range(3):
            step(one, n)
        counted = {slots["step"] for slots in one.state_dict()["state"].values() if "step" in slots}
        assert counted == (set() if name == "SGD" else {3})


def test_moments_may_have_no_memory():
    ours, theirs = both("Adam", {"betas": (0.0, 0.0)})
    for n in range(3):
        step(ours, n)
        step(theirs, n)
    for k, v in ours.params.items():
        assert_close(v, theirs.params[k], k)


def test_gradients_are_not_written_to_and_a_saved_state_does_not_move():
    for name in optim.OPTIMIZERS:
        ours = getattr(optim, name)(start())
        grads = gradients(0)
        ours.step(grads)
        assert all((grads[k] == v).all() for k, v in gradients(0).items()), name
        saved = ours.state_dict()
        before = {k: {s: np.copy(v) for s, v in slots.items()} for k, slots in saved["state"].items()}
        ours.step(grads)
        assert all((v == saved["state"][k][s]).all() for k, slots in before.items() for s, v in slots.items()), name


def test_what_does_not_fit_is_refused_and_nothing_changes():
    ours = optim.Adam(start())
    ours.step(gradients(0))
    before = {k: v.copy() for k, v in ours.params.items()}
    with pytest.raises(KeyError, match="no gradient for 'one'"):
        ours.step({k: v for k, v in gradients(1).items() if k != "one"})
    with pytest.raises(ValueError, match=r"the gradient of 'bias' must have shape \(5,\), got \(4,\)"):
        ours.step(gradients(1) | {"bias": np.zeros(4)})
    for side in (ours, torch_impl.training.optim.Adam({k: tensor(v) for k, v in start().items()})):
        with pytest.raises(RuntimeError, match=r"exp_avg of 'bias' must have shape \(5,\), got \(4,\)"):
            side.load_state_dict(_with(ours.state_dict(), "bias", np.zeros(4)))
        renamed = ours.state_dict()
        renamed["state"]["other"] = renamed["state"].pop("bias")
        with pytest.raises(RuntimeError, match=r"does not fit: unknown .'other'., missing .'bias'."):
            side.load_state_dict(renamed)
        for change in (lambda held: held.pop("bias"), lambda held: held.update(other=held["bias"])):
            state = ours.state_dict()
            change(state["state"])
            with pytest.raises(RuntimeError, match="the optimiser's state does not fit: unknown"):
                side.load_state_dict(state)
        with pytest.raises(RuntimeError, match="the optimiser has the options"):
            side.load_state_dict(optim.SGD(start()).state_dict())
    assert all((before[k] == v).all() for k, v in ours.params.items())


def _with(state, name, value):
    state["state"][name]["exp_avg"] = value
    return state


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: optim.SGD(p, lr=-1), "lr must be 0 or more, got -1"),
        (lambda p: optim.SGD(p, momentum=-0.5), "momentum must be 0 or more"),
        (lambda p: optim.SGD(p, nesterov=True), "nesterov needs a momentum above 0"),
        (lambda p: optim.Adam(p, betas=(0.9, 1.0)), "betas must be two numbers from 0 to below 1"),
        (lambda p: optim.Adam(p, eps=float("nan")), "eps must be 0 or more, got nan"),
        (lambda p: optim.Adam(p, betas=0.9), "betas must be two numbers from 0 to below 1, got 0.9"),
        (lambda p: optim.SGD(p, lr="0.1"), "lr must be 0 or more, got '0.1'"),
        (lambda p: optim.Adagrad(p, initial_accumulator_value=-1.0), "initial_accumulator_value must be 0 or more, got -1.0"),
        (lambda p: optim.SGD({}), "at least one parameter"),
    ],
)
def test_bad_options_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(start())


# Schedules.


def rates(make, n=40):
    """The learning rates of a torch scheduler."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler, actual = make(optimizer), []
    for _ in range(n):
        actual.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return actual


LR = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (schedules.constant(0.3), lambda o: LR.ConstantLR(o, 1.0)),
        (schedules.step(0.3, 7, 0.5), lambda o: LR.StepLR(o, 7, 0.5)),
        (schedules.cosine(0.3, 12, 0.01), lambda o: LR.CosineAnnealingLR(o, 12, 0.01)),
        (schedules.warmup(0.3, 9, 0.2, 0.9), lambda o: LR.LinearLR(o, 0.2, 0.9, 9)),
        (
            schedules.sequential([schedules.warmup(0.3, 5, 0.1), schedules.step(0.3, 4)], [5]),
            lambda o: LR.SequentialLR(o, [LR.LinearLR(o, 0.1, total_iters=5), LR.StepLR(o, 4)], [5]),
        ),
        (
            schedules.sequential([schedules.warmup(0.3, 5), schedules.cosine(0.3, 20)], [6]),
            lambda o: LR.SequentialLR(o, [LR.LinearLR(o, total_iters=5), LR.CosineAnnealingLR(o, 20)], [6]),
        ),
    ],
    ids=["constant", "step", "cosine", "warmup", "warmup then step", "warmup then cosine"],
)
def test_schedules_are_those_of_torch(ours, theirs):
    """torch computes each rate from the one before, so its roundings add up over the steps."""
    actual = np.array([ours(n) for n in range(40)])
    np.testing.assert_allclose(actual, rates(theirs), rtol=0, atol=40 * 4 * np.finfo(float).eps * 0.3)


def test_warmup_rises_and_cosine_falls():
    up = [schedules.warmup(1.0, 10)(n) for n in range(11)]
    down = [schedules.cosine(1.0, 10)(n) for n in range(11)]
    assert all(a < b for a, b in pairwise(up)) and up[-1] == 1
    assert all(a > b for a, b in pairwise(down)) and abs(down[-1]) < 1e-15


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.step(0.1, 0), "step_size must be a number above 0, got 0"),
        (lambda: schedules.cosine(0.1, -3), "T_max must be a number above 0, got -3"),
        (lambda: schedules.warmup(0.1, 5, 0.0), "start_factor must be a number above 0"),
        (lambda: schedules.sequential([schedules.constant(1)], [3]), "1 schedules need 0 increasing milestones"),
    ],
)
def test_bad_schedules_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
