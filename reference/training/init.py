"""Initial weights, drawn gate by gate.  Derivation: notes/training/init.md

    W ~ U(-b, b),  b = 1 / √H                    torch's default, biases too          (I1)
    Var[W] = gain² · 2 / (fan_in + fan_out)      Xavier                               (I2)
    Var[W] = gain² / fan                         Kaiming, fan of either side          (I3)
    W = gain · Q,  Q R = a normal matrix, diag(R) made positive                       (I4)
    b_f = value in b_ih, 0 in b_hh               forget gate of an LSTM               (I5)

W_ih (G·H, I) and W_hh (G·H, P) stack G matrices, one for each gate.  Each is a matrix of its own: its fan_out is
H, not G·H, and it is orthogonal by itself.  A scheme draws one block: ``scheme(rng, (rows, columns)) -> array``.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..common import checks
from ..common.arrays import Array, split

Scheme = Callable[[np.random.Generator, tuple], Array]
RECURRENT = re.compile(r"(?P<prefix>.*?)(?P<kind>weight|bias)_(?P<side>ih|hh|hr)(?P<suffix>(_l\d+(_reverse)?)?)$")
FORGET = 1  # the forget gate's place in "ifgo"


def gain(nonlinearity: str, slope: float | None = None) -> float:
    """The factor that keeps the variance through a nonlinearity, as torch.nn.init.calculate_gain."""
    a = 0.01 if slope is None else checks.finite("slope", slope)
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4,
             "leaky_relu": math.sqrt(2 / (1 + a * a))}
    return gains[checks.choice("nonlinearity", nonlinearity, gains)]


def fans(shape: tuple) -> tuple[int, int]:
    """(fan_in, fan_out) of a matrix (out, in).  TypeError, ValueError: no shape of a matrix."""
    sizes = checks.shape("shape", shape)
    if len(sizes) != 2 or not all(sizes):
        raise ValueError(f"fan_in and fan_out need a matrix, got shape {sizes}")
    return sizes[1], sizes[0]


def xavier_std(shape: tuple, gain: float = 1.0) -> float:
    return checks.finite("gain", gain) * math.sqrt(2 / sum(fans(shape)))                                 # I2


def kaiming_std(shape: tuple, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> float:
    if not isinstance(mode, str) or mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {checks.shown(mode)}")
    return gain(nonlinearity, checks.finite("a", a)) / math.sqrt(fans(shape)[mode == "fan_out"])         # I3


def uniform(rng: np.random.Generator, shape: tuple, a: float = 0.0, b: float = 1.0) -> Array:
    low, high = checks.finite("a", a), checks.finite("b", b)
    if low > high:
        raise ValueError(f"a must not be above b, got {a} and {b}")
    return checks.source("rng", rng).uniform(low, high, checks.shape("shape", shape))


def normal(rng: np.random.Generator, shape: tuple, mean: float = 0.0, std: float = 1.0) -> Array:
    mean, std = checks.finite("mean", mean), checks.at_least_zero("std", std)
    return checks.source("rng", rng).normal(mean, std, checks.shape("shape", shape))


def within(rng: np.random.Generator, shape: tuple, std: float) -> Array:
    """Uniform about 0, with this standard deviation, or its negative"""
    bound = math.sqrt(3) * abs(std)
    return checks.source("rng", rng).uniform(-bound, bound, shape)


def around(rng: np.random.Generator, shape: tuple, std: float) -> Array:
    """Normal about 0, likewise"""
    return checks.source("rng", rng).normal(0, abs(std), shape)


def xavier_uniform(rng: np.random.Generator, shape: tuple, gain: float = 1.0) -> Array:
    return within(rng, shape, xavier_std(shape, gain))


def xavier_normal(rng: np.random.Generator, shape: tuple, gain: float = 1.0) -> Array:
    return around(rng, shape, xavier_std(shape, gain))


def kaiming_uniform(rng: np.random.Generator, shape: tuple, a: float = 0.0, mode: str = "fan_in",
                    nonlinearity: str = "leaky_relu") -> Array:
    return within(rng, shape, kaiming_std(shape, a, mode, nonlinearity))


def kaiming_normal(rng: np.random.Generator, shape: tuple, a: float = 0.0, mode: str = "fan_in",
                   nonlinearity: str = "leaky_relu") -> Array:
    return around(rng, shape, kaiming_std(shape, a, mode, nonlinearity))


def orthogonalised(sample: Array, gain: float = 1.0) -> Array:
    """The orthogonal factor of a matrix: rows or columns, whichever are fewer, are orthonormal times ``gain``."""
    gain, sample = checks.finite("gain", gain), checks.matrix("sample", sample)
    if sample.dtype.char not in "fdFD":
        raise TypeError(f"sample must be in float32, float64 or their complex kinds, which NumPy can factorise, got {sample.dtype}")
    wide = sample.shape[0] < sample.shape[1]
    Q, R = np.linalg.qr(sample.T if wide else sample)
    Q = Q * np.sign(np.diag(R))                                                      # I4
    return gain * (Q.T if wide else Q)


def orthogonal(rng: np.random.Generator, shape: tuple, gain: float = 1.0) -> Array:
    fans(shape), checks.finite("gain", gain)
    return orthogonalised(checks.source("rng", rng).standard_normal(shape), gain)


def identity(rng: np.random.Generator, shape: tuple, gain: float = 1.0) -> Array:
    """gain · I, cut or padded with zeros where the matrix is not square; nothing is drawn."""
    checks.source("rng", rng), fans(shape)
    return checks.finite("gain", gain) * np.eye(*shape)


def zeros(rng: np.random.Generator, shape: tuple) -> Array:
    checks.source("rng", rng)
    return np.zeros(checks.shape("shape", shape))


SCHEMES: dict[str, Scheme] = {f.__name__: f for f in (
    xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, orthogonal, identity, zeros)}


def per_gate(scheme: Scheme, rng: np.random.Generator, shape: tuple, gates: int) -> Array:
    """Gate after gate by ``scheme``, one below the other: shape (G·H, ...), each block (H, ...)"""
    checks.source("rng", rng), checks.function("scheme", scheme)
    rows, *rest = checks.shape("shape", shape) or (0,)
    if rows % checks.positive_int("gates", gates) or not rows:
        raise ValueError(f"shape must have rows for each of the {gates} gates, got {shape}")
    block = (rows // gates, *rest)
    return np.concatenate([scheme(rng, block) for _ in range(gates)])


def initialise(target: Any, scheme: str | Scheme, rng: np.random.Generator, *, recurrent: str | Scheme | None = None,
               others: str | Scheme | None = None, forget_bias: float | None = None) -> Any:
    """Draw the weights of recurrent layers anew.

    Parameters
    ----------
    target : Module, or mapping of names to arrays
        A layer, a cell, a model, or a state_dict of one.  What is no recurrent parameter stays, unless ``others``.
    scheme : str or callable
        For the input matrices and projections, gate by gate.  "uniform" is torch's default, for every recurrent
        matrix and bias of the layer; with any other scheme the biases are zero.  Names: "uniform" and SCHEMES; options
        by ``partial(init.kaiming_normal, mode="fan_out")``.
    recurrent : like scheme; optional
        For the recurrent matrices, W_hh; the same as ``scheme`` if not given.
    others : like scheme; optional
        For every other matrix (embeddings, linear layers), by its own fans; their biases become zero.
    forget_bias : float; optional
        The forget gate's bias in every LSTM.  It goes into b_ih, and 0 into b_hh, since only their sum acts.

    Returns
    -------
    target, changed, if it is a Module; otherwise a new dict.

    Raises
    ------
    ValueError
        No such scheme, no recurrent parameters, or a forget_bias where there is no LSTM with biases.
    TypeError
        Something of another kind.  Nothing is changed in either case.
    """
    for argument, asked in (("scheme", scheme), ("recurrent", recurrent), ("others", others)):
        if argument == "scheme" or asked is not None:
            named(asked, 1, argument)
    checks.source("rng", rng)
    bias = None if forget_bias is None else checks.finite("forget_bias", forget_bias)
    if hasattr(target, "load_state_dict"):
        target.load_state_dict(initialise(target.state_dict(), scheme, rng, recurrent=recurrent, others=others,
                                          forget_bias=forget_bias))
        return target
    weights = {name: checks.numbers(f"target[{name!r}]", value).copy() for name, value in checks.mapping("target", target).items()}
    matches = {name: m for name in weights if (m := RECURRENT.match(name))}
    if not matches:
        raise ValueError("nothing to initialise: no parameter is named weight_ih, weight_hh, ... as in torch.nn")
    for name, value in weights.items():
        if name in matches:
            gates, H = sizes(weights, matches[name])
            chosen = recurrent if recurrent is not None and matches[name]["side"] == "hh" else scheme
            draw = named(chosen, H) if value.ndim > 1 or scheme == "uniform" else zeros
            weights[name] = per_gate(draw, rng, value.shape, 1 if matches[name]["side"] == "hr" else gates)
        elif others is not None:
            weights[name] = (named(others, value.shape[-1]) if value.ndim > 1 else zeros)(rng, value.shape)
        weights[name] = weights[name].astype(value.dtype)
    if bias is not None:
        biases = [name for name, m in matches.items() if m["kind"] == "bias" and sizes(weights, m)[0] == 4]
        if not biases:
            raise ValueError("forget_bias needs an LSTM with biases")
        for name in biases:
            b_f = split(weights[name], 4)[FORGET]
            b_f[:] = bias if matches[name]["side"] == "ih" else 0             # I5
    return weights


def sizes(params: Mapping[str, Array], match: re.Match) -> tuple[int, int]:
    """(G, H) of the layer that a parameter belongs to, from the shapes of its matrices"""
    prefix, suffix = match["prefix"], match["suffix"]
    projection = params.get(f"{prefix}weight_hr{suffix}")
    W_hh = params.get(f"{prefix}weight_hh{suffix}")
    for name, W in (("weight_hh", W_hh), ("weight_hr", W_hh if projection is None else projection)):
        if W is None or W.ndim != 2 or not W.size:
            raise ValueError(f"target must have a matrix {prefix}{name}{suffix} beside {match[0]}, got "
                             f"{'none' if W is None else f'one of shape {W.shape}'}")
    assert W_hh is not None
    H = (W_hh if projection is None else projection).shape[1]
    if W_hh.shape[0] % H or params[match[0]].ndim != (2 if match["kind"] == "weight" else 1):
        raise ValueError(f"target must hold the gates of {H} units in {match[0]} and {prefix}weight_hh{suffix}, got shapes "
                         f"{params[match[0]].shape} and {W_hh.shape}")
    return W_hh.shape[0] // H, H


def named(scheme: str | Scheme | None, H: int, name: str = "scheme") -> Scheme:
    """A scheme by name; "uniform" is torch's for a layer of H units."""
    if callable(scheme):
        return scheme
    chosen = checks.choice(name, scheme, ("uniform", *SCHEMES))
    return partial(uniform, a=-(H**-0.5), b=H**-0.5) if chosen == "uniform" else SCHEMES[chosen]      # I1
