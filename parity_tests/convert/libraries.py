"""The real layers of other libraries: run on arrays by the names that they have, and new ones made.

    run(c, arrays, x, s, reset_after)   one layer forwards: arrays by name, x (T, B, I), state (B, H) each  ->  [y, h_n] or with c_n
    new(c, inputs, hidden)              the arrays of a new layer

Every array must be wanted and every one that is wanted must be there, or it fails.
"""

import os
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from reference.convert.conventions import Convention
from reference.convert.naming import Place
from reference.convert.stacks import HAIKU

NEEDS = {
    "reference": "reference",
    "torch": "torch",
    "Keras": "keras",
    "ONNX": "onnx",
    "JAX": "jax",
    "flax.linen": "flax",
    "flax.nnx": "flax",
    "equinox": "equinox",
    "haiku": "haiku",
    "MLX": "mlx.nn",
    "Paddle": "paddle",
}
INSTALL = {"haiku": "dm-haiku", "mlx.nn": "mlx[cpu]", "paddle": "paddlepaddle"}  # that no extra brings
# Keras' matmul on its torch backend rounds float64 to float32; the fused LSTM and GRU(reset_after=True) do not go through it.
# MLX's sigmoid of float64 is only as exact as float32.  test_conventions.py shows both.
SINGLE = {"keras.layers.SimpleRNN", "keras.layers.GRU(reset_after=False)", "mlx.nn.LSTM", "mlx.nn.GRU"}


def needed(c: Convention) -> None:
    """A skip that says what is missing."""
    name = NEEDS[c.library]
    if find_spec(name.partition(".")[0]) is None or find_spec(name) is None:
        pytest.skip(f"pip install {INSTALL[name]} brings {name}" if name in INSTALL else f"extra 'dev' is not installed: no {name}")


def dtype_of(c: Convention) -> str:
    """The widest dtype that a row's layer really computes in."""
    return "float32" if c.layer in SINGLE else "float64"


def place_of(c: Convention) -> Place:
    """Where ``run`` wants the arrays of a single layer."""
    endings = {"reference": "_l0", "torch": "_l0", "Paddle": "_l0", "JAX": "/0", "ONNX": "[0]"}
    return Place(f"{HAIKU[c.cell]}/" if c.library == "haiku" else "", endings.get(c.library, ""))


def same_names(arrays, own):
    assert {k: np.shape(v) for k, v in arrays.items()} == {k: tuple(np.shape(v)) for k, v in own.items()}


def nested(arrays):
    """``a/b`` -> {a: {b: ...}}"""
    tree: dict[str, Any] = {}
    for name, v in arrays.items():
        *path, last = name.split("/")
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[last] = v
    return tree


def flat(tree, within=""):
    """The inverse of nested, as NumPy arrays"""
    if not hasattr(tree, "items"):
        return {within[:-1]: np.asarray(tree)}
    return {name: v for k, branch in tree.items() for name, v in flat(branch, f"{within}{k}/").items()}


# --- torch, Paddle ----------------------------------------------------------------------------------------------------


def torch_layer(c, inputs, hidden):
    torch = import_module("torch")
    return getattr(torch.nn, c.layer.split(".")[-1])(inputs, hidden).double()


def run_torch(c, arrays, x, s, reset_after):
    torch = import_module("torch")
    layer = torch_layer(c, x.shape[2], s[0].shape[1])
    layer.load_state_dict({name: torch.from_numpy(np.array(v)) for name, v in arrays.items()})
    state = [torch.from_numpy(v)[None] for v in s]
    with torch.no_grad():
        y, s_n = layer(torch.from_numpy(x), tuple(state) if len(state) == 2 else state[0])
    return [y.numpy(), *(v[0].numpy() for v in (s_n if isinstance(s_n, tuple) else (s_n,)))]


def new_torch(c, inputs, hidden):
    return {name: v.numpy() for name, v in torch_layer(c, inputs, hidden).state_dict().items()}


def paddle():
    """The package, in float64, on the CPU."""
    with warnings.catch_warnings():  # of compilers that it does not find
        warnings.simplefilter("ignore")
        package = import_module("paddle")
    package.set_device("cpu")
    package.set_default_dtype("float64")
    return package


def paddle_layer(c, inputs, hidden):
    return getattr(paddle().nn, c.layer.split(".")[-1])(inputs, hidden)


def run_paddle(c, arrays, x, s, reset_after):
    lib, layer = paddle(), paddle_layer(c, x.shape[2], s[0].shape[1])
    own = dict(layer.named_parameters())
    same_names(arrays, own)
    for name, v in arrays.items():
        own[name].set_value(v)
    state = [lib.to_tensor(v[None]) for v in s]
    y, s_n = layer(lib.to_tensor(x.swapaxes(0, 1)), tuple(state) if len(state) == 2 else state[0])
    return [y.numpy().swapaxes(0, 1), *(v.numpy()[0] for v in (s_n if isinstance(s_n, tuple) else (s_n,)))]


def new_paddle(c, inputs, hidden):
    return {name: v.numpy() for name, v in paddle_layer(c, inputs, hidden).named_parameters()}


# --- Keras ------------------------------------------------------------------------------------------------------------


def keras_layer(c, inputs, hidden, **more):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = import_module("keras")
    name, _, option = c.layer.removeprefix("keras.layers.").partition("(")
    told = {"reset_after": False} if option else {}
    layer = getattr(keras.layers, name)(hidden, dtype=dtype_of(c), **told, **more)
    layer.build((None, None, inputs))
    return layer


def run_keras(c, arrays, x, s, reset_after):
    layer = keras_layer(c, x.shape[2], s[0].shape[1], return_sequences=True, return_state=True)
    own = {v.name: v for v in layer.weights}
    same_names(arrays, own)
    for name, v in arrays.items():
        own[name].assign(v)
    y, *s_n = (v.detach().cpu().numpy() for v in layer(x.swapaxes(0, 1), initial_state=list(s)))
    return [y.swapaxes(0, 1), *s_n]


def new_keras(c, inputs, hidden):
    return {v.name: v.value.detach().cpu().numpy() for v in keras_layer(c, inputs, hidden).weights}


# --- ONNX, JAX --------------------------------------------------------------------------------------------------------


def run_onnx(c, arrays, x, s, reset_after):
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    given = {"X": x, **{name.removesuffix("[0]"): v[None] for name, v in arrays.items()}}
    given |= dict(zip(("h_0", "c_0"), (v[None] for v in s), strict=False))
    told: dict[str, Any] = {"linear_before_reset": int(reset_after)} if c.cell == "gru" and reset_after else {}  # else the default
    names = ["Y", "Y_h", "Y_c"][: 1 + len(s)]
    node = helper.make_node(c.layer, [*"XWRB", "", *list(given)[4:]], names, name=None, hidden_size=s[0].shape[1], **told)
    inputs, outputs = ([helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in some] for some in (given, names))
    evaluator = ReferenceEvaluator(helper.make_model(helper.make_graph([node], "one", inputs, outputs)))
    y, *s_n = map(np.asarray, evaluator.run(None, given))
    return [y[:, 0], *(v[0] for v in s_n)]


def jax_numpy():
    """jax.numpy with 64 bits, on the CPU."""
    jax = import_module("jax")
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    return jax.numpy


def run_jax(c, arrays, x, s, reset_after):
    jnp, rnn = jax_numpy(), import_module("jax.experimental.rnn")
    (T, B, I), H = x.shape, s[0].shape[1]
    same_names(arrays, new_jax(c, I, H))
    held = {name: {0: jnp.array(v)} for name, v in ((name[:-2], v) for name, v in arrays.items())}
    y, *s_n = rnn.lstm_ref(
        jnp.array(x.swapaxes(0, 1)),
        *(jnp.array(v)[None] for v in s),
        *(held[name] for name in ("W_ih", "W_hh", "b_ih", "b_hh")),
        jnp.full(B, T, jnp.int32),
        I,
        H,
        1,
        0.0,
        False,
    )
    return [np.asarray(y).swapaxes(0, 1), *(np.asarray(v)[0] for v in s_n)]


def new_jax(c, inputs, hidden):
    jax_numpy()
    jax, rnn = import_module("jax"), import_module("jax.experimental.rnn")
    packed = rnn.init_lstm_weight(jax.random.key(0), inputs, hidden, 1, False)
    held = rnn.unpack_lstm_weights(packed, inputs, hidden, 1, False)
    return {f"{name}/0": np.asarray(v[0]) for name, v in zip(("W_ih", "W_hh", "b_ih", "b_hh"), held, strict=True)}


# --- cells ------------------------------------------------------------------------------------------------------------


def through_time(step, x, s):
    """A cell over all steps, one at a time."""
    state, ys = tuple(s), []
    for x_t in x:
        state = step(x_t, state)
        ys.append(state[0])
    return [np.asarray(v) for v in (np.stack(ys), *state)]


def carried(c, cell, x, state):
    """One call of a flax cell, which carries (c, h), in the order of reference's state."""
    new, _ = cell(tuple(reversed(state)) if c.cell == "lstm" else state[0], x)
    return tuple(reversed(new)) if c.cell == "lstm" else (new,)


def linen_cell(c, hidden):
    jnp = jax_numpy()
    return getattr(import_module("flax.linen"), c.layer.split(".")[-1])(hidden, param_dtype=jnp.float64)


def run_linen(c, arrays, x, s, reset_after):
    cell, params = linen_cell(c, s[0].shape[1]), nested(arrays)
    same_names(arrays, new_linen(c, x.shape[2], s[0].shape[1]))
    return through_time(lambda x_t, state: carried(c, lambda *v: cell.apply({"params": params}, *v), x_t, state), x, s)


def new_linen(c, inputs, hidden):
    jnp, key = jax_numpy(), import_module("jax").random.key(0)
    cell = linen_cell(c, hidden)
    return flat(cell.init(key, cell.initialize_carry(key, (1, inputs)), jnp.zeros((1, inputs)))["params"])


def nnx_cell(c, inputs, hidden):
    jnp, nnx = jax_numpy(), import_module("flax.nnx")
    return getattr(nnx, c.layer.split(".")[-1])(inputs, hidden, dtype=jnp.float64, param_dtype=jnp.float64, rngs=nnx.Rngs(0))


def nnx_parameters(cell):
    nnx = import_module("flax.nnx")
    return {"/".join(map(str, path)): v for path, v in nnx.to_flat_state(nnx.state(cell, nnx.Param))}


def run_nnx(c, arrays, x, s, reset_after):
    jnp, nnx = jax_numpy(), import_module("flax.nnx")
    cell = nnx_cell(c, x.shape[2], s[0].shape[1])
    own = nnx_parameters(cell)
    same_names(arrays, {name: v.get_value() for name, v in own.items()})
    for name, v in own.items():
        v.set_value(jnp.array(arrays[name]))
    nnx.update(cell, nnx.from_flat_state([(tuple(name.split("/")), v) for name, v in own.items()]))
    return through_time(lambda x_t, state: carried(c, cell, x_t, state), x, tuple(map(jnp.array, s)))


def new_nnx(c, inputs, hidden):
    return {name: np.asarray(v.get_value()) for name, v in nnx_parameters(nnx_cell(c, inputs, hidden)).items()}


def equinox_cell(c, inputs, hidden):
    jax_numpy()
    key = import_module("jax").random.key(0)
    return getattr(import_module("equinox").nn, c.layer.split(".")[-1])(inputs, hidden, key=key)


def equinox_names(cell):
    equinox = import_module("equinox")
    return [name for name, v in vars(cell).items() if equinox.is_array(v)]


def run_equinox(c, arrays, x, s, reset_after):
    jax, equinox, jnp = import_module("jax"), import_module("equinox"), jax_numpy()
    cell = equinox_cell(c, x.shape[2], s[0].shape[1])
    same_names(arrays, {name: getattr(cell, name) for name in equinox_names(cell)})
    cell = equinox.tree_at(lambda cell: [getattr(cell, name) for name in arrays], cell, list(map(jnp.array, arrays.values())))

    def step(x_t, state):
        new = jax.vmap(cell)(x_t, state if c.cell == "lstm" else state[0])
        return new if c.cell == "lstm" else (new,)

    return through_time(step, x, s)


def new_equinox(c, inputs, hidden):
    cell = equinox_cell(c, inputs, hidden)
    return {name: np.asarray(getattr(cell, name)) for name in equinox_names(cell)}


def haiku_cell(c, hidden):
    """A pure function of parameters, x (B, I) and state"""
    hk = import_module("haiku")

    def step(x, state):
        cell = getattr(hk, c.layer.split(".")[-1])(hidden)
        _, new = cell(x, hk.LSTMState(*state) if c.cell == "lstm" else state[0])
        return tuple(new) if c.cell == "lstm" else (new,)

    return hk.without_apply_rng(hk.transform(step))


def haiku_flat(params):
    return {f"{module}/{name}": np.asarray(v) for module, held in params.items() for name, v in held.items()}


def run_haiku(c, arrays, x, s, reset_after):
    jnp = jax_numpy()
    same_names(arrays, new_haiku(c, x.shape[2], s[0].shape[1]))
    params: dict[str, Any] = {}
    for name, v in arrays.items():
        module, _, own = name.rpartition("/")
        params.setdefault(module, {})[own] = jnp.array(v)
    cell = haiku_cell(c, s[0].shape[1])
    return through_time(lambda x_t, state: cell.apply(params, x_t, state), x, s)


def new_haiku(c, inputs, hidden):
    jnp, key = jax_numpy(), import_module("jax").random.key(0)
    state = (jnp.zeros((1, hidden)),) * (2 if c.cell == "lstm" else 1)
    return haiku_flat(haiku_cell(c, hidden).init(key, jnp.zeros((1, inputs)), state))


def mlx_layer(c, inputs, hidden):
    mx = import_module("mlx.core")
    mx.set_default_device(mx.cpu)
    return getattr(import_module("mlx.nn"), c.layer.split(".")[-1])(inputs, hidden)


def run_mlx(c, arrays, x, s, reset_after):
    mx, layer = import_module("mlx.core"), mlx_layer(c, x.shape[2], s[0].shape[1])
    kind = getattr(mx, x.dtype.name)
    layer.load_weights([(name, mx.array(v, dtype=kind)) for name, v in arrays.items()], strict=True)
    given = [mx.array(np.ascontiguousarray(v), dtype=kind) for v in (x.swapaxes(0, 1), *s)]
    out = layer(*given)
    outs = [np.array(v).swapaxes(0, 1) for v in (out if isinstance(out, tuple) else (out,))]  # every step of h, and of c
    return [outs[0], *(v[-1] for v in outs)]


def new_mlx(c, inputs, hidden):
    utils = import_module("mlx.utils")
    return {name: np.array(v) for name, v in utils.tree_flatten(mlx_layer(c, inputs, hidden).parameters())}


RUN = {
    "torch": run_torch,
    "Keras": run_keras,
    "ONNX": run_onnx,
    "JAX": run_jax,
    "flax.linen": run_linen,
    "flax.nnx": run_nnx,
    "equinox": run_equinox,
    "haiku": run_haiku,
    "MLX": run_mlx,
    "Paddle": run_paddle,
}
NEW = {
    "torch": new_torch,
    "Keras": new_keras,
    "JAX": new_jax,
    "flax.linen": new_linen,
    "flax.nnx": new_nnx,
    "equinox": new_equinox,
    "haiku": new_haiku,
    "MLX": new_mlx,
    "Paddle": new_paddle,
}
