"""Files of weights: what is written, the library that it is for loads and computes; what is damaged or foreign is a sentence."""

import json
import os
import pickle
import warnings
import zipfile
from contextlib import suppress

import numpy as np
import pytest
import torch

from reference.common.checks import UsageError
from reference.convert import files, ours
from reference.convert.finding import find
from reference.convert.stacks import stack
from torch_impl.convert.files import KINDS

from .problems import CHECKED, H, I, agree, expected, problem

for name in ("safetensors", "h5py", "onnx", "onnxruntime"):
    pytest.importorskip(name, reason="extra 'apps' is not installed")

ROWS = {c.layer: c for c in CHECKED}
LAYERS = ["torch.nn.RNN", "torch.nn.LSTM", "torch.nn.GRU"]
SIZES = [(1, 1), (3, 2), (2, 1)]
KINDS_OF_LAYER = [
    *((layer, {}) for layer in LAYERS),
    ("torch.nn.GRU", {"reset_after": False}),
    ("torch.nn.LSTM", {"bias": False}),
]
MODELS = {".keras": "keras", ".onnx": "onnx"}


def cast(p, dtype):
    """A problem in another dtype, to its last bit"""
    stack = p.stack._replace(weights={k: v.astype(dtype) for k, v in p.stack.weights.items()})
    return p._replace(stack=stack, x=p.x.astype(dtype), state=tuple(v.astype(dtype) for v in p.state))


def case(layer, layers=1, directions=1, dtype="float32", reset_after=True, bias=True):
    p = cast(problem(ROWS[layer], reset_after, layers=layers, directions=directions), dtype)
    if not bias:
        p = p._replace(stack=p.stack._replace(weights={k: v for k, v in p.stack.weights.items() if k.startswith("weight")}))
    return p


def read(path, places=()):
    """A file's stack, as the command reads it"""
    contents = files.read(path, KINDS)
    found = find(contents.arrays, contents.library, next(iter(contents.resets.values()), None))
    return stack(found, None, next(iter(contents.resets.values()), None), next(iter(contents.nonlinearities.values()), None))


def same(a, b):
    assert a._replace(weights={}) == b._replace(weights={})
    assert list(a.weights) == list(b.weights)
    for k, v in a.weights.items():
        assert (v.dtype, v.shape, v.tobytes()) == (b.weights[k].dtype, b.weights[k].shape, b.weights[k].tobytes()), k


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".pt", ".pth"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_arrays_come_back_from_a_file_bit_for_bit(tmp_path, layer, ending, dtype):
    given = case(layer, 12, 2, dtype).stack  # _l10 after _l2
    files.write(tmp_path / f"w{ending}", given, "torch", more=KINDS)
    same(read(tmp_path / f"w{ending}"), given)


# --- .onnx ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layers", "directions"), SIZES)
@pytest.mark.parametrize(("layer", "more"), KINDS_OF_LAYER)
def test_onnx_runtime_computes_what_was_written(tmp_path, layer, layers, directions, more):
    import onnx
    import onnxruntime

    p, path = case(layer, layers, directions, **more), tmp_path / "m.onnx"
    files.write(path, p.stack, "onnx")
    same(read(path), p.stack)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    states = [v if v.ndim == 3 else v[None] for v in p.state]
    computed = session.run(None, {"x": p.x} | dict(zip(("h_0", "c_0"), states, strict=False)))
    computed[1:] = [v if q.ndim == 3 else v[0] for v, q in zip(computed[1:], p.state, strict=True)]
    assert agree(computed, p, "float32")
    weights = {k: np.roll(v, H, 0) for k, v in p.stack.weights.items()}  # the judge sees a wrong order
    assert layer == LAYERS[0] or not agree(computed, p._replace(stack=p.stack._replace(weights=weights)), "float32")


def onnx_file(path, change):
    """A file of an LSTM, changed."""
    import onnx

    files.write(path, case("torch.nn.LSTM", directions=2).stack, "onnx")
    model = onnx.load(path)
    node = next(n for n in model.graph.node if n.op_type == "LSTM")
    change(onnx, model.graph, node)
    path.write_bytes(model.SerializeToString())


def with_attribute(**more):
    return lambda onnx, graph, node: node.attribute.extend(onnx.helper.make_attribute(k, v) for k, v in more.items())


def without_initializers(onnx, graph, node):
    del graph.initializer[:]


def elsewhere(onnx, graph, node):
    graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL


def peepholes(onnx, graph, node):
    node.input.append("p")


def short_data(onnx, graph, node):
    graph.initializer[0].raw_data = graph.initializer[0].raw_data[:-3]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (with_attribute(clip=1.0), "the node l0 has clip, which ours have not"),
        (with_attribute(input_forget=1), "has input_forget"),
        (with_attribute(activations=["HardSigmoid", "Tanh", "Tanh"] * 2), "has activations"),
        (peepholes, "has peepholes"),
        (without_initializers, "the weights l0/W of the node l0 are computed in the graph, not stored"),
        (elsewhere, "are in another file: save the model as one file"),
        (short_data, "of the node l0 are damaged"),
    ],
)
def test_an_onnx_node_that_ours_cannot_be_is_refused(tmp_path, change, sentence):
    onnx_file(tmp_path / "m.onnx", change)
    with pytest.raises(UsageError, match=sentence):
        files.read(tmp_path / "m.onnx")


def test_an_onnx_layer_that_runs_backwards_only_is_refused(tmp_path):
    def reverse(onnx, graph, node):
        next(a for a in node.attribute if a.name == "direction").s = b"reverse"

    onnx_file(tmp_path / "m.onnx", reverse)
    with pytest.raises(UsageError, match="has direction=reverse"):
        files.read(tmp_path / "m.onnx")


@pytest.mark.parametrize("layers", [1, 2])
def test_the_files_that_pytorch_exports_are_read(tmp_path, layers):
    """Constants instead of initializers, and no names of nodes: as others write them."""
    import onnx

    p = case("torch.nn.GRU", layers, 2)
    files.write(tmp_path / "m.onnx", p.stack, "onnx")
    model = onnx.load(tmp_path / "m.onnx")
    for t in list(model.graph.initializer):
        model.graph.node.insert(0, onnx.helper.make_node("Constant", [], [t.name], value=t))
    del model.graph.initializer[:]
    for node in model.graph.node:
        node.name = ""
    onnx.save(model, tmp_path / "n.onnx")
    same(read(tmp_path / "n.onnx"), p.stack)


# --- .keras -----------------------------------------------------------------------------------------------------------


def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", reason="extra 'dev' is not installed")


@pytest.mark.parametrize(("layers", "directions"), SIZES)
@pytest.mark.parametrize(("layer", "more"), KINDS_OF_LAYER)
def test_keras_computes_what_was_written(tmp_path, layer, layers, directions, more):
    p, path = case(layer, layers, directions, **more), tmp_path / "m.keras"
    p = p._replace(state=tuple(np.zeros_like(v) for v in p.state))  # a Keras model begins at zero
    files.write(path, p.stack, "keras")
    model = keras().saving.load_model(path)
    y = model(p.x.swapaxes(0, 1)).detach().numpy().swapaxes(0, 1)
    assert agree([y, *expected(p, "float32")[1:]], p, "float32")
    weights = {k: np.roll(v, H, 0) for k, v in p.stack.weights.items()}
    assert layer == LAYERS[0] or not agree(
        [y, *expected(p, "float32")[1:]], p._replace(stack=p.stack._replace(weights=weights)), "float32"
    )


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("both", [False, True])
def test_a_file_of_keras_is_read(tmp_path, name, both):
    """A model with names of its own and other layers, saved by Keras with random biases; two layers of one class."""
    k, draw = keras(), np.random.default_rng(0).standard_normal
    told = {"reset_after": False} if name == "GRU" else {"activation": "relu"} if name == "SimpleRNN" else {}
    made = [getattr(k.layers, name)(H, return_sequences=True, name=f"tower_{n}", **told) for n in "ab"]
    made = [k.layers.Bidirectional(layer, name=f"both_{layer.name}") if both else layer for layer in made]
    model = k.Sequential([k.Input((None, I)), k.layers.Dense(I, name="first"), *made, k.layers.Dense(2, name="head")])
    for v in model.weights:
        v.assign(draw(v.shape) / 2)
    with warnings.catch_warnings():  # Keras' own, of NumPy 2
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.keras")
    given = read(tmp_path / "m.keras")
    assert (given.num_layers, given.bidirectional) == (2, both)
    assert (given.reset_after, given.nonlinearity) == (name != "GRU", "relu" if name == "SimpleRNN" else "tanh")
    p = case({"SimpleRNN": "torch.nn.RNN"}.get(name, f"torch.nn.{name}"), 2, 1 + both)._replace(stack=given)
    p = p._replace(state=tuple(np.zeros_like(v) for v in p.state))
    y = p.x.swapaxes(0, 1)
    for layer in made:
        y = layer(y)
    assert agree([y.detach().numpy().swapaxes(0, 1), *expected(p, "float32")[1:]], p, "float32")


def rewritten(path, **parts):
    """A .keras file with some of its members replaced, or without them."""
    files.write(path, case("torch.nn.LSTM").stack, "keras")
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    held |= {name.replace("_", ".", 1) if name != "weights" else "model.weights.h5": v for name, v in parts.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in held.items():
            if data is not None:
                archive.writestr(name, data)


@pytest.mark.parametrize("weights", [None, b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(80)], ids=lambda v: str(v)[:12])
def test_a_keras_file_with_damaged_weights_is_refused(tmp_path, weights):
    rewritten(tmp_path / "m.keras", weights=weights)
    with pytest.raises(UsageError, match=r"is damaged, or no .keras file of Keras 3"):
        files.read(tmp_path / "m.keras")


@pytest.mark.parametrize(
    "config", [None, b"", b"{", b"[" * 100_000, b"\xff", json.dumps({"class_name": "LSTM", "config": {}}).encode()]
)
def test_a_keras_file_with_a_damaged_config_is_refused(tmp_path, config):
    rewritten(tmp_path / "m.keras", config_json=config)
    with pytest.raises(UsageError, match=r"is damaged, or no .keras file of Keras 3"):
        files.read(tmp_path / "m.keras")


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"activation": "relu"}, "the layer lstm_0 has activation='relu'; ours have tanh"),
        ({"recurrent_activation": "hard_sigmoid"}, "has recurrent_activation='hard_sigmoid'; ours have sigmoid"),
        ({"go_backwards": True}, "the layer lstm_0 goes backwards only"),
    ],
)
def test_a_keras_layer_that_ours_cannot_be_is_refused(tmp_path, own, sentence):
    path = tmp_path / "m.keras"
    files.write(path, case("torch.nn.LSTM").stack, "keras")
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"]["layers"][1]["config"] |= own
    rewritten(path, config_json=json.dumps(config).encode())
    with pytest.raises(UsageError, match=sentence):
        files.read(path)


# --- what is damaged, foreign or missing ------------------------------------------------------------------------------

ENDINGS = [".npz", ".safetensors", ".keras", ".onnx", ".pt"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_is_cut_off_is_a_sentence_wherever_it_ends(tmp_path, ending):
    """At every fortieth of its length; what is read in spite of it is what was written."""
    given, whole = case("torch.nn.LSTM").stack, tmp_path / f"whole{ending}"
    files.write(whole, given, MODELS.get(ending, "torch"), more=KINDS)
    data, path, refused = whole.read_bytes(), tmp_path / f"cut{ending}", 0
    for k in range(40):
        path.write_bytes(data[: len(data) * k // 40])
        try:
            contents = files.read(path, KINDS)
        except UsageError:
            refused += 1
        else:
            assert not find(contents.arrays, contents.library)
    assert refused >= 30


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_with_a_wrong_byte_is_read_or_is_a_sentence(tmp_path, ending):
    whole, path, draw = tmp_path / f"whole{ending}", tmp_path / f"wrong{ending}", np.random.default_rng(0)
    files.write(whole, case("torch.nn.GRU").stack, MODELS.get(ending, "torch"), more=KINDS)
    data, read = np.frombuffer(whole.read_bytes(), np.uint8), 0
    for _ in range(60):
        wrong = data.copy()
        wrong[draw.integers(len(wrong))] ^= 1 << draw.integers(8)
        path.write_bytes(wrong.tobytes())
        with suppress(UsageError):
            find(files.read(path, KINDS).arrays)
            read += 1
    assert read < 60


class Evil:
    def __reduce__(self):
        return os.mkdir, ("evil",)


def test_nothing_in_a_file_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "w.npz", a=np.array([Evil()], dtype=object))
    torch.save({"a": Evil()}, tmp_path / "w.pt")
    (tmp_path / "q.pt").write_bytes(pickle.dumps(Evil()))
    for name in ("w.npz", "w.pt", "q.pt"):
        with pytest.raises(UsageError, match="is damaged, or"):
            files.read(tmp_path / name, KINDS)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["w", "w.bin", "w.h5", "w.NPZ"])
def test_another_ending_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    for act in (lambda: files.read(tmp_path / name), lambda: files.write(tmp_path / name, case(LAYERS[0]).stack, "torch")):
        with pytest.raises(UsageError, match=r"must end in \.safetensors, \.npz, \.keras, \.onnx"):
            act()


def test_a_model_file_is_of_its_own_library():
    for name, library in (("m.keras", "torch"), ("m.onnx", "keras")):
        with pytest.raises(UsageError, match=r"file holds a model of (Keras|ONNX), not of"):
            files.write(name, case(LAYERS[1]).stack, library)


def test_a_state_dict_within_what_was_saved_is_found(tmp_path):
    layer = torch.nn.LSTM(I, H)
    torch.save({"epoch": 3, "model": {f"rnn.{k}": v for k, v in layer.state_dict().items()}, "sparse": torch.eye(3).to_sparse()},
               tmp_path / "w.pt")  # fmt: skip
    contents = files.read(tmp_path / "w.pt", KINDS)
    assert [str(f.place) for f in find(contents.arrays)] == ["model.rnn.*_l0"]


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_bfloat16_is_read_without_loss_as_float32(tmp_path, ending):
    """Beside what is no weight: numbers, flags, and 8 bits, which NumPy has not."""
    layer = torch.nn.LSTM(I, H).to(torch.bfloat16)
    if ending == ".pt":
        torch.save(layer.state_dict(), tmp_path / "w.pt")
    else:
        from safetensors.torch import save_file

        others = {"n": torch.arange(3), "on": torch.tensor([True]), "eight": torch.ones(2).to(torch.float8_e4m3fn)}
        save_file(layer.state_dict() | others, tmp_path / "w.safetensors")
    given = read(tmp_path / f"w{ending}").weights
    assert all((given[k] == v.float().numpy()).all() and given[k].dtype == np.float32 for k, v in layer.state_dict().items())


@pytest.mark.parametrize(("ending", "module"), [(".safetensors", "safetensors"), (".keras", "h5py"), (".onnx", "onnx")])
def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch, ending, module):
    monkeypatch.setattr("reference.common.extras.find_spec", lambda name: None)
    (tmp_path / f"w{ending}").write_bytes(b"")
    given, library = case(LAYERS[1]).stack, MODELS.get(ending, "torch")
    for act in (lambda: files.read(tmp_path / f"w{ending}"), lambda: files.write(tmp_path / f"v{ending}", given, library)):
        with pytest.raises(UsageError, match=f"{module} is needed and not installed; the extra 'apps' brings"):
            act()


def test_the_reset_of_a_keras_gru_without_biases_is_in_its_file(tmp_path):
    for reset_after in (True, False):
        p = case("torch.nn.GRU", reset_after=reset_after, bias=False)
        files.write(tmp_path / "m.keras", p.stack, "keras")
        same(read(tmp_path / "m.keras"), p.stack)


def test_ours_reads_what_a_reader_gives(tmp_path):
    p = case("torch.nn.LSTM", 2, 2)
    files.write(tmp_path / "w.npz", p.stack, "flax.linen")
    with np.load(tmp_path / "w.npz") as arrays:
        assert ours(dict(arrays)).num_layers == 2
