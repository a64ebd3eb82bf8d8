"""The edge contract: a table of what torch does at its edges and what reference does there.

Each row is done once to torch and once to reference; test_edges.py asserts the outcome of both.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

import reference

from ..helpers import INTEGERS, array, built, draw, leaves, refill, results, tensor

CELLS = ("RNN", "LSTM", "GRU")
ONE_STATE, PAIR = ("RNN", "GRU"), ("LSTM",)
ANY = ("",)  # for functions that know no cell
T, B, L, WIDTH, H = 4, 3, 2, 7, 5


class Side:
    """One of the two libraries, so that a row is written once.  Both draw the same numbers in the same order."""

    def __init__(self, library: str, cell: str):
        self.library, self.cell_name, self.drawn = library, cell, 0
        self.torch = library == "torch"
        self.rnn = nn.utils.rnn if self.torch else reference

    def layer(self, **options):
        return self._module(self.cell_name, **{"num_layers": L} | options)

    def cell(self, **options):
        return self._module(self.cell_name + "Cell", **options)

    def _module(self, name, dtype="float64", **options):
        options = {"input_size": WIDTH, "hidden_size": H} | options
        module = getattr(nn, name)(**options, dtype=getattr(torch, dtype)) if self.torch else built(name, **options, dtype=dtype)
        weights = {k: 0.6 * draw(100 + n, *v.shape) for n, (k, v) in enumerate(module.state_dict().items())}
        module.load_state_dict({k: tensor(v) if self.torch else v for k, v in weights.items()})
        return module

    def put(self, value):
        return tensor(value) if self.torch else np.asarray(value)

    def array(self, *shape, dtype="float64"):
        self.drawn += 1
        return self.put(draw(self.drawn, *shape).astype(dtype))

    def state(self, *shape, dtype="float64"):
        """A state as the cell takes it."""
        h = self.array(*shape, dtype=dtype)
        return (h, self.array(*shape, dtype=dtype)) if self.cell_name in PAIR else h

    def results(self, module, x, state=None):
        """Every output and gradient."""
        return results(module, array(x), state if state is None else refill(state, [array(v) for v in leaves(state)]))

    def pull(self, module, outputs, gradients):
        """Backward through what a module returned; gradients shaped as the module's backward takes them."""
        if self.torch:
            torch.autograd.backward(leaves(outputs), leaves(gradients))
        else:
            module.backward(*gradients)

    def packed(self, x, sizes):
        """A PackedSequence put together by hand."""
        return self.rnn.PackedSequence(x, self.put(np.array(sizes)))

    def changed(self, module, **entries):
        """The state_dict with entries replaced; None takes one out."""
        weights = dict(module.state_dict()) | entries
        return {k: v for k, v in weights.items() if v is not None}


class Works(NamedTuple):
    """Nothing is raised and no warning given."""


class Warns(NamedTuple):
    """It works, with this warning."""

    kind: type[Warning]
    says: str


class Raises(NamedTuple):
    """This error, its message matching a regular expression."""

    kind: type[Exception]
    says: str = ""


works = Works()


class Row(NamedTuple):
    """One edge."""

    name: str  # what is odd about it
    does: Callable[[Side], Any]  # what is done, to either side; what it returns is compared where both work
    torch: Any  # what torch does: an exception type, ``works`` or Warns; a dict where it depends on the cell
    ours: Any  # what reference does: Raises, ``works`` or Warns; only the message where it raises what torch does
    differs: str = ""  # why the two are not the same; empty where they are
    cells: tuple[str, ...] = CELLS  # which have this edge


def outcome_of_torch(row, cell):
    expected = row.torch[cell] if isinstance(row.torch, Mapping) else row.torch
    return Raises(expected) if isinstance(expected, type) else expected


def misshapen(pattern):
    """A regular expression for "must have shape A, got B", written "A, got B"."""
    return "must have shape " + re.escape(pattern)


# fmt: off
# Constructors.  What a layer and a cell share is generated for both.


def building(what, **options):
    """A row's deed: ``what``, a layer or a cell, and nothing done with it."""
    return lambda s: getattr(s, what)(**options)


def constructing_cell(**options):
    """Only the constructor: torch warns when weights of size zero are filled."""
    def does(s):
        library, dtype = (nn, torch.float64) if s.torch else (reference, "float64")
        getattr(library, s.cell_name + "Cell")(**{"input_size": WIDTH, "hidden_size": H, "dtype": dtype} | options)
    return does


def size_rows():
    for name in ("input_size", "hidden_size", "num_layers"):
        for value in (0, -1):
            says = Raises(ValueError, f"{name} must be greater than zero, got {value}")
            yield Row(f"{name}={value}", building("layer", **{name: value}), ValueError, says)
            if name != "num_layers":
                of_torch = RuntimeError if value else works
                yield Row(f"cell {name}={value}", constructing_cell(**{name: value}), of_torch, says,
                          "torch's cells do not look at sizes; a negative one fails at allocating")
        for other in (2.5, "3"):
            says = Raises(TypeError, f"{name} must be an int, got {type(other).__name__}")
            yield Row(f"{name}={other!r}", building("layer", **{name: other}), TypeError, says)
            if name != "num_layers":
                yield Row(f"cell {name}={other!r}", constructing_cell(**{name: other}), TypeError, says)


only_true = "torch asks only whether it is true"


def flag_rows():
    """What is no bool: a number counts as one in Python, and every word is true, "False" too."""
    for value in ("False", 0, 1, None, np.True_):
        says = f"must be True or False, got {value!r}"
        for name in ("bias", "batch_first"):
            yield Row(f"{name}={value!r}", building("layer", **{name: value}), TypeError, f"{name} {says}")
        for what, name in (("layer", "bidirectional"), ("cell", "bias")):
            yield Row(f"{what} {name}={value!r}", building(what, **{name: value}), works, Raises(TypeError, f"{name} {says}"),
                      only_true)
        for what in ("layer", "cell"):
            yield Row(f"{what} reset_after={value!r}", building(what, reset_after=value), TypeError, f"reset_after {says}",
                      cells=("GRU",))


not_for_cell = "the signature of the class rejects what only LSTM has"
sigmoid = Raises(ValueError, "nonlinearity must be 'tanh' or 'relu', got 'sigmoid'")

CONSTRUCTORS = [
    *size_rows(),
    *flag_rows(),
    Row("a nonlinearity in the place of bias", lambda s: getattr(nn if s.torch else reference, s.cell_name)(WIDTH, H, L, "tanh"),
        TypeError, "bias must be True or False, got 'tanh'", cells=("LSTM", "GRU")),
    Row("num_layers=True", building("layer", num_layers=True), works, Raises(TypeError, "num_layers must be an int, got bool"),
        "torch counts True as 1"),
    Row("hidden_size a NumPy integer", building("layer", hidden_size=np.int64(H)), TypeError, works,
        "a NumPy integer is an integer"),
    *(Row(f"dropout={value!r}", building("layer", dropout=value), ValueError,
          f"dropout must be a number from 0 to 1, got {value!r}")
      for value in (1.5, -0.1, float("nan"), True, "a")),
    Row("dropout with one layer", building("layer", num_layers=1, dropout=0.5),
        Warns(UserWarning, "dropout option adds dropout after all but last"),
        Warns(UserWarning, "dropout acts between layers, so dropout=0.5 does nothing with num_layers=1")),
    Row("dropout=1 leaves nothing", lambda s: s.results(s.layer(dropout=1.0), s.array(T, B, WIDTH), s.state(L, B, H)), works,
        works),
    Row("proj_size where there is none", building("layer", proj_size=2), ValueError,
        Raises(TypeError, "unexpected keyword argument 'proj_size'"), not_for_cell, ONE_STATE),
    *(Row(name, building("layer", proj_size=value), ValueError,
          rf"proj_size must be from 0 \(none\) to below hidden_size, 5, got {value}", cells=PAIR)
      for name, value in (("proj_size=hidden_size", H), ("proj_size>hidden_size", H + 1), ("proj_size=-1", -1))),
    Row("proj_size=2.5", building("layer", proj_size=2.5), TypeError, "proj_size must be an int, got float", cells=PAIR),
    Row("cell proj_size", building("cell", proj_size=2), TypeError, "unexpected keyword argument 'proj_size'"),
    Row("nonlinearity='sigmoid'", building("layer", nonlinearity="sigmoid"), ValueError, sigmoid, cells=("RNN",)),
    Row("cell nonlinearity='sigmoid'", building("cell", nonlinearity="sigmoid"), works, sigmoid,
        "torch's cell finds out at its first forward", ("RNN",)),
    Row("cell nonlinearity='sigmoid', used", lambda s: s.cell(nonlinearity="sigmoid")(s.array(B, WIDTH)), RuntimeError, sigmoid,
        "raised by the constructor, as for RNN", ("RNN",)),
    Row("nonlinearity where there is none", building("layer", nonlinearity="relu"), TypeError,
        "unexpected keyword argument 'nonlinearity'", cells=("LSTM", "GRU")),
    *(Row(f"{what} of integers", building(what, dtype="int64"), RuntimeError,
          Raises(TypeError, "dtype must be a floating or complex type, got int64"), "torch fails later")
      for what in ("layer", "cell")),
]

# Inputs.


def with_batch_sizes(dtype):
    """A row's deed: a PackedSequence whose batch_sizes have this dtype."""
    return lambda s: s.layer(bidirectional=True)(s.packed(s.array(6, WIDTH), np.array([3, 2, 1], dtype)))


no_dim = "torch asks a tuple for dim()"
features = "input must have input_size 7 as its last axis, got 6"
no_step = "input must have at least one time step, got shape "
float32_says = "input must have dtype float64, that of the weights, got "
INPUTS = [
    Row("0-D input", lambda s: s.layer()(s.array()), ValueError, r"input must be 2-D \(unbatched\) or 3-D, got 0-D"),
    Row("1-D input", lambda s: s.layer()(s.array(WIDTH)), ValueError, r"input must be 2-D \(unbatched\) or 3-D, got 1-D"),
    Row("4-D input", lambda s: s.layer()(s.array(1, T, B, WIDTH)), ValueError, r"input must be 2-D \(unbatched\) or 3-D, got 4-D"),
    Row("features", lambda s: s.layer()(s.array(T, B, 6)), RuntimeError, features),
    Row("features, unbatched", lambda s: s.layer()(s.array(T, 6)), RuntimeError, features),
    Row("features, batch first", lambda s: s.layer(batch_first=True)(s.array(B, T, 6)), RuntimeError, features),
    Row("features, packed", lambda s: s.layer()(s.packed(s.array(6, 6), [3, 2, 1])), RuntimeError, features),
    Row("packed data 1-D", lambda s: s.layer()(s.packed(s.array(6), [3, 2, 1])), RuntimeError,
        r"input.data must be 2-D \(rows, input_size\), got 1-D"),
    Row("packed data 3-D", lambda s: s.layer()(s.packed(s.array(6, 1, WIDTH), [3, 2, 1])), RuntimeError,
        r"input.data must be 2-D \(rows, input_size\), got 3-D"),
    Row("packed data of another dtype", lambda s: s.layer()(s.packed(s.array(6, WIDTH, dtype="float32"), [3, 2, 1])),
        {"RNN": ValueError, "GRU": ValueError, "LSTM": RuntimeError}, Raises(ValueError, float32_says + "float32"),
        "torch checks this for RNN and GRU only; LSTM fails in a product"),
    *(Row(f"batch_sizes {dtype}", with_batch_sizes(dtype), RuntimeError, works, "torch takes int64 alone; an integer is an integer")
      for dtype in INTEGERS if dtype != "int64"),
    Row("a pair that is no PackedSequence", lambda s: s.layer()((s.array(6, WIDTH), s.put(np.array([3, 2, 1])))), AttributeError,
        Raises(TypeError, "sequence must be a PackedSequence, got tuple"), no_dim),
    Row("float32 into float64", lambda s: s.layer()(s.array(T, B, WIDTH, dtype="float32")), ValueError, float32_says + "float32"),
    Row("integers", lambda s: s.layer()(s.array(T, B, WIDTH, dtype="int64")), ValueError, float32_says + "int64"),
    Row("T=0", lambda s: s.layer()(s.array(0, B, WIDTH)), RuntimeError, no_step + r"\(0, 3, 7\)"),
    Row("T=0, batch first", lambda s: s.layer(batch_first=True)(s.array(B, 0, WIDTH)), RuntimeError, no_step + r"\(3, 0, 7\)"),
    Row("T=0, unbatched", lambda s: s.layer()(s.array(0, WIDTH)), RuntimeError, no_step + r"\(0, 7\)"),
    Row("B=0", lambda s: s.results(s.layer(), s.array(T, 0, WIDTH), s.state(L, 0, H)), works, works),
    Row("B=0, batch first, bidirectional, no state",
        lambda s: s.results(s.layer(batch_first=True, bidirectional=True), s.array(0, T, WIDTH)), works, works),
    Row("cell 0-D input", lambda s: s.cell()(s.array()), ValueError, r"input must be 1-D \(unbatched\) or 2-D, got 0-D"),
    Row("cell 3-D input", lambda s: s.cell()(s.array(1, B, WIDTH)), ValueError,
        r"input must be 1-D \(unbatched\) or 2-D, got 3-D"),
    Row("cell features", lambda s: s.cell()(s.array(B, 6)), RuntimeError, features),
    Row("cell features, unbatched", lambda s: s.cell()(s.array(6)), RuntimeError, features),
    Row("cell float32 into float64", lambda s: s.cell()(s.array(B, WIDTH, dtype="float32")), RuntimeError,
        float32_says + "float32"),
    Row("cell integers", lambda s: s.cell()(s.array(B, WIDTH, dtype="int64")), RuntimeError, float32_says + "int64"),
    Row("cell B=0", lambda s: s.results(s.cell(), s.array(0, WIDTH), s.state(0, H)), works, works),
]

# States.


def state_row(name, of_layer, says, x=(T, B, WIDTH), **options):
    return Row(name, lambda s: s.layer(**options)(s.array(*x), s.state(*of_layer)), RuntimeError, "state.* " + misshapen(says))


def cell_state_row(name, of_cell, says, x=(B, WIDTH)):
    return Row(name, lambda s: s.cell()(s.array(*x), s.state(*of_cell)), RuntimeError, "state.* " + misshapen(says))


def cell_rank_row(x, h):
    return Row(f"cell state {len(h)}-D for {len(x)}-D input", lambda s: s.cell()(s.array(*x), s.state(*h)), ValueError,
               rf"state.* must be 1-D \(unbatched\) or 2-D, got {len(h)}-D")


one_array = "state must be one array, got a "
two_arrays = "state must be a pair of arrays, got "


def states_of(what, prefix, x, h):
    """What a layer and a cell share."""
    def given(state):
        return lambda s: getattr(s, what)()(s.array(*x), state(s))
    for name, dtype in (("state float32 into float64", "float32"), ("state of integers", "int64")):
        yield Row(prefix + name, given(lambda s, dtype=dtype: s.state(*h, dtype=dtype)), RuntimeError,
                  f"state.* must have dtype float64, that of the weights, got {dtype}")
    yield Row(prefix + "a pair for one state", given(lambda s: (s.array(*h), s.array(*h))), AttributeError,
              Raises(TypeError, one_array + "tuple of 2"), no_dim, ONE_STATE)
    yield Row(prefix + "three arrays for a pair", given(lambda s: (s.array(*h),) * 3), RuntimeError,
              Raises(TypeError, two_arrays + "tuple of 3"), "of the wrong kind is TypeError here", PAIR)
    yield Row(prefix + "a list as a pair", given(lambda s: [s.array(*h), s.array(*h)]), works, works, cells=PAIR)
    yield Row(prefix + "shape of c alone", given(lambda s: (s.array(*h), s.array(*h[:-1], 6))), RuntimeError,
              r"state\[1\] " + misshapen(f"{h}, got {(*h[:-1], 6)}"), cells=PAIR)


STATES = [
    *states_of("layer", "", (T, B, WIDTH), (L, B, H)),
    *states_of("cell", "cell ", (B, WIDTH), (B, H)),
    Row("batch_first does not move the state",
        lambda s: s.results(s.layer(batch_first=True), s.array(B, T, WIDTH), s.state(L, B, H)), works, works),
    Row("(N, L, H) where N = L is taken as (L, N, H)",
        lambda s: s.results(s.layer(batch_first=True), s.array(L, T, WIDTH), s.state(L, L, H)), works, works),
    state_row("(N, L, H) where N is not L", (B, L, H), "(2, 3, 5), got (3, 2, 5)", (B, T, WIDTH), batch_first=True),
    state_row("layers of the state", (3, B, H), "(2, 3, 5), got (3, 3, 5)"),
    state_row("directions of the state", (L, B, H), "(4, 3, 5), got (2, 3, 5)", bidirectional=True),
    state_row("batch of the state", (L, 4, H), "(2, 3, 5), got (2, 4, 5)"),
    state_row("a state of one sequence is not broadcast", (L, 1, H), "(2, 3, 5), got (2, 1, 5)"),
    state_row("features of the state", (L, B, 6), "(2, 3, 5), got (2, 3, 6)"),
    state_row("state 2-D for 3-D input", (L, H), "(2, 3, 5), got (2, 5)"),
    state_row("state 3-D for 2-D input", (L, 1, H), "(2, 5), got (2, 1, 5)", (T, WIDTH)),
    state_row("state 4-D", (1, L, B, H), "(2, 3, 5), got (1, 2, 3, 5)"),
    state_row("state 4-D for 2-D input", (1, L, 1, H), "(2, 5), got (1, 2, 1, 5)", (T, WIDTH)),
    Row("batch of the state, packed", lambda s: s.layer()(s.packed(s.array(6, WIDTH), [3, 2, 1]), s.state(L, 2, H)), RuntimeError,
        "state.* " + misshapen("(2, 3, 5), got (2, 2, 5)")),
    Row("a list for one state", lambda s: s.layer()(s.array(T, B, WIDTH), [s.array(L, B, H)]), AttributeError,
        Raises(TypeError, one_array + "list of 1"), no_dim, ONE_STATE),
    Row("one array for a pair", lambda s: s.layer()(s.array(T, B, WIDTH), s.array(L, B, H)), RuntimeError,
        Raises(TypeError, two_arrays), "torch takes it apart along its first axis", PAIR),
    Row("a pair stacked into one array", lambda s: s.layer()(s.array(T, B, WIDTH), s.array(2, L, B, H)), TypeError, two_arrays,
        cells=PAIR),
    Row("one array in a tuple for a pair", lambda s: s.layer()(s.array(T, B, WIDTH), (s.array(L, B, H),)), IndexError,
        Raises(TypeError, two_arrays + "tuple of 1"), "torch asks for the second", PAIR),
    Row("h as wide as c where it is projected",
        lambda s: s.layer(proj_size=2)(s.array(T, B, WIDTH), (s.array(L, B, H), s.array(L, B, H))), RuntimeError,
        r"state\[0\] " + misshapen("(2, 3, 2), got (2, 3, 5)"), cells=PAIR),
    Row("c as narrow as h where it is projected",
        lambda s: s.layer(proj_size=2)(s.array(T, B, WIDTH), (s.array(L, B, 2), s.array(L, B, 2))), RuntimeError,
        r"state\[1\] " + misshapen("(2, 3, 5), got (2, 3, 2)"), cells=PAIR),
    cell_state_row("cell batch of the state", (4, H), "(3, 5), got (4, 5)"),
    cell_state_row("cell state of one sequence is not broadcast", (1, H), "(3, 5), got (1, 5)"),
    cell_state_row("cell features of the state", (B, 6), "(3, 5), got (3, 6)"),
    cell_state_row("cell state 1-D for 2-D input", (H,), "(3, 5), got (5,)"),
    cell_state_row("cell state 2-D for 1-D input", (1, H), "(5,), got (1, 5)", (WIDTH,)),
    *(cell_rank_row(x, h) for x in ((WIDTH,), (B, WIDTH)) for h in ((), (1, B, H), (1, 1, B, H))),
    Row("cell c alone 4-D", lambda s: s.cell()(s.array(B, WIDTH), (s.array(B, H), s.array(1, 1, B, H))), ValueError,
        r"state\[1\] must be 1-D \(unbatched\) or 2-D, got 4-D", cells=PAIR),
    Row("cell c alone float32", lambda s: s.cell()(s.array(B, WIDTH), (s.array(B, H), s.array(B, H, dtype="float32"))), works,
        Raises(RuntimeError, r"state\[1\] must have dtype float64, that of the weights, got float32"),
        "torch promotes c, which enters no matrix product", PAIR),
    Row("cell one array for a pair", lambda s: s.cell()(s.array(2, WIDTH), s.array(2, H)), TypeError, two_arrays, cells=PAIR),
]

# Values.


def with_values(value, where="x", what="layer", dtype="float64", **options):
    """A row's deed: one value among ordinary ones, or everything of that size if it is finite."""
    def does(s):
        module = getattr(s, what)(dtype=dtype, **options)
        x = s.array(*((T, B, WIDTH) if what == "layer" else (B, WIDTH)), dtype=dtype)
        state = s.state(*((L, B, H) if what == "layer" else (B, H)), dtype=dtype)
        target = x if where == "x" else leaves(state)[-1]
        if np.isfinite(value):
            target *= value
        else:
            target[(1, 1, 1)[: target.ndim]] = value
        return s.results(module, x, state)
    return does


VALUES = [
    *(Row(f"{what} {value} in {where}", with_values(value, where, what), works, works)
      for what in ("layer", "cell") for value in (np.nan, np.inf, -np.inf) for where in ("x", "state")),
    *(Row(f"{what} {value} in x, relu", with_values(value, "x", what, nonlinearity="relu"), works, works, cells=("RNN",))
      for what in ("layer", "cell") for value in (np.nan, np.inf, -np.inf)),
    *(Row(f"{what} 1e30 in {where}, float32", with_values(1e30, where, what, "float32"), works, works)
      for what in ("layer", "cell") for where in ("x", "state")),
    *(Row(f"{what} 1e30 in x, float32, relu", with_values(1e30, "x", what, "float32", nonlinearity="relu"), works, works,
          cells=("RNN",))
      for what in ("layer", "cell")),
]

# Backward.


def pull_layer(dstate=None, times=1, dy=None):
    """A row's deed: forward, and backward with the gradients that two functions of the side draw."""
    def does(s):
        layer = s.layer()
        y, state_n = layer(s.array(T, B, WIDTH), s.state(L, B, H))
        gradients = [dy(s) if dy else s.array(T, B, H)] + ([dstate(s)] if dstate else [])
        for _ in range(times):
            s.pull(layer, (y, state_n) if dstate else (y,), gradients)
    return does


def pull_cell(dstate=lambda s: s.state(B, H), times=1):
    def does(s):
        cell = s.cell()
        out, gradient = cell(s.array(B, WIDTH), s.state(B, H)), dstate(s)
        for _ in range(times):
            s.pull(cell, out, [gradient])
    return does


silently = "torch casts a real gradient to the dtype of the output"
flat = "torch.autograd takes flat lists and counts them"
one_too_many = "torch.autograd drops the gradient that is one too many"
no_forward = "backward needs a forward before it"


def backwards_of(prefix, pull, name, h):
    """What a layer and a cell share."""
    yield Row(prefix + "backward twice", pull(times=2), RuntimeError, "each forward allows one backward")
    for what, other in (("shape", (*h[:-1], 6)), ("rank", h[1:])):
        yield Row(f"{prefix}{what} of {name}", pull(lambda s, other=other: s.state(*other)), RuntimeError,
                  f"{name}.* " + misshapen(f"{h}, got {other}"))
    says = name + ".* must have dtype float64, that of the weights, got "
    yield Row(f"{prefix}{name} float32", pull(lambda s: s.state(*h, dtype="float32")), works,
              Raises(RuntimeError, says + "float32"), silently)
    yield Row(f"{prefix}{name} complex", pull(lambda s: s.state(*h, dtype="complex128")), RuntimeError,
              says + "complex128")
    yield Row(f"{prefix}one array for a pair of gradients", pull(lambda s: s.array(*h)), RuntimeError,
              Raises(TypeError, f"{name} must be a pair of arrays, got "), flat, PAIR)
    yield Row(f"{prefix}a pair for one gradient", pull(lambda s: (s.array(*h), s.array(*h))), works,
              Raises(TypeError, f"{name} must be one array, got a tuple of 2"), one_too_many, ONE_STATE)


BACKWARD = [
    *backwards_of("", pull_layer, "dstate_n", (L, B, H)),
    *backwards_of("cell ", pull_cell, "dstate", (B, H)),
    Row("backward before forward", lambda s: s.pull(s.layer(), s.array(T, B, H), [s.array(T, B, H)]), RuntimeError, no_forward),
    Row("features of dy", pull_layer(dy=lambda s: s.array(T, B, 6)), RuntimeError, "dy " + misshapen("(4, 3, 5), got (4, 3, 6)")),
    Row("steps of dy", pull_layer(dy=lambda s: s.array(3, B, H)), RuntimeError, "dy " + misshapen("(4, 3, 5), got (3, 3, 5)")),
    Row("dy of the last step only", pull_layer(dy=lambda s: s.array(B, H)), RuntimeError,
        "dy " + misshapen("(4, 3, 5), got (3, 5)")),
    Row("dy float32", pull_layer(dy=lambda s: s.array(T, B, H, dtype="float32")), works,
        Raises(RuntimeError, "dy must have dtype float64, that of the weights, got float32"), silently),
    Row("dy of integers", pull_layer(dy=lambda s: s.array(T, B, H, dtype="int64")), works,
        Raises(RuntimeError, "dy must have dtype float64, that of the weights, got int64"), silently),
    Row("dy complex", pull_layer(dy=lambda s: s.array(T, B, H, dtype="complex128")), RuntimeError,
        "dy must have dtype float64, that of the weights, got complex128"),
    Row("cell backward before forward", lambda s: s.pull(s.cell(), s.state(B, H), [s.state(B, H)]), RuntimeError, no_forward),
]

# State dicts.


def load_only(what, given):
    return lambda s: getattr(s, what)().load_state_dict(given)


def load(what, **entries):
    """A row's deed: to load a module's own state_dict with entries of other shapes, or None for one taken out."""
    def does(s):
        module = getattr(s, what)()
        key = next(iter(module.state_dict()))
        given = {key if k == "first" else k: v and s.array(*v) for k, v in entries.items()}
        module.load_state_dict(s.changed(module, **given))
    return does


STATE_DICTS = [
    row for what, first in (("layer", "weight_ih_l0"), ("cell", "weight_ih")) for row in (
        Row(f"{what} state_dict without an entry", load(what, first=None), RuntimeError,
            f"state_dict does not fit: missing '{first}'$"),
        Row(f"{what} state_dict empty", load_only(what, {}), RuntimeError, f"state_dict does not fit: missing '{first}', "),
        Row(f"{what} state_dict with one more entry", load(what, more=(1,)), RuntimeError,
            "state_dict does not fit: unexpected 'more'"),
        Row(f"{what} state_dict misshapen", load(what, first=(1,)), RuntimeError,
            rf"state_dict\['{first}'\] must have shape \(\d+, 7\), got \(1,\)"),
        Row(f"{what} state_dict transposed", load(what, first=(WIDTH, H)), RuntimeError,
            rf"state_dict\['{first}'\] must have shape \(\d+, 7\), got \(7, 5\)"),
        Row(f"{what} state_dict not a mapping", load_only(what, [1]), TypeError, "state_dict must be a mapping, got list"))
]
STATE_DICTS += [
    Row("state_dict of a layer with one direction more",
        lambda s: s.layer().load_state_dict(s.layer(bidirectional=True).state_dict()), RuntimeError,
        "state_dict does not fit: unexpected 'weight_ih_l0_reverse', "),
    Row("state_dict without biases", lambda s: s.layer().load_state_dict(s.layer(bias=False).state_dict()), RuntimeError,
        "state_dict does not fit: missing 'bias_ih_l0', "),
]

# Packing and padding.


def pack(lengths, **options):
    return lambda s: s.rnn.pack_padded_sequence(s.array(T, B, 2), lengths, **options)


def unpad(lengths, shape=(T, B, 2)):
    return lambda s: s.rnn.unpad_sequence(s.array(*shape), s.put(np.array(lengths)))


too_long = Raises(ValueError, "lengths must not exceed the 4 steps of the input, got 5")
unsorted = Raises(RuntimeError, "lengths must be in decreasing order when enforce_sorted is True; "
                  "pass enforce_sorted=False")
second_axis = "torch asks for the second axis"
no_list = "sequences must be a list of arrays, got "


def length_rows(dtype):
    """Lengths of one integer type: the difference of two unsigned ones is never below 0."""
    def given(lengths, **options):
        return lambda s: pack(s.put(np.array(lengths, dtype)), **options)(s)
    yield f"lengths {dtype}", given([4, 2, 1]), works, works
    yield f"lengths {dtype} unsorted", given([2, 4, 1]), RuntimeError, unsorted
    yield f"lengths {dtype} unsorted, not enforced", given([2, 4, 1], enforce_sorted=False), works, works


def packing_flag_rows(value):
    says = f"must be True or False, got {value!r}"
    for name, does in (("pack_padded_sequence", pack([4, 2, 1], batch_first=value)),
                       ("pad_packed_sequence", lambda s: s.rnn.pad_packed_sequence(pack([4, 2, 1])(s), value)),
                       ("pad_sequence", lambda s: s.rnn.pad_sequence([s.array(2), s.array(3)], value))):
        yield f"{name} batch_first={value!r}", does, TypeError, f"batch_first {says}"
    yield (f"enforce_sorted={value!r}", pack([4, 2, 1], enforce_sorted=value), works,
           Raises(TypeError, f"enforce_sorted {says}"), only_true)


PACKING = [Row(*row)._replace(cells=ANY) for row in (
    *(row for dtype in INTEGERS for row in length_rows(dtype)),
    *(row for value in ("False", 0, np.True_) for row in packing_flag_rows(value)),
    ("a length of 0", pack([4, 2, 0]), RuntimeError, "lengths must all be at least 1, got 0"),
    ("a length of 0, not enforced", pack([4, 0, 2], enforce_sorted=False), RuntimeError, "lengths must all be at least 1, got 0"),
    ("a negative length", pack([4, 2, -1]), RuntimeError, "lengths must all be at least 1, got -1"),
    ("a length beyond T", pack([5, 2, 1]), works, too_long, "torch counts a step that is not there"),
    ("a length beyond T, not enforced", pack([2, 5, 1], enforce_sorted=False), works, too_long,
     "torch counts a step that is not there"),
    ("lengths unsorted", pack([2, 4, 1]), RuntimeError, unsorted),
    ("lengths unsorted, not enforced", pack([2, 4, 1], enforce_sorted=False), works, works),
    ("too few lengths", pack([4, 2]), RuntimeError, "lengths must have one entry for each of the 3 sequences, got 2"),
    ("too many lengths", pack([4, 3, 2, 1]), RuntimeError, "lengths must have one entry for each of the 3 sequences, got 4"),
    ("2-D lengths", lambda s: pack(s.put(np.array([[4, 2, 1]])))(s), RuntimeError, "lengths must be 1-D, got 2-D"),
    ("float lengths", lambda s: pack(s.put(np.array([4.0, 2.0, 1.5])))(s), works,
     Raises(ValueError, "lengths must be integers, got dtype float64"), "torch cuts 1.5 down to 1"),
    ("no sequences to pack", lambda s: s.rnn.pack_padded_sequence(s.array(T, 0, 2), s.put(np.zeros(0, "int64"))), RuntimeError,
     "input must not be empty, got 4 steps of 0 sequences"),
    ("no steps to pack", lambda s: s.rnn.pack_padded_sequence(s.array(0, B, 2), [1, 1, 1]), RuntimeError,
     "input must not be empty, got 0 steps of 3 sequences"),
    ("1-D to pack", lambda s: s.rnn.pack_padded_sequence(s.array(T), [4]), IndexError,
     Raises(ValueError, "input must have a time and a batch axis, got 1-D"), second_axis),
    ("total_length too short", lambda s: s.rnn.pad_packed_sequence(pack([4, 2, 1])(s), total_length=3), ValueError,
     "total_length must be at least the longest length, 4, got 3"),
    ("an array to pad as packed", lambda s: s.rnn.pad_packed_sequence(s.array(T, B, 2)), AttributeError,
     Raises(TypeError, "sequence must be a PackedSequence, got ndarray"), "torch asks for batch_sizes"),
    ("no sequences to pad", lambda s: s.rnn.pad_sequence([]), RuntimeError, "sequences must not be empty"),
    ("no sequences to pack from a list", lambda s: s.rnn.pack_sequence([]), RuntimeError, "sequences must not be empty"),
    ("a number to pad", lambda s: s.rnn.pad_sequence(5), RuntimeError, Raises(TypeError, no_list + "int"),
     "the type of pack_sequence, in which torch's two differ"),
    ("a number to pack", lambda s: s.rnn.pack_sequence(5), TypeError, no_list + "int"),
    ("a 0-D array to pad", lambda s: s.rnn.pad_sequence(s.array()), TypeError, no_list + "ndarray"),
    ("a word to pad", lambda s: s.rnn.pad_sequence("abc"), TypeError, r"sequences\[0\] must be an array of numbers, got str"),
    ("None among sequences", lambda s: s.rnn.pad_sequence([s.array(2), None]), TypeError,
     r"sequences\[1\] must be an array of numbers, got NoneType"),
    ("a list of lists of different lengths", lambda s: s.rnn.pad_sequence([s.array(2), [[1.0, 2.0], [3.0]]]), TypeError,
     r"sequences\[1\] must be an array of numbers, got list"),
    ("sequences of different features", lambda s: s.rnn.pad_sequence([s.array(2, 3), s.array(4, 5)]), RuntimeError,
     r"sequences must all be \(T, 3\), got shape \(4, 5\)"),
    ("sequences of different rank", lambda s: s.rnn.pad_sequence([s.array(2, 3), s.array(3)]), works,
     Raises(RuntimeError, r"sequences must all be \(T, 3\), got shape \(3,\)"), "torch broadcasts the second"),
    ("0-D sequences", lambda s: s.rnn.pad_sequence([s.array(), s.array()]), RuntimeError,
     r"sequences must all be \(T, \), got shape \(\)"),
    ("padding_side='top'", lambda s: s.rnn.pad_sequence([s.array(2), s.array(3)], padding_side="top"), RuntimeError,
     "padding_side must be 'right' or 'left', got 'top'"),
    ("an array instead of a list", lambda s: s.rnn.pad_sequence(s.array(2, 3, 4)), works, works),
    ("a sequence of length 0 to pad", lambda s: s.rnn.pad_sequence([s.array(0, 3), s.array(2, 3)]), works, works),
    ("a sequence of length 0 to pack", lambda s: s.rnn.pack_sequence([s.array(2, 3), s.array(0, 3)]), RuntimeError,
     "lengths must all be at least 1, got 0"),
    ("sequences unsorted", lambda s: s.rnn.pack_sequence([s.array(2, 3), s.array(4, 3)]), RuntimeError, unsorted),
    ("too few lengths to unpad", unpad([4, 2]), ValueError,
     Raises(RuntimeError, "lengths must have one entry for each of the 3 sequences, got 2"),
     "the type of pack_padded_sequence; torch fails in zip()"),
    ("a length beyond T to unpad", unpad([5, 2, 1]), works, too_long, "torch gives the 4 there are"),
    ("a length of 0 to unpad", unpad([4, 0, 2]), works, works),
    ("a negative length to unpad", unpad([4, -1, 2]), works, Raises(RuntimeError, "lengths must all be at least 0, got -1"),
     "torch cuts that many steps off the end"),
    ("1-D to unpad", unpad([4], (T,)), IndexError,
     Raises(ValueError, "padded_sequences must have a time and a batch axis, got 1-D"), second_axis),
)]

TABLE = [row._replace(ours=Raises(row.torch, row.ours)) if isinstance(row.ours, str) else row
         for row in (*CONSTRUCTORS, *INPUTS, *STATES, *VALUES, *BACKWARD, *STATE_DICTS, *PACKING)]
