"""Each row of notes/cells/conventions.md against the package itself: random weights, moved as the row says, in float64
(float32 where a layer has no more).

The judge is the parity rule (notes/judge/tolerances.md) against ``reference`` in longdouble, over the output and the final
states.  What a new layer starts from is checked on a new layer.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from parity_tests.judge.tolerance import judge

from .conventions import ROOMS, TABLE, Convention, Placed, cells, order, placed, table, unchecked

T, B, I, H = 3, 2, 4, 5
WIDE_I, WIDE_H = 60, 48  # of a new layer: enough draws to see what they are from
NEEDS = {"torch": "torch", "Keras": "keras", "ONNX": "onnx", "JAX": "jax", "flax": "flax", "equinox": "equinox"}
# Keras' matmul on its torch backend rounds float64 to float32 (test_why_two_rows_are_judged_in_float32); the fused LSTM
# and GRU(reset_after=True) do not go through it.
SINGLE = {"keras.layers.SimpleRNN", "keras.layers.GRU(reset_after=False)"}
CHECKED = [pytest.param(c, id=c.layer) for c in TABLE if not c.source]
GATED = [p for p in CHECKED if len(p.values[0].gates) > 1]
DRAWING = [p for p in CHECKED if p.values[0].input_from]


def needed(c: Convention) -> None:
    """A skip that says what is missing."""
    if find_spec(NEEDS[c.library]) is None:
        pytest.skip(f"extra 'conventions' is not installed: no module {NEEDS[c.library]}")


def drawn(c: Convention):
    """Standard normal numbers, in a dtype that the row's layer can hold."""
    normal = np.random.default_rng(0).standard_normal
    return lambda shape: normal(shape).astype(dtype_of(c)).astype(np.float64)


def problem(c: Convention) -> tuple[Any, np.ndarray, Any]:
    """Params, x (T, B, I) and State of a row's room in float64, all random; b_hn zero where the layer has none."""
    room, G, normal = ROOMS[c.cell], len(c.gates), drawn(c)
    p = room.Params(W_ih=normal((G * H, I)), W_hh=normal((G * H, H)), b_ih=normal(G * H), b_hh=normal(G * H))
    if c.biases == "no b_hn":
        p.b_hh[-H:] = 0
    return p, normal((T, B, I)), room.State(*(normal((B, H)) for _ in room.State._fields))


def cast(arrays, dtype):
    """A NamedTuple of arrays in a dtype; what is None stays."""
    return type(arrays)(*(v if v is None else v.astype(dtype) for v in arrays))


def expected(c: Convention, dtype, reset_after: bool) -> list[np.ndarray]:
    """[y, h_n] or [y, h_n, c_n] by reference."""
    p, x, s = (cast(v, dtype) if isinstance(v, tuple) else v.astype(dtype) for v in problem(c))
    y, s_n, _ = ROOMS[c.cell].forward(p, x, s, **({"reset_after": reset_after} if c.cell == "gru" else {}))
    return [y, *s_n]


def agrees(c: Convention, w: Placed, reset_after: bool) -> bool:
    """Whether the library's layer with these weights computes what reference computes with the original ones."""
    dtype, (_, x, s) = dtype_of(c), problem(c)
    w = Placed(w.W_ih.astype(dtype), w.W_hh.astype(dtype), tuple(b.astype(dtype) for b in w.biases))
    computed = RUN[c.library](c, w, x.astype(dtype), cast(s, dtype), reset_after)
    oracle, baseline = expected(c, np.longdouble, reset_after), expected(c, dtype, reset_after)
    assert len(computed) == len(oracle)
    for v in computed:
        assert np.asarray(v).dtype == dtype
    return all(judge("", v, [b], o, dtype).ok for v, b, o in zip(computed, baseline, oracle, strict=True))


def dtype_of(c: Convention) -> str:
    """The widest dtype that a row's layer really computes in."""
    return "float32" if c.layer in SINGLE else "float64"


# --- the layers -------------------------------------------------------------------------------------------------------


def jax_numpy():
    """jax.numpy with 64 bits, on the CPU."""
    jax = import_module("jax")
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    return jax.numpy


def torch_layer(c, inputs, hidden):
    torch = import_module("torch")
    return getattr(torch.nn, c.layer.split(".")[-1])(inputs, hidden).double()


def run_torch(c, w, x, s, reset_after):
    torch, layer = import_module("torch"), torch_layer(c, I, H)
    layer.load_state_dict(
        dict(
            zip(
                ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"),
                map(torch.from_numpy, (w.W_ih, w.W_hh, *w.biases)),
                strict=True,
            )
        )
    )
    state = [torch.from_numpy(v)[None] for v in s]
    with torch.no_grad():
        y, s_n = layer(torch.from_numpy(x), tuple(state) if len(state) == 2 else state[0])
    return [y.numpy(), *(v[0].numpy() for v in (s_n if isinstance(s_n, tuple) else (s_n,)))]


def new_torch(c, inputs, hidden):
    W_ih, W_hh, *biases = (v.detach().numpy() for v in torch_layer(c, inputs, hidden).parameters())
    return Placed(W_ih, W_hh, tuple(biases))


def keras_layer(c, inputs, hidden, **more):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = import_module("keras")
    name, _, option = c.layer.removeprefix("keras.layers.").partition("(")
    told = {"reset_after": False} if option else {}
    layer = getattr(keras.layers, name)(hidden, dtype=dtype_of(c), **told, **more)
    layer.build((None, None, inputs))
    return layer


def run_keras(c, w, x, s, reset_after):
    layer = keras_layer(c, I, H, return_sequences=True, return_state=True)
    layer.set_weights([w.W_ih, w.W_hh, np.stack(w.biases) if len(w.biases) == 2 else w.biases[0]])
    y, *s_n = (v.detach().cpu().numpy() for v in layer(x.swapaxes(0, 1), initial_state=list(s)))
    return [y.swapaxes(0, 1), *s_n]


def new_keras(c, inputs, hidden):
    W_ih, W_hh, bias = (v.value.detach().cpu().numpy() for v in keras_layer(c, inputs, hidden).weights)
    return Placed(W_ih, W_hh, tuple(np.atleast_2d(bias)))


def run_onnx(c, w, x, s, reset_after):
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    given = {"X": x, "W": w.W_ih[None], "R": w.W_hh[None], "B": np.concatenate(w.biases)[None]}
    given |= dict(zip(("h_0", "c_0"), (v[None] for v in s), strict=False))
    told = {"linear_before_reset": int(reset_after)} if c.cell == "gru" and reset_after else {}  # else the default
    names = ["Y", "Y_h", "Y_c"][: 1 + len(s)]
    node = helper.make_node(c.layer, [*"XWRB", "", *list(given)[4:]], names, hidden_size=H, **told)
    values = [[helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in some] for some in (given, names)]
    y, *s_n = ReferenceEvaluator(helper.make_model(helper.make_graph([node], "one", *values))).run(None, given)
    return [y[:, 0], *(v[0] for v in s_n)]


def run_jax(c, w, x, s, reset_after):
    jnp, rnn = jax_numpy(), import_module("jax.experimental.rnn")
    flat = jnp.concatenate([jnp.ravel(v) for v in (w.W_ih, w.W_hh, *w.biases)])
    y, *s_n = rnn.lstm_ref(
        jnp.array(x.swapaxes(0, 1)),
        *(jnp.array(v)[None] for v in s),
        *rnn.unpack_lstm_weights(flat, I, H, 1, False),
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
    flat = rnn.init_lstm_weight(jax.random.key(0), inputs, hidden, 1, False)
    W_ih, W_hh, b_ih, b_hh = (np.asarray(v[0]) for v in rnn.unpack_lstm_weights(flat, inputs, hidden, 1, False))
    return Placed(W_ih, W_hh, (b_ih, b_hh))


def through_time(c, step, x, s):
    """A cell of flax or equinox over all steps; flax carries (c, h), the others h or (h, c)."""
    state, ys = s, []
    for x_t in x:
        state = step(x_t, state)
        ys.append(state[0])
    return [np.asarray(v) for v in (np.stack(ys), *state)]


def carried(c, cell, x, state):
    """One call of a flax cell in the order of reference's state."""
    new, _ = cell(tuple(reversed(state)) if c.cell == "lstm" else state[0], x)
    return tuple(reversed(new)) if c.cell == "lstm" else (new,)


def linen_cell(c, hidden):
    jnp = jax_numpy()
    return getattr(import_module("flax.linen"), c.layer.split(".")[-1])(hidden, param_dtype=jnp.float64)


def linen_names(c):
    """(name from the input, name from the hidden state) of each gate."""
    return [("i", "h")] if c.cell == "rnn" else [(f"i{gate}", f"h{gate}") for gate in c.gates]


def run_linen(c, w, x, s, reset_after):
    names, G = linen_names(c), len(c.gates)
    params = {
        of: {"kernel": block}
        for at, W in enumerate((w.W_ih, w.W_hh))
        for of, block in zip((pair[at] for pair in names), np.split(W, G, axis=1), strict=True)
    }
    side = 1 if c.cell == "lstm" else 0  # the one side that has the sum
    for pair, b in zip(names, np.split(w.biases[0], G), strict=True):
        params[pair[side]]["bias"] = b
    if c.biases == "n apart":
        params["hn"]["bias"] = w.biases[1]
    cell = linen_cell(c, H)
    return through_time(c, lambda x_t, state: carried(c, lambda *v: cell.apply({"params": params}, *v), x_t, state), x, s)


def new_linen(c, inputs, hidden):
    jnp, key = jax_numpy(), import_module("jax").random.key(0)
    cell = linen_cell(c, hidden)
    carry = cell.initialize_carry(key, (1, inputs))
    params = cell.init(key, carry, jnp.zeros((1, inputs)))["params"]
    W_ih, W_hh = (np.concatenate([params[pair[at]]["kernel"] for pair in linen_names(c)], axis=1) for at in (0, 1))
    biases = [
        np.concatenate(
            [params[name]["bias"] for pair in linen_names(c) for name in pair if "bias" in params[name] and name != "hn"]
        )
    ]
    return Placed(W_ih, W_hh, (*biases, *([np.asarray(params["hn"]["bias"])] if c.cell == "gru" else [])))


def nnx_cell(c, inputs, hidden):
    jnp, nnx = jax_numpy(), import_module("flax.nnx")
    return getattr(nnx, c.layer.split(".")[-1])(inputs, hidden, dtype=jnp.float64, param_dtype=jnp.float64, rngs=nnx.Rngs(0))


def nnx_parameters(c, cell):
    """W_ih, W_hh and the one bias, which the LSTM has on the side of the hidden state."""
    return cell.dense_i.kernel, cell.dense_h.kernel, (cell.dense_h if c.cell == "lstm" else cell.dense_i).bias


def run_nnx(c, w, x, s, reset_after):
    jnp, cell = jax_numpy(), nnx_cell(c, I, H)
    assert (cell.dense_i.bias is None) == (c.cell == "lstm")
    assert (cell.dense_h.bias is None) == (c.cell != "lstm")
    for held, v in zip(nnx_parameters(c, cell), (w.W_ih, w.W_hh, *w.biases), strict=True):
        held.set_value(jnp.array(v))
    return through_time(c, lambda x_t, state: carried(c, cell, x_t, state), x, tuple(map(jnp.array, s)))


def new_nnx(c, inputs, hidden):
    W_ih, W_hh, bias = (np.asarray(v.get_value()) for v in nnx_parameters(c, nnx_cell(c, inputs, hidden)))
    return Placed(W_ih, W_hh, (bias,))


def run_flax(c, *given):
    return (run_nnx if ".nnx." in c.layer else run_linen)(c, *given)


def new_flax(c, *given):
    return (new_nnx if ".nnx." in c.layer else new_linen)(c, *given)


def equinox_cell(c, inputs, hidden):
    jax_numpy()
    key = import_module("jax").random.key(0)
    return getattr(import_module("equinox").nn, c.layer.split(".")[-1])(inputs, hidden, key=key)


def equinox_parameters(c, cell):
    return cell.weight_ih, cell.weight_hh, cell.bias, *([cell.bias_n] if c.cell == "gru" else [])


def run_equinox(c, w, x, s, reset_after):
    jax, equinox = import_module("jax"), import_module("equinox")
    cell = equinox.tree_at(
        lambda cell: equinox_parameters(c, cell), equinox_cell(c, I, H), tuple(map(jax_numpy().array, (w.W_ih, w.W_hh, *w.biases)))
    )

    def step(x_t, state):
        new = jax.vmap(cell)(x_t, state if c.cell == "lstm" else state[0])
        return new if c.cell == "lstm" else (new,)

    return through_time(c, step, x, tuple(s))


def new_equinox(c, inputs, hidden):
    W_ih, W_hh, *biases = map(np.asarray, equinox_parameters(c, equinox_cell(c, inputs, hidden)))
    return Placed(W_ih, W_hh, tuple(biases))


RUN = {"torch": run_torch, "Keras": run_keras, "ONNX": run_onnx, "JAX": run_jax, "flax": run_flax, "equinox": run_equinox}
NEW = {"torch": new_torch, "Keras": new_keras, "JAX": new_jax, "flax": new_flax, "equinox": new_equinox}


# --- the rows ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("c", CHECKED)
def test_a_row_is_what_the_library_computes(c):
    needed(c)
    p, *_ = problem(c)
    for reset_after in c.resets or (True,):
        assert agrees(c, placed(c, p), reset_after), (c.layer, reset_after)


@pytest.mark.slow
@pytest.mark.parametrize("c", GATED)
def test_no_other_order_of_gates_agrees(c):
    needed(c)
    p, *_ = problem(c)
    right = placed(c, p)
    for other in permutations(c.gates):
        assert agrees(c, placed(c._replace(gates="".join(other)), p), c.resets[0] if c.resets else True) == (
            "".join(other) == c.gates
        ), other
    assert [v.shape for v in right.biases] == [v.shape for v in placed(c, p).biases]


@pytest.mark.slow
@pytest.mark.parametrize("c", [p for p in CHECKED if p.values[0].cell == "gru"])
def test_the_other_reset_does_not_agree(c):
    needed(c)
    if len(c.resets) == 2:  # what the node is told decides; the definition is told the opposite
        p, x, s = problem(c)
        y = run_onnx(c, placed(c, p), x, s, True)[0]
        assert np.abs(y - expected(c, np.float64, False)[0]).max() > 1e-3
    else:
        assert not agrees(c, placed(c, problem(c)[0]), not c.resets[0])


@pytest.mark.slow
@pytest.mark.parametrize("c", DRAWING)
def test_what_a_new_layer_starts_from(c):
    needed(c)
    new, G = NEW[c.library](c, WIDE_I, WIDE_H), len(c.gates)
    mine = placed(
        c,
        ROOMS[c.cell].Params(*(np.zeros(shape) for shape in ((G * WIDE_H, WIDE_I), (G * WIDE_H, WIDE_H), G * WIDE_H, G * WIDE_H))),
    )
    assert [v.shape for v in (new.W_ih, new.W_hh, *new.biases)] == [v.shape for v in (mine.W_ih, mine.W_hh, *mine.biases)]
    drawn_from(c.input_from, new.W_ih, c)
    drawn_from(c.hidden_from, new.W_hh, c)
    by_gate = [dict(zip(c.gates, np.split(b, G), strict=True)) for b in new.biases if len(b) == G * WIDE_H]
    for b in new.biases:
        assert (np.abs(b).max() <= WIDE_H**-0.5) & bool(b.any()) if c.bias_from == "uniform" else True
    for gates in by_gate:
        for gate, b in gates.items():
            if c.bias_from == "zeros":
                assert (b == (1 if gate == "f" and c.forget == "1" else 0)).all(), gate
    if c.cell == "lstm":
        assert (
            c.forget
            == {
                "zeros": c.forget if c.forget in "01" else None,
                "uniform": "uniform ±k, twice" if c.biases == "two" else "uniform ±k",
            }[c.bias_from]
        )


def drawn_from(what: str, W: np.ndarray, c: Convention) -> None:
    """Assert what one weight of a new layer was drawn from."""
    rows = W.T if c.transposed else W  # (G·H, in)
    fan_out, fan_in = rows.shape
    if what in ("uniform", "glorot"):
        limit = WIDE_H**-0.5 if what == "uniform" else (6 / (fan_in + fan_out)) ** 0.5
        assert 0.98 * limit < np.abs(W).max() <= limit
        assert abs(W.std() * 3**0.5 / limit - 1) < 0.05
    elif what == "lecun":
        assert abs(W.std() * fan_in**0.5 - 1) < 0.05
        assert np.abs(W).max() <= 2.3 * fan_in**-0.5  # cut off at two standard deviations before scaling
    else:  # the rows of (in, G·H), of all gates or of each
        for block in [rows] if what == "orthogonal" else np.split(rows, len(c.gates)):
            np.testing.assert_allclose(block.T @ block, np.eye(fan_in), atol=fan_in * np.finfo(W.dtype).eps)


@pytest.mark.slow
@pytest.mark.parametrize("module", ["flax.linen", "flax.nnx"])
def test_the_loops_of_flax_are_batch_first(module):
    """The rows of flax run its cells, a step at a time; what its RNN takes is its default."""
    needed(next(c for c in TABLE if c.library == "flax"))
    jax_numpy()
    assert signature(import_module(module).RNN.__init__).parameters["time_major"].default is False
    assert all(c.x == "B, T, I" for c in TABLE if c.library == "flax")


@pytest.mark.slow
def test_why_two_rows_are_judged_in_float32():
    """If this fails, Keras multiplies in float64 and SINGLE can go."""
    needed(next(c for c in TABLE if c.layer in SINGLE))
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras, a = import_module("keras"), np.random.default_rng(0).standard_normal((4, 4))
    off = np.abs(keras.ops.matmul(a, a).numpy() - a @ a).max()
    assert 1e-9 < off < 1e-5


# --- what needs no package --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("c", TABLE, ids=lambda c: c.layer)
def test_placing_loses_nothing(c):
    """The order is a permutation, and going back gives the weights."""
    p, *_ = problem(c)
    w = placed(c, p)
    assert sorted(order(c)) == list(range(len(c.gates)))
    assert len(c.own) == len(c.gates)
    blocks = np.split(w.W_ih.T if c.transposed else w.W_ih, len(c.gates))
    np.testing.assert_array_equal(np.concatenate([blocks[k] for k in np.argsort(order(c))]), p.W_ih)


def test_a_bias_without_a_place_is_refused():
    c = next(c for c in TABLE if c.biases == "no b_hn")
    p, *_ = problem(c)
    with pytest.raises(ValueError, match=r"no place for b_hn"):
        placed(c, p._replace(b_hh=np.ones(3 * H)))


def test_a_row_is_checked_or_has_a_source():
    assert {c.library for c in TABLE if not c.source} == NEEDS.keys() == RUN.keys()
    assert table().count("\n") == len(TABLE) + 1
    assert unchecked().count("\n") + 1 == sum(bool(c.source) for c in TABLE)
    assert all(cells(c)["library"].endswith("*") == bool(c.source) for c in TABLE)
