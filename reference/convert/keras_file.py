""".keras files, read and written without Keras: a zip of config.json and of the weights in HDF5.

In the HDF5 file a layer is called by its class and a number; its own name is an attribute of its group ``vars``.
"""

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..common.arrays import Array
from ..common.checks import UsageError
from .conventions import TABLE, Convention
from .files import DAMAGED, Contents
from .naming import KERAS, named
from .stacks import Stack, row

CLASSES = {c.layer.split(".")[-1].partition("(")[0]: c for c in TABLE if c.library == "Keras" and c.resets != (False,)}
SIGMOID: dict[str, Any] = {"recurrent_activation": "sigmoid"}


def read(path: Path) -> Contents:
    """UsageError: it is damaged, or a recurrent layer in it has options that ours do not have."""
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            layers = dict(recurrent(json.loads(archive.read("config.json"))))
            with h5py.File(BytesIO(archive.read("model.weights.h5"))) as file:
                held = dict(cells(file))
    except UsageError:
        raise
    except (*DAMAGED, AttributeError, RecursionError, RuntimeError, OSError) as e:
        raise UsageError(f"{path} is damaged, or no .keras file of Keras 3: {e}") from e
    known = {name: own for name, own in layers.items() if name in held}
    return Contents(
        {f"{name}/{part}": v for name in known for part, v in zip(KERAS, held[name], strict=False)},
        "keras",
        {f"{name}/": own["reset_after"] for name, own in known.items() if own["class"] == "GRU"},
        {f"{name}/": own["activation"] for name, own in known.items() if own["class"] == "SimpleRNN"},
    )


def cells(file: h5py.File) -> Iterator[tuple[str, list[Array]]]:
    """(name, arrays) of every recurrent layer; name is ``bidirectional/forward_lstm`` within a Bidirectional"""
    found: list[h5py.Group] = []
    file.visititems(lambda name, group: found.append(group) if name.endswith("/cell/vars") else None)
    for group in found:
        layer = group.parent.parent
        own = str(layer["vars"].attrs["name"])
        if layer.name.rpartition("/")[2] in ("forward_layer", "backward_layer"):
            own = f"{layer.parent['vars'].attrs['name']}/{own}"
        yield own, [np.asarray(group[str(k)]) for k in range(len(group))]


def recurrent(config: Any, within: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, options) of every recurrent layer in a model's configuration, in its order.  UsageError: options unknown to us."""
    if isinstance(config, list):
        for part in config:
            yield from recurrent(part, within)
    elif isinstance(config, dict):
        kind, own = config.get("class_name"), config.get("config")
        if kind in CLASSES and isinstance(own, dict):
            yield within + own["name"], options(kind, own, within)
        elif kind == "Bidirectional" and isinstance(own, dict):
            for part in ("layer", "backward_layer"):
                yield from recurrent(own[part], f"{own['name']}/")
        else:
            for part in config.values():
                yield from recurrent(part, within)


def options(kind: str, own: dict[str, Any], within: str) -> dict[str, Any]:
    """What decides the function.  UsageError: something that ours do not have."""
    allowed = (
        {"activation": ("tanh", "relu")} if kind == "SimpleRNN" else {"activation": ("tanh",), "recurrent_activation": ("sigmoid",)}
    )
    for name, values in allowed.items():
        if own[name] not in values:
            raise UsageError(f"the layer {own['name']} has {name}={own[name]!r}; ours have {' or '.join(values)}")
    if own.get("go_backwards") and not within:
        raise UsageError(f"the layer {own['name']} goes backwards only; ours go forwards, or both ways")
    return {"class": kind, "activation": own["activation"], "reset_after": own.get("reset_after")}


def encoded(stack: Stack) -> bytes:
    """A Sequential model of this stack, x (B, T, I)  ->  y (B, T, D·H)"""
    c, D = row(stack, "keras"), 1 + stack.bidirectional
    params, layers, buffer = stack.params, [source(stack)], BytesIO()
    with h5py.File(buffer, "w") as file:
        for k in range(stack.num_layers):
            group = file.create_group(f"layers/{snake(stack)}{f'_{k}' if k else ''}")
            built = layer(stack, c, k)
            layers.append(built)
            sides = [group] if D == 1 else [group.create_group(side) for side in ("forward_layer", "backward_layer")]
            for d, side in enumerate(sides):
                for n, v in enumerate(named(c, params[k * D + d]).values()):
                    side.create_dataset(f"cell/vars/{n}", data=v)
            for g, part in zip([group, *(sides if D == 2 else [])], parts(built), strict=True):
                g.create_group("vars").attrs["name"] = part["config"]["name"]
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "bptt", "trainable": True, "layers": layers}}
    return zipped({"metadata.json": json.dumps({"keras_version": "3.0.0"}).encode(), "config.json": json.dumps(config).encode(),
                   "model.weights.h5": buffer.getvalue()})  # fmt: skip


def source(stack: Stack) -> dict[str, Any]:
    W = stack.weights["weight_ih_l0"]
    own = {"batch_shape": [None, None, W.shape[1]], "dtype": W.dtype.name, "name": "x"}
    return {"module": "keras.layers", "class_name": "InputLayer", "config": own}


def snake(stack: Stack) -> str:
    return "bidirectional" if stack.bidirectional else {"rnn": "simple_rnn"}.get(stack.cell, stack.cell)


def layer(stack: Stack, c: Convention, k: int) -> dict[str, Any]:
    """The configuration of layer k."""
    W, kind = stack.weights["weight_ih_l0"], c.layer.split(".")[-1].partition("(")[0]
    own: dict[str, Any] = {"units": len(W) // len(c.gates), "use_bias": "bias_ih_l0" in stack.weights, "return_sequences": True,
           "dtype": W.dtype.name, "activation": stack.nonlinearity if stack.cell == "rnn" else "tanh"}  # fmt: skip
    if stack.cell != "rnn":
        own |= SIGMOID | ({"reset_after": stack.reset_after} if stack.cell == "gru" else {})

    def directed(name: str, backwards: bool) -> dict[str, Any]:
        return {"module": "keras.layers", "class_name": kind, "config": own | {"name": name, "go_backwards": backwards}}

    if not stack.bidirectional:
        return directed(f"{stack.cell}_{k}", False)
    both = {"layer": directed(f"forward_{stack.cell}_{k}", False), "backward_layer": directed(f"backward_{stack.cell}_{k}", True)}
    wrapper = {"name": f"bidirectional_{k}", "dtype": W.dtype.name, "merge_mode": "concat"} | both
    return {"module": "keras.layers", "class_name": "Bidirectional", "config": wrapper}


def parts(built: dict[str, Any]) -> list[dict[str, Any]]:
    """A layer, and within a Bidirectional both directions."""
    return [built, *(built["config"][k] for k in ("layer", "backward_layer") if k in built["config"])]


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()
