"""The language model: both sides from one seed, windows chained are one long window, what is refused."""

import numpy as np
import pytest
import torch

import torch_impl.models.language_model
from reference.common import batches
from reference.models.language_model import LanguageModel, draw_masks

from ..helpers import assert_close, assert_equal, draw_state

V, E, H = 11, 5, 6
CELLS = ("rnn", "lstm", "gru")
TOKENS = np.random.default_rng(0).integers(0, V, 100)


def both(cell="lstm", seed=0, **options):
    args = (V, options.pop("width", E), H, options.pop("layers", 1))
    ours = LanguageModel(*args, cell=cell, dtype=np.float64, rng=np.random.default_rng(seed), **options)
    theirs = torch_impl.models.language_model.LanguageModel(
        *args, cell=cell, dtype="float64", rng=np.random.default_rng(seed), **options
    )
    return ours, theirs


@pytest.mark.parametrize(
    "options", [{}, {"tied": True, "width": H}, {"layers": 2, "dropout": 0.3}, {"tied": True, "width": H, "dropout": 0.3}], ids=str
)
@pytest.mark.parametrize("cell", CELLS)
def test_one_seed_gives_one_model_and_the_same_losses_and_gradients(cell, options):
    """Weights, then dropout masks, then the state carried: three windows in training mode, then one in evaluation."""
    ours, theirs = both(cell, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for k, v in theirs.state_dict().items():
        assert_equal(ours.params[k], v, k)
    for batch in batches.windows(TOKENS, 3, 7)[:3]:
        loss = theirs.loss(batch)
        theirs.zero_grad()
        loss.backward()
        assert_close(np.array(ours.loss(batch)), loss)
        ours.backward()
        for k, p in theirs.named_parameters():
            assert_close(ours.grads[k], p.grad, k)
    assert_close(np.array(ours.eval().loss(batch)), theirs.eval().loss(batch))


@pytest.mark.parametrize("cell", CELLS)
def test_windows_whose_gradients_are_chained_are_one_long_window(cell):
    """With the gradient of the state passed back from window to window nothing is cut: full BPTT."""
    model, _ = both(cell)
    whole, *_ = batches.windows(TOKENS, 3, 12)
    parts = batches.windows(TOKENS, 3, 4)[:3]
    loss, _, pull = model.window(whole)
    grads, _ = pull(1.0)
    state, total, pulls = None, 0.0, []
    for part in parts:
        l, state, p = model.window(part, state)
        total += l / 3
        pulls.append(p)
    assert_close(np.array(total), np.array(loss))
    summed, dstate = {k: np.zeros_like(v) for k, v in grads.items()}, None
    for p in reversed(pulls):
        g, dstate = p(1 / 3, dstate)
        summed = {k: summed[k] + g[k] for k in summed}
    for k, g in grads.items():
        assert_close(summed[k], g, k)


@pytest.mark.parametrize("cell", CELLS)
def test_a_cut_leaves_something_out_and_is_in_the_same_place_on_both_sides(cell):
    """The gradient of the second window alone: not zero through the state, and not there after the cut."""
    ours, theirs = both(cell)
    first, second = batches.windows(TOKENS, 3, 4)[:2]
    ours.loss(first)
    carried = ours.carried
    ours.loss(second)
    ours.backward()
    cut = ours.grads
    _, state, pull_1 = ours.window(first)
    _, _, pull_2 = ours.window(second, state)
    grads, dstate = pull_2(1.0)
    for k, g in grads.items():
        assert_equal(cut[k], g, k)
    through, _ = pull_1(0.0, dstate)
    assert max(np.abs(g).max() for g in through.values()) > 1e-4
    theirs.loss(first)
    theirs.loss(second).backward()
    for k, p in theirs.named_parameters():
        assert_close(cut[k], p.grad, k)
    assert_close(np.asarray(carried[0] if cell == "lstm" else carried), np.asarray(state[0] if cell == "lstm" else state))


def test_a_first_window_forgets_and_vjp_leaves_the_state_alone():
    model, _ = both()
    first, second = batches.windows(TOKENS, 3, 4)[:2]
    alone = model.loss(first)
    model.loss(second)
    carried = model.carried
    assert model.vjp(first)[0] == alone
    assert model.carried is carried
    assert model.vjp(second._replace(first=True))[0] != model.vjp(second)[0]


def test_windows_are_the_text():
    """Every stream, window after window, reads the text, and a target is the next token."""
    windows = batches.windows(np.arange(100), 3, 7)
    x, y = (np.concatenate([getattr(w, k) for w in windows]) for k in ("tokens", "targets"))
    assert (y == x + 1).all()
    np.testing.assert_array_equal(x.T, np.arange(99).reshape(3, 33))
    assert [len(w.tokens) for w in windows] == [7, 7, 7, 7, 5]
    assert [w.first for w in windows] == [True, False, False, False, False]
    assert all(w.tokens.flags.c_contiguous for w in windows)


def test_given_masks_are_used_as_they_are():
    ours, theirs = both(layers=2, dropout=0.5)
    batch = batches.windows(TOKENS, 3, 7)[0]
    masks = draw_masks(np.random.default_rng(5), (7, 3, E), H, 2, 0.5)
    given = batch._replace(masks=masks)
    losses = [ours.vjp(b)[0] for b in (given, given, batch)]
    assert losses[0] == losses[1] != losses[2]
    assert_close(np.array(ours.loss(given)), theirs.loss(given))


def test_a_carried_state_moves_between_the_sides():
    for cell in CELLS:
        ours, theirs = both(cell)
        ours.loss(batches.windows(TOKENS, 3, 4)[0])
        theirs.load_carried_state(ours.carried_state())
        assert list(theirs.carried_state()) == list(ours.carried_state())
        assert len(ours.carried_state()) == 1 + (cell == "lstm")
        for k, v in ours.carried_state().items():
            assert_equal(theirs.carried_state()[k], v)
        ours.load_carried_state({})
        theirs.load_carried_state({})
        assert ours.carried is theirs.carried is None


@pytest.mark.parametrize("cell", CELLS)
def test_logits_step_by_step_are_those_of_a_window(cell):
    ours, theirs = both(cell)
    ids = batches.windows(TOKENS, 3, 4)[0].tokens
    whole, _ = ours.logits(ids)
    state = None
    for t, row in enumerate(ids):
        z, state = ours.logits(row[None], state)
        assert_close(z[0], whole[t])
    assert_close(whole, theirs.logits(ids)[0])


def test_what_is_wrong_is_refused_in_a_sentence():
    ours, theirs = both()
    batch = batches.windows(TOKENS, 3, 4)[0]
    with pytest.raises(IndexError, match=r"must be from 0 to below 11, got 11"):
        ours.loss(batch._replace(tokens=batch.tokens * 0 + 11))
    with pytest.raises(IndexError, match=r"targets must be from 0 to below 11, got -1"):
        ours.loss(batch._replace(targets=batch.targets * 0 - 1))
    with pytest.raises(RuntimeError, match=r"targets must have shape \(4, 3\)"):
        ours.loss(batch._replace(targets=batch.targets[:3]))
    with pytest.raises(ValueError, match="masks need training mode and dropout above 0"):
        ours.loss(batch._replace(masks=draw_masks(np.random.default_rng(0), (4, 3, E), H, 1, 0.5)))
    ours.carried = draw_state(0, "LSTM", 1, 4, H)
    with pytest.raises(RuntimeError, match=r"state\[0\] must have shape \(1, 3, 6\), got \(1, 4, 6\)"):
        ours.loss(batch._replace(first=False))
    for model in (LanguageModel, torch_impl.models.language_model.LanguageModel):
        with pytest.raises(ValueError, match="tied needs embedding_dim == hidden_size, got 5 and 6"):
            model(V, E, H, tied=True)
        with pytest.raises(ValueError, match=r"cell must be one of .*rnn.*, .*lstm.*, .*gru.*, got 'elman'"):
            model(V, E, H, cell="elman")
    with pytest.raises(ValueError, match="3 streams need at least 4 tokens, got 3"):
        batches.windows(TOKENS[:3], 3, 5)
    with torch.no_grad():
        assert theirs.loss(batch).isfinite()
