"""The adding problem: its data, its model against PyTorch, and that a cell learns it."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from parity_tests.helpers import assert_all, assert_close

from .. import adding
from ..adding import GUESS, Adder, draw, main, train


def test_the_target_is_the_sum_of_two_marked_numbers_one_in_each_half():
    batch = draw(np.random.default_rng(0), 9, 500)
    number, mark = batch.x[..., 0], batch.x[..., 1]
    assert set(np.unique(mark)) == {0, 1}
    assert (mark[:4].sum(0) == 1).all()
    assert (mark[4:].sum(0) == 1).all()
    assert_close((number * mark).sum(0), batch.target)
    assert np.unique(mark.argmax(0)).tolist() == [0, 1, 2, 3]


def test_always_saying_one_is_off_by_a_sixth():
    target = draw(np.random.default_rng(0), 4, 200_000, np.float64).target
    assert ((target - 1) ** 2).mean() == pytest.approx(GUESS, rel=0.01)


def test_fewer_than_two_steps_are_refused():
    with pytest.raises(ValueError, match="T must be at least 2, one step for each mark, got 1"):
        draw(np.random.default_rng(0), 1, 3)


LAYERS = {"rnn": nn.RNN, "relu": partial(nn.RNN, nonlinearity="relu"), "lstm": nn.LSTM, "gru": nn.GRU}


@pytest.mark.parametrize("cell", LAYERS)
@pytest.mark.parametrize("engine", ["definition", "fast"])
def test_loss_and_gradients_are_torchs(cell, engine):
    ours = Adder(cell, 6, dtype=np.float64, rng=np.random.default_rng(1), engine=engine)
    theirs = nn.ModuleDict({"rnn": LAYERS[cell](2, 6), "head": nn.Linear(6, 1)}).double()
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in ours.state_dict().items()})
    batch = draw(np.random.default_rng(2), 7, 5, np.float64)
    y, _ = theirs["rnn"](torch.from_numpy(batch.x))
    loss = nn.functional.mse_loss(theirs["head"](y[-1])[:, 0], torch.from_numpy(batch.target))
    assert ours.loss(batch) == pytest.approx(loss.item(), rel=1e-13)
    ours.backward()
    names = [k for k, _ in theirs.named_parameters()]
    assert_all(assert_close, ours.grads, dict(zip(names, torch.autograd.grad(loss, list(theirs.parameters())), strict=True)))


@pytest.mark.parametrize("init", ["orthogonal", "identity"])
def test_initial_matrices_are_what_their_name_says_gate_by_gate(init):
    W = Adder("gru", 8, init, dtype=np.float64, rng=np.random.default_rng(0)).params["rnn.weight_hh_l0"]
    for block in np.split(W, 3):
        assert_close(block @ block.T, np.eye(8))
        assert (np.abs(block - np.eye(8)).max() < 1e-12) == (init == "identity")


def test_keep_bias_moves_the_gates_that_keep():
    plain, more = (Adder("lstm", 3, keep_bias=k, rng=np.random.default_rng(0)).params["rnn.bias_hh_l0"] for k in (0, 2.5))
    assert_close(more - plain, np.repeat(np.array([-2.5, 2.5, 0, 0], np.float32), 3))
    with pytest.raises(ValueError, match="keep_bias needs a gate that keeps the old state, which 'rnn' lacks"):
        Adder("rnn", 3, keep_bias=1.0)


def test_a_gru_learns_ten_steps():
    model = Adder("gru", 32, rng=np.random.default_rng(0))
    log = train(model, 10, steps=300)
    assert log.error < GUESS / 10
    assert len(log.loss) == len(log.norm) == 300


def test_training_is_the_same_from_the_same_seed_and_stops_when_told():
    def once(**more):
        return train(Adder("lstm", 8, rng=np.random.default_rng(0)), 8, steps=200, batch=4, **more)

    assert once() == once()
    assert len(once(stop=1.0).loss) == 100


def test_clipping_bounds_what_the_optimiser_sees():
    """Plain gradient descent moves by the rate times the clipped norm."""
    model = Adder("rnn", 8, dtype=np.float64, rng=np.random.default_rng(0))
    before = model.state_dict()
    log = train(model, 8, steps=1, lr=0.5, clip=0.01, optimizer="sgd")
    moved = np.sqrt(sum(((model.params[k] - v) ** 2).sum() for k, v in before.items()))
    assert log.norm[0] > 0.01
    assert moved == pytest.approx(0.5 * 0.01, rel=1e-3)


def test_losses_are_those_of_the_batches_and_the_error_is_that_of_sequences_that_training_did_not_see(monkeypatch):
    """float64, in which no two random numbers are equal by chance."""
    batches, reports = [], []

    def recording(*args):
        batches.append(draw(*args))
        return batches[-1]

    monkeypatch.setattr(adding, "draw", recording)
    model, untrained = (Adder("gru", 4, dtype=np.float64, rng=np.random.default_rng(0)) for _ in range(2))
    log = train(model, 6, steps=200, batch=2, report=lambda *line: reports.append(line))
    *seen, unseen = batches
    assert len(seen) == 200
    assert not np.isin(unseen.x[..., 0], np.stack([b.x[..., 0] for b in seen])).any()
    assert log.error == pytest.approx(model.loss(unseen), rel=1e-12)
    assert log.loss[0] == pytest.approx(untrained.loss(seen[0]), rel=1e-12)
    assert reports == [(100, pytest.approx(np.mean(log.loss[:100]))), (200, pytest.approx(np.mean(log.loss[100:])))]


def test_the_command_prints_losses_and_the_baseline(monkeypatch, capsys):
    """What train() returns for the same options, and not one number for the other."""
    options = ["--T", "6", "--cell", "gru", "--hidden", "4", "--steps", "100", "--batch", "2"]
    monkeypatch.setattr("sys.argv", ["adding", *options])
    assert main() == 0
    log = train(Adder("gru", 4, rng=np.random.default_rng(0)), 6, steps=100, batch=2)
    loss, error, last = (f"{v:.4f}" for v in (np.mean(log.loss), log.error, log.loss[-1]))
    assert len({loss, error, last, "0.0000"}) == 4
    assert capsys.readouterr().out.splitlines() == [
        f"step   100  mean squared error {loss}",
        f"unseen sequences {error}, always answering 1 0.1667",
    ]
