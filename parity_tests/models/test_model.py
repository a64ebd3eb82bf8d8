"""The base of models: children under names, parameters that are theirs, one loss and its gradients."""

from importlib import import_module
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn

import reference
from reference.common.batches import Window
from torch_impl.common.initial_weights import draw as draw_weights

from ..helpers import ENGINES, assert_all, assert_close, assert_equal, draw, tensor
from . import classifier, forecaster, generator, language_model, seq2seq, tagger
from .cases import CELLS


class Inner(reference.Model):
    def __init__(self, *, dtype=np.float64, rng=None):
        super().__init__(dtype=dtype, rng=rng)
        self.map = reference.Linear(4, 4, dtype=dtype, rng=self.rng)


class Toy(reference.Model):
    """Σ dy ∘ head(rnn(embedding(ids))), with a model inside that has no part in it."""

    def __init__(self, *, dtype=np.float64, rng=None):
        super().__init__(dtype=dtype, rng=rng)
        self.embedding = reference.Embedding(6, 3, dtype=dtype, rng=self.rng)
        self.rnn = reference.GRU(3, 4, dtype=dtype, rng=self.rng)
        self.inner = Inner(dtype=dtype, rng=self.rng)
        self.head = reference.Linear(4, 2, bias=False, dtype=dtype, rng=self.rng)

    def vjp(self, batch):
        ids, weight = batch
        x, pull_x = self.embedding.vjp(ids)
        y, _, pull_y = self.rnn.vjp(x)
        z, pull_z = self.inner.map.vjp(y)
        s, pull_s = self.head.vjp(z)

        def pullback(dloss=1.0):
            head, dz = pull_s(dloss * weight)
            inner, dy = pull_z(dz)
            rnn, dx, _ = pull_y(dy)
            return self._gather(embedding=pull_x(dx), rnn=rnn, inner={f"map.{k}": v for k, v in inner.items()}, head=head)

        return (weight * s).sum(), pullback


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(6, 3), nn.GRU(3, 4)
        self.inner = nn.ModuleDict({"map": nn.Linear(4, 4)})
        self.head = nn.Linear(4, 2, bias=False)

    def loss(self, ids, weight):
        return (weight * self.head(self.inner["map"](self.rnn(self.embedding(ids))[0]))).sum()


def toy():
    return Toy(rng=np.random.default_rng(0))


BATCH = np.array([[0, 5, 1], [2, 0, 0]]), draw(1, 2, 3, 2)


def test_names_weights_and_gradients_are_those_of_a_torch_module():
    ours, theirs = toy(), Twin().double()
    theirs.load_state_dict({k: tensor(v) for k, v in ours.state_dict().items()})
    loss = theirs.loss(*map(tensor, BATCH))
    loss.backward()
    assert_close(np.float64(ours.loss(BATCH)), loss)
    ours.backward()
    assert list(ours.grads) == list(ours.params) == list(theirs.state_dict())
    for k, v in theirs.named_parameters():
        assert_close(ours.grads[k], v.grad, k)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_generator_gives_both_sides_the_same_weights(dtype):
    ours, theirs = Toy(dtype=dtype, rng=np.random.default_rng(3)), Twin().to(getattr(torch, dtype))
    rng = np.random.default_rng(3)
    draw_weights(theirs, rng)
    for k, v in theirs.state_dict().items():
        assert_equal(ours.params[k], v, k)
    assert rng.random() == ours.rng.random()


def test_params_are_the_childrens_own_arrays():
    model = toy()
    model.params["rnn.bias_ih_l0"] += 1
    assert_equal(model.rnn.params["bias_ih_l0"], toy().rnn.params["bias_ih_l0"] + 1)


def test_load_state_dict_reaches_every_child_or_changes_nothing():
    model, other = toy(), Toy(rng=np.random.default_rng(1))
    model.load_state_dict(other.state_dict())
    assert model.loss(BATCH) == other.loss(BATCH)
    wrong = toy().state_dict() | {"head.weight": np.zeros((3, 3))}
    with pytest.raises(RuntimeError, match=r"state_dict\['head.weight'\] must have shape \(2, 4\), got \(3, 3\)"):
        model.load_state_dict(wrong)
    with pytest.raises(RuntimeError, match=r"missing 'head\.weight'; unexpected 'tail\.weight'"):
        model.load_state_dict({k.replace("head", "tail"): v for k, v in wrong.items()})
    assert model.loss(BATCH) == other.loss(BATCH)


def test_a_state_dict_of_tensors_is_taken():
    model = toy()
    model.load_state_dict({k: torch.zeros_like(tensor(v)) for k, v in model.state_dict().items()})
    assert model.loss(BATCH) == 0


def test_mode_reaches_every_child():
    model = toy().eval()
    assert not any(m.training for m in (model, model.rnn, model.inner, model.inner.map))
    assert model.train() is model
    assert all(m.training for m in (model, model.rnn, model.inner, model.inner.map))


def test_each_loss_allows_one_backward():
    model = toy()
    with pytest.raises(RuntimeError, match="needs a forward before it"):
        model.backward()
    model.loss(BATCH)
    model.backward()
    with pytest.raises(RuntimeError, match="each forward allows one backward"):
        model.backward()


def test_the_upstream_gradient_scales_every_gradient():
    _, pullback = toy().vjp(BATCH)
    for once, twice in zip(pullback().values(), pullback(2.0).values(), strict=True):
        assert_equal(twice, 2 * once)


IDS = np.random.default_rng(0).integers(0, language_model.V, (2, language_model.T, language_model.B))
MODELS = {  # what each is made of, and a batch
    reference.LanguageModel: ((language_model.V, language_model.E, language_model.H), Window(*IDS)),
    reference.Classifier: (classifier.case.args[2], classifier.BATCH),
    reference.Forecaster: (forecaster.case.args[2], forecaster.BATCH),
    reference.Generator: (generator.case.args[2], generator.BATCH),
    reference.Seq2seq: (seq2seq.case.args[2], seq2seq.BATCH),
    reference.Tagger: (tagger.case.args[2], tagger.BATCH),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_gradients_are_arrays_of_their_own(kind, cell, engine):
    """What clips, scales or adds to one in place changes no other, no weight, and nothing that a later backward reads."""
    sizes, batch = MODELS[kind]
    model = kind(*sizes, cell=cell, dtype=np.float64, rng=np.random.default_rng(0), engine=engine)
    _, pullback = model.vjp(batch)
    grads = pullback()
    before = {k: v.copy() for k, v in grads.items()}
    for (one, a), (other, b) in combinations([*grads.items(), *model.params.items()], 2):
        assert not np.shares_memory(a, b), (one, other)
    for v in grads.values():
        v[...] = 0
    assert_all(assert_equal, pullback(), before)


@pytest.mark.parametrize(
    ("name", "sizes", "embedding_dim", "hidden_size"),
    [
        ("Classifier", (9, 3), 32, 64),
        ("Forecaster", (2, 3), None, 64),
        ("Generator", (9, 6), 32, 128),
        ("LanguageModel", (9,), 128, 256),
        ("Seq2seq", (9, 8), 64, 128),
        ("Tagger", (9, 3), 32, 64),
    ],
)
def test_sizes_if_nothing_is_said(name, sizes, embedding_dim, hidden_size):
    """Checkpoints of models that were made so are read by models that are made so: on both sides, and for years."""
    ours = getattr(reference, name)
    for kind in (ours, getattr(import_module(ours.__module__.replace("reference", "torch_impl")), name)):
        shapes = {k: tuple(v.shape) for k, v in kind(*sizes).state_dict().items()}
        rnn = "decoder" if name == "Seq2seq" else "rnn"
        assert shapes[f"{rnn}.weight_hh_l0"] == (4 * hidden_size, hidden_size) and f"{rnn}.weight_hh_l1" not in shapes
        widths = {
            v[1] for k, v in shapes.items() if k in ("embedding.weight", "condition.weight", "source.weight", "target.weight")
        }
        assert widths == ({embedding_dim} if embedding_dim else set())
