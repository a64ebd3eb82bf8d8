"""What is particular to attention: the sum written out, torch's own, padding, one step and many, the module, errors."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import reference
from reference.parts import attention
from torch_impl.parts import attention as twin
from torch_impl.parts.attention import Attention

from ..helpers import array, assert_close, assert_equal, draw, tensor

T, S, B, Q, K, A = 4, 5, 3, 2, 6, 7
MASK = np.arange(S)[:, None] < np.array([3, 5, 1])
SCORES = {
    "dot": lambda p, q, h: q @ h,
    "scaled": lambda p, q, h: q @ h / np.sqrt(K),
    "general": lambda p, q, h: (p.W_q @ q) @ h,
    "additive": lambda p, q, h: p.v @ np.tanh(p.W_q @ q + p.W_k @ h + p.b),
}
each_kind = pytest.mark.parametrize("kind", SCORES)


def problem(kind):
    """(module, q, h)"""
    wide = K if kind in ("dot", "scaled") else Q
    module = reference.Attention(wide, K, kind, A if kind == "additive" else None, dtype=np.float64, rng=np.random.default_rng(0))
    return module, draw(1, T, B, wide), draw(2, S, B, K)


@each_kind
def test_it_is_the_sum_written_out(kind):
    module, q, h = problem(kind)
    context, weights = module(q, h, MASK)
    for t in range(T):
        for b in range(B):
            n = MASK[:, b].sum()
            e = np.exp([SCORES[kind](module.p, q[t, b], h[s, b]) for s in range(n)])
            assert_close(weights[t, b], np.pad(e / e.sum(), (0, S - n)))
            assert_close(context[t, b], (e / e.sum()) @ h[:n, b])


def test_what_is_not_said_is_additive():
    module, q, h = problem("additive")
    keys = attention.keys_forward(module.p, h)
    for room, p, (q_, h_, keys_) in (
        (attention, module.p, (q, h, keys)),
        (twin, twin.Params(*map(tensor, module.p)), map(tensor, (q, h, keys))),
    ):
        for usual, said in (
            (room.forward(p, q_, h_), room.forward(p, q_, h_, None, "additive")),
            (room.attend_forward(p, q_, h_, keys_, None), room.attend_forward(p, q_, h_, keys_, None, "additive")),
        ):
            assert_equal(usual[0], said[0])
            assert_close(usual[0], module(q, h)[0])
    assert reference.Attention(Q, K).kind == twin.Attention(Q, K).kind == "additive"


def test_scaled_is_torchs_scaled_dot_product_attention():
    module, q, h = problem("scaled")
    leaves = [tensor(v).requires_grad_() for v in (q, h)]
    tq, th = (v.transpose(0, 1) for v in leaves)
    theirs = functional.scaled_dot_product_attention(tq, th, th, tensor(MASK.T[:, None])).transpose(0, 1)
    context, _ = module(q, h, MASK)
    assert_close(context, theirs)
    theirs.backward(tensor(draw(3, T, B, K)))
    for ours, leaf in zip(module.backward(draw(3, T, B, K)), leaves, strict=True):
        assert_close(ours, leaf.grad)


@each_kind
def test_the_twin_module_has_the_same_names_weights_and_gradients(kind):
    ours, q, h = problem(kind)
    theirs = Attention(q.shape[-1], K, kind, A if kind == "additive" else None, dtype=torch.float64, rng=np.random.default_rng(0))
    assert list(ours.params) == list(theirs.state_dict())
    for k, v in theirs.state_dict().items():
        assert_equal(ours.params[k], v)
    leaves = [tensor(v).requires_grad_() for v in (q, h)]
    expected = theirs(*leaves, tensor(MASK))
    dcontext, dweights = draw(3, T, B, K), draw(4, T, B, S)
    for a, b in zip(ours(q, h, MASK), expected, strict=True):
        assert_close(a, b)
    gradients = ours.backward(dcontext, dweights)
    ((expected[0] * tensor(dcontext)).sum() + (expected[1] * tensor(dweights)).sum()).backward()
    for ours_, leaf in zip(gradients, leaves, strict=True):
        assert_close(ours_, leaf.grad)
    assert list(ours.grads) == list(ours.params)
    for k, v in theirs.named_parameters():
        assert_close(ours.grads[k], v.grad, k)


@each_kind
def test_padding_is_as_if_it_were_not_there(kind):
    module, q, h = problem(kind)
    _, weights, pull = module.vjp(q, h, MASK)
    _, _, dh = pull(draw(3, T, B, K))
    assert_close(weights.sum(-1), np.ones((T, B)))
    assert (weights.transpose(2, 1, 0)[~MASK] == 0).all()
    assert (dh[~MASK] == 0).all() and (dh[MASK] != 0).all()


@each_kind
@pytest.mark.parametrize("spoilt", [1e9, np.nan, np.inf, -np.inf])
def test_what_padding_holds_reaches_nothing(kind, spoilt):
    """Neither outputs nor gradients, on both sides; what is not masked is not hidden."""
    ours, q, h = problem(kind)
    theirs = Attention(q.shape[-1], K, kind, A if kind == "additive" else None, dtype=torch.float64, rng=np.random.default_rng(0))
    dcontext, dweights = draw(3, T, B, K), draw(4, T, B, S)

    def of_reference(h):
        *outputs, pull = ours.vjp(q, h, MASK)
        grads, *of_inputs = pull(dcontext, dweights)
        return [*outputs, *of_inputs, *grads.values()]

    def of_torch(h):
        leaves = [tensor(q).requires_grad_(), tensor(h).requires_grad_(), *theirs.parameters()]
        outputs = theirs(*leaves[:2], tensor(MASK))
        return [*outputs, *torch.autograd.grad(outputs, leaves, [tensor(dcontext), tensor(dweights)])]

    for of_side in (of_reference, of_torch):
        for a, b in zip(of_side(np.where(MASK[..., None], h, spoilt)), of_side(h), strict=True):
            assert_equal(a, b)
        if not np.isfinite(spoilt):
            kept = h.copy()
            kept[0, 1, 0] = spoilt
            assert not np.isfinite(array(of_side(kept)[0])[:, 1]).all()


@each_kind
@pytest.mark.parametrize("one", [False, True], ids=["many", "one step"])
def test_results_belong_to_the_caller(kind, one):
    """Weights that are shown, scaled or set to zero in place are those of no later backward; nor is anything else shared."""
    module, q, h = problem(kind)
    q = q[0] if one else q
    context, weights, pull = module.vjp(q, h, MASK)
    dcontext, dweights = draw(3, *context.shape), draw(4, *weights.shape)
    grads, dq, dh = pull(dcontext, dweights)
    gradients = [*grads.values(), dq, dh]
    expected = [v.copy() for v in gradients]
    returned = [context, weights, *gradients]
    for k, a in enumerate(returned):
        assert not any(np.shares_memory(a, b) for b in [*returned[:k], q, h, dcontext, dweights, *module.params.values()])
        a[...] = 0
    grads, dq, dh = pull(dcontext, dweights)
    for again, before in zip([*grads.values(), dq, dh], expected, strict=True):
        assert_equal(again, before)


@each_kind
def test_one_step_is_a_row_of_many(kind):
    """In the values, and in the gradients summed over the steps, keys being computed once."""
    module, q, h = problem(kind)
    context, weights, pull = module.vjp(q, h, MASK)
    dcontext, dweights = draw(3, T, B, K), draw(4, T, B, S)
    grads, dq, dh = pull(dcontext, dweights)
    total = np.zeros_like(h)
    summed = {k: np.zeros_like(v) for k, v in grads.items()}
    for t in range(T):
        c_t, w_t, pull_t = module.vjp(q[t], h, MASK)
        assert_close(c_t, context[t])
        assert_close(w_t, weights[t])
        grads_t, dq_t, dh_t = pull_t(dcontext[t], dweights[t])
        assert_close(dq_t, dq[t])
        total += dh_t
        summed = {k: v + grads_t[k] for k, v in summed.items()}
    assert_close(total, dh)
    for k, v in grads.items():
        assert_close(summed[k], v, k)


@each_kind
def test_keys_may_be_hoisted_out_of_a_decoders_loop(kind):
    module, q, h = problem(kind)
    h = attention.blanked(np.where(MASK[..., None], h, np.nan), MASK)
    p, keys = module.p, attention.keys_forward(module.p, h)
    dcontext, dweights = draw(3, T, B, K), draw(4, T, B, S)
    _, _, k = attention.forward(p, q, h, MASK, kind)
    dp, _, dh = attention.backward(dcontext, dweights, k)
    dkeys, dmemory = np.zeros_like(keys), np.zeros_like(h)
    for t in range(T):
        _, _, k = attention.attend_forward(p, q[t : t + 1], h, keys, MASK, kind)
        _, _, dh_t, dkeys_t = attention.attend_backward(dcontext[t : t + 1], dweights[t : t + 1], k)
        dkeys, dmemory = dkeys + dkeys_t, dmemory + dh_t
    dW_k, db, dh_keys = attention.keys_backward(dkeys, p, h)
    assert_close(dmemory + dh_keys, dh)
    if kind == "additive":
        assert_close(dW_k, dp.W_k)
        assert_close(db, dp.b)


@pytest.mark.parametrize("kind", ["dot", "scaled"])
def test_scores_of_ten_thousand_do_not_overflow(kind):
    q, h = np.full((1, 1, 1), 100.0), np.array([100.0, -100.0, 99.0]).reshape(3, 1, 1)
    _, weights = reference.Attention(1, 1, kind, dtype=np.float64)(q, h)
    assert_close(weights[0, 0], np.array([1, 0, np.exp(-100)]))


def test_equal_keys_give_equal_weights():
    h = np.repeat(draw(1, 1, B, K), S, 0)
    _, weights = reference.Attention(K, K, "general", dtype=np.float64)(draw(2, T, B, K), h, MASK)
    assert_close(weights, np.broadcast_to((MASK / MASK.sum(0)).T, (T, B, S)))


def test_a_sequence_that_is_all_padding_is_an_error():
    module, q, h = problem("additive")
    mask = MASK & (np.arange(B) != 1)
    assert torch.isnan(Attention(Q, K).double()(tensor(q), tensor(h), tensor(mask))[0]).any()
    with pytest.raises(ValueError, match="mask must keep at least one step of each sequence, got none in sequence 1"):
        module(q, h, mask)


def test_other_errors_name_the_argument():
    module, q, h = problem("additive")
    with pytest.raises(RuntimeError, match=r"mask must have shape \(5, 3\), got \(3, 5\)"):
        module(q, h, MASK.T)
    with pytest.raises(RuntimeError, match="mask must be boolean, got int64"):
        module(q, h, MASK.astype(int))
    with pytest.raises(RuntimeError, match="Attention: memory must have 6 features on its last axis, got shape"):
        module(q, q)
    with pytest.raises(RuntimeError, match=r"with the same B, got \(4, 2, 2\) and \(5, 3, 6\)"):
        module(q[:, :2], h)
    with pytest.raises(ValueError, match="memory must have at least one step, got none"):
        module(q, h[:0])
    with pytest.raises(ValueError, match="kind must be one of additive, dot, general, scaled, got 'cosine'"):
        reference.Attention(Q, K, "cosine")
    with pytest.raises(ValueError, match="query_size must equal memory_size for kind 'dot', got 2 and 6"):
        reference.Attention(Q, K, "dot")
    with pytest.raises(ValueError, match="attention_size is for kind 'additive', got it for 'general'"):
        reference.Attention(Q, K, "general", 4)
    module(q, h)
    with pytest.raises(RuntimeError, match=r"Attention: dcontext must have shape \(4, 3, 6\), got \(3, 6\)"):
        module.backward(draw(1, B, K))
