"""Checkpoints: what is saved comes back on either side, and what is not whole or not ours is refused with the reason."""

import json
import os
import pickle
import struct

import numpy as np
import pytest
from safetensors.numpy import save as save_arrays

import torch_impl.common.checkpoint
import torch_impl.models.language_model
import torch_impl.training.optim
from reference.common import batches, checkpoint
from reference.common.checkpoint import CheckpointError
from reference.models.language_model import LanguageModel
from reference.training import optim

from ..helpers import assert_equal

V, E, H = 7, 4, 5
BATCH = batches.windows(np.random.default_rng(0).integers(0, V, 60), 2, 6)[0]
EXTRA = {"counters": {"step": 3, "best": float("inf")}, "config": {"data": ["a.txt"], "lr": 0.1}, "vocabulary": list("abcdefg")}


def ours(seed=0, sizes=(V, E, H), dtype="float32", **options):
    return LanguageModel(*sizes, dtype=np.dtype(dtype), rng=np.random.default_rng(seed), **options)


def theirs(seed=0, sizes=(V, E, H), dtype="float32", **options):
    return torch_impl.models.language_model.LanguageModel(*sizes, dtype=dtype, rng=np.random.default_rng(seed), **options)


SIDES = {"reference": (ours, checkpoint, optim), "torch_impl": (theirs, torch_impl.common.checkpoint, torch_impl.training.optim)}
both_sides = pytest.mark.parametrize("side", SIDES)


def trained(side, kind="Adam"):
    """A model, an optimiser and a generator that have done something."""
    make, _, optimizers = SIDES[side]
    model = make()
    optimizer = getattr(optimizers, kind)(model)
    for _ in range(2):
        loss = model.loss(BATCH)
        if side == "reference":
            model.backward()
            optimizer.step(model.grads)
        else:
            model.zero_grad()
            loss.backward()
            optimizer.step()
    return model, optimizer


@pytest.fixture
def saved(tmp_path):
    model, optimizer = trained("reference")
    checkpoint.save(tmp_path / "c.safetensors", model, optimizer, generators={"model": model.rng}, **EXTRA)
    return tmp_path / "c.safetensors"


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("other", SIDES)
@both_sides
def test_everything_comes_back_on_either_side(side, other, kind, tmp_path):
    model, optimizer = trained(side, kind)
    SIDES[side][1].save(tmp_path / "c", model, optimizer, generators={"model": model.rng}, **EXTRA)
    make, files, optimizers = SIDES[other]
    again = make(seed=5)
    optimizer_again = getattr(optimizers, kind)(again)
    loaded = files.load(tmp_path / "c")
    files.restore(loaded, again, optimizer_again, generators={"model": again.rng}, vocabulary=EXTRA["vocabulary"])
    for k, v in model.state_dict().items():
        assert_equal(np.asarray(again.state_dict()[k]), np.asarray(v), k)
    assert again.rng.bit_generator.state == model.rng.bit_generator.state
    assert optimizer_again.state_dict()["options"] == optimizer.state_dict()["options"]
    for k, slots in optimizer.state_dict()["state"].items():
        for slot, v in slots.items():
            assert_equal(optimizer_again.state_dict()["state"][k][slot], v, slot)
    assert {k: getattr(loaded, k) for k in EXTRA} == EXTRA
    for k, v in model.carried_state().items():
        assert_equal(again.carried_state()[k], v, k)


def test_a_checkpoint_without_extras(tmp_path):
    checkpoint.save(tmp_path / "c", ours())
    loaded = checkpoint.load(tmp_path / "c")
    assert (loaded.optimizer, loaded.vocabulary, loaded.config, loaded.carried) == (None, None, {}, {})
    checkpoint.restore(loaded, ours(seed=2))


def refused(path, message, model=None, optimizer=None, **options):
    """Nothing of the model changes when a checkpoint is refused."""
    model = ours(seed=3) if model is None else model
    before = {k: np.asarray(v).copy() for k, v in model.state_dict().items()}
    files = checkpoint if isinstance(model, LanguageModel) else torch_impl.common.checkpoint

    def attempt():
        files.restore(files.load(path), model, optimizer, **options)

    with pytest.raises(CheckpointError, match=message):
        attempt()
    assert all((np.asarray(model.state_dict()[k]) == v).all() for k, v in before.items())


def test_cut_off_anywhere_it_is_refused(saved):
    data = saved.read_bytes()
    cut = saved.with_name("cut")
    for n in [*range(0, 400, 7), *range(400, len(data), 97), len(data) - 1]:
        cut.write_bytes(data[:n])
        with pytest.raises(CheckpointError, match=r"truncated|no checkpoint of this project"):
            checkpoint.load(cut)
    cut.write_bytes(data[:-1])
    refused(cut, f"is truncated: it has {len(data) - 1} of {len(data)} bytes")
    cut.write_bytes(data[:100])
    refused(cut, "is truncated: it ends after 100 bytes, within its header")
    cut.write_bytes(b"")
    refused(cut, "is no checkpoint of this project: it is empty")


def test_changed_anywhere_it_is_refused(saved):
    """One bit of any byte: weights, metadata, header."""
    data, changed = saved.read_bytes(), saved.with_name("changed")
    for at in [*range(0, len(data), 61), len(data) - 1]:
        broken = bytearray(data)
        broken[at] ^= 4
        changed.write_bytes(broken)
        with pytest.raises(CheckpointError):
            checkpoint.load(changed)
    broken = bytearray(data)
    broken[-1] ^= 1
    changed.write_bytes(broken)
    refused(changed, "was damaged or changed after it was written: its SHA-256 does not fit")
    changed.write_bytes(data + b"more")
    refused(changed, "is damaged")


class Bomb:
    """Unpickling it would leave a trace."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_is_refused_and_not_executed(tmp_path):
    (tmp_path / "c").write_bytes(pickle.dumps(Bomb(tmp_path / "trace")))
    refused(tmp_path / "c", "is no checkpoint of this project")
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + bytes(40),
        b"hello",
        bytes(64),
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", 40000) + b"[" * 40000,
        struct.pack("<Q", 21) + b'{"__metadata__":null}',
    ],
    ids=["zip", "text", "zeros", "empty header", "huge header", "null", "deep", "no metadata"],
)
def test_foreign_files_are_refused(content, tmp_path):
    (tmp_path / "c").write_bytes(content)
    refused(tmp_path / "c", r"is no checkpoint of this project|is truncated")


def test_another_version_is_refused(saved):
    data = saved.read_bytes().replace(checkpoint.FORMAT.encode(), b"bptt checkpoint 9")
    saved.write_bytes(data)
    refused(saved, "its format is 'bptt checkpoint 9', this program reads 'bptt checkpoint 1'")


def test_metadata_of_another_shape_is_refused_even_with_the_right_sum(saved):
    header = {"format": checkpoint.FORMAT, "meta": json.dumps([1]), "sha256": checkpoint.digest(json.dumps([1]), {})}
    saved.write_bytes(save_arrays({}, header))
    refused(saved, "its metadata is malformed")


def test_what_belongs_to_another_model_is_refused(saved):
    refused(saved, "embedding.weight has shape .7, 4. there, .8, 4. here", ours(sizes=(8, E, H)))
    refused(saved, "is of another LanguageModel: it lacks rnn.bias_hh_l1, ", ours(num_layers=2))
    refused(saved, "it has head.weight", ours(sizes=(V, 4, 4), tied=True))
    refused(saved, "rnn.weight_ih_l0 has shape .20, 4. there, .15, 4. here", ours(cell="gru"))
    refused(saved, "is in float32, the model in float64", ours(dtype="float64"))
    refused(saved, "is in float32, the model in float64", theirs(dtype="float64"))
    model = ours()
    refused(saved, "has the state of Adam, not of AdamW", model, optim.AdamW(model))
    refused(saved, "has no generator order", generators={"order": np.random.default_rng(0)})
    refused(saved, "vocabulary has 7 entries, not 3", vocabulary=list("abc"))
    refused(saved, "vocabulary is another: entry 6 is 'g' there, 'x' here", vocabulary=list("abcdefx"))

    class Tagger(LanguageModel):
        pass

    refused(saved, "is of a LanguageModel, not of a Tagger", Tagger(V, E, H))


def test_an_optimiser_that_does_not_fit_is_refused(saved):
    loaded = checkpoint.load(saved)
    loaded.optimizer["state"]["head.bias"]["exp_avg"] = np.zeros(3, np.float32)
    model = ours()
    with pytest.raises(CheckpointError, match=r"optimiser does not fit: exp_avg of 'head.bias' must have shape \(7,\)"):
        checkpoint.restore(loaded, model, optim.Adam(model))


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(saved, monkeypatch):
    before = saved.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"cannot be written: No space left on device"):
        checkpoint.save(saved, ours())
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"cannot be written: (No such file or directory|.*not found)"):
        checkpoint.save(saved.parent / "no such folder" / "c", ours())


def test_what_is_not_json_is_refused_before_anything_is_written(saved):
    before = saved.read_bytes()
    with pytest.raises(TypeError, match="not JSON serializable"):
        checkpoint.save(saved, ours(), config={"f": np.zeros(2)})
    assert saved.read_bytes() == before
