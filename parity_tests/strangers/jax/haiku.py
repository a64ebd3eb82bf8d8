"""dm-haiku 0.0.17: VanillaRNN (relu), LSTM and GRU under hk.dynamic_unroll.

Composed by hand, as Haiku has no lengths and no second direction: layers, directions, and the state held past an end.
Its gates are i g f o, with 1 added to f, and z r a, where z is the share of the new state: 1 - z of torch.  It always has a
bias, zero here where the spec has none.
"""

import haiku as hk
import jax.numpy as jnp

from . import compiled


def by_gate(spec, v):
    """torch's order of gates  ->  Haiku's"""
    if spec.cell == "lstm":
        i, f, g, o = jnp.split(v, 4)
        return jnp.concatenate([i, g, f, o])
    r, z, n = jnp.split(v, 3)
    return jnp.concatenate([-z, r, n])  # σ(-z) = 1 - σ(z)


def parameters(spec, p):
    """torch's names  ->  Haiku's"""
    b_ih, b_hh = compiled.biases(spec, p)
    if spec.cell == "rnn":
        given = {"w": p["weight_ih"].T, "b": b_ih}, {"w": p["weight_hh"].T, "b": b_hh}
        return dict(zip(("vanilla_rnn/linear", "vanilla_rnn/linear_1"), given, strict=True))
    w_ih, w_hh, b = (by_gate(spec, v) for v in (p["weight_ih"], p["weight_hh"], b_ih + b_hh))
    if spec.cell == "gru":
        return {"gru": {"w_i": w_ih.T, "w_h": w_hh.T, "b": b}}
    H = spec.hidden_size
    return {"lstm/linear": {"w": jnp.concatenate([w_ih, w_hh], 1).T, "b": b.at[2 * H : 3 * H].add(-1)}}


def step(spec, p, x, s):
    """One step of one direction"""
    core = {"rnn": hk.VanillaRNN, "lstm": hk.LSTM, "gru": hk.GRU}[spec.cell]
    apply = hk.without_apply_rng(hk.transform(lambda x, s: core(spec.hidden_size)(x, s))).apply
    _, state = apply(parameters(spec, p), x, hk.LSTMState(*s) if spec.cell == "lstm" else s[0])
    return tuple(state) if spec.cell == "lstm" else (state,)


def unroll(step, s, at, reverse):
    """hk.dynamic_unroll, called as jax.lax.scan"""
    y, final = hk.dynamic_unroll(lambda at, s: step(s, at)[::-1], at, s, reverse=reverse)
    return final, y


run = compiled.by_cell(unroll, step)


def load(spec, weights):
    return compiled.Layer(run, spec, weights)


def declines(spec):
    """A reason, or None."""
    if spec.cell == "rnn" and spec.nonlinearity != "relu":
        return "Haiku's VanillaRNN has relu only"
    if spec.cell == "gru" and spec.reset_after:
        return "Haiku's GRU resets before the product"
    return compiled.declines(spec)


def about():
    """Versions."""
    return compiled.about("dm-haiku", hk.__version__)
