"""The twenty exercises.  ``adjoint``, ``derivation`` and ``value`` say how each is judged; the page says what is asked."""

import numpy as np
from numpy.random import Generator

from reference.common.arrays import Array

from . import definitions as d
from .tasks import Task, adjoint, derivation, value

Sizes = dict[str, int]  # by letter
WEIGHTS = "W_ih (H,I), W_hh (H,H)"
RNN = f"x (B,I), h (B,H), {WEIGHTS}"
GATED = "x (B,I), h (B,H), c (B,H), W_ih ({n}H,I), W_hh ({n}H,H), b ({n}H)"
LSTM = "h_new (B,H), c_new (B,H)"


def tokens(rng: Generator, s: Sizes) -> Array:
    """Some token comes twice, and some never."""
    drawn = rng.integers(0, s["V"] - 1, (s["T"], s["B"]))
    drawn[0, :2] = drawn[-1, -1]
    return drawn


def logits(rng: Generator, s: Sizes) -> Array:
    """Sometimes so large that a plain exponential overflows."""
    return rng.choice([1, 500]) * rng.standard_normal((s["B"], s["V"]))


def max_norm(rng: Generator, s: Sizes) -> float:
    """Sometimes below the norm, sometimes far above it."""
    return float(rng.choice([0.7, 50]))


def classes(rng: Generator, s: Sizes) -> Array:
    return rng.integers(0, s["V"], s["B"])


def batch_sizes(_: Generator, s: Sizes) -> Array:
    """Some sequences end together, and one is the longest alone; the same whenever they are asked for in a case."""
    running = np.sort(np.random.default_rng(list(s.values())).integers(1, s["B"] + 1, s["T"]))[::-1].copy()
    running[[0, -1]] = s["B"], 1
    return running


def packed_rows(rng: Generator, s: Sizes) -> Array:
    return 0.7 * rng.standard_normal((int(batch_sizes(rng, s).sum()), s["I"]))


EXERCISES: dict[int, tuple[Task, ...]] = {
    1: derivation(RNN, "h_new (B,H)", d.rnn_step),
    2: value("forward", f"{RNN}, b_ih (H), b_hh (H)", "h_new", d.reference_step),
    3: adjoint("backward", f"{RNN}, b_ih (H), b_hh (H)", "h_new (B,H)", d.rnn_step),
    4: value("bias_gradients", "dn (T,B,H), a_x (T,B,H), a_h (T,B,H), r (T,B,H), b_in (H), b_hn (H)", "db_in, db_hn", d.two_biases),
    5: value("hoist", "x (T,B,I), W_ih (3H,I), b_ih (3H)", "a_x", d.hoisted, products=1),
    6: value("weight_gradients", "da (T,B,H), x (T,B,I), h (T+1,B,H)", "dW_ih, dW_hh", d.weight_gradients, products=2),
    7: value("clip", "g_1 (H,I), g_2 (H), max_norm ()", "norm, g_1, g_2", d.clipped, max_norm=max_norm),
    8: value("logit_gradient", "z (B,V), t (B)", "dz", d.cross_entropy_gradient, z=logits, t=classes),
    9: adjoint("backward", "z (B,V), tau ()", "p (B,V)", d.tempered, tau=lambda rng, s: np.asarray(rng.uniform(0.4, 3))),
    10: derivation(GATED.format(n=3), LSTM, d.no_forget_gate),
    11: derivation(GATED.format(n=3), LSTM, d.coupled),
    12: value("forget_bias", "steps (H)", "b", d.forget_bias, steps=lambda rng, s: rng.uniform(1.2, 200, s["H"])),
    13: derivation("x (B,I), h (B,H), W_ih (3H,I), W_hh (3H,H), b_ih (3H), b_hh (3H)", "h_new (B,H)", d.reset_before),
    14: derivation("x (B,I), h (B,H), W_ih (2H,I), W_hh (2H,H), b (2H)", "h_new (B,H)", d.minimal_gated),
    15: adjoint("backward", "a (B,H), gain (H), bias (H)", "h_new (B,H)", d.normalised),
    16: value(
        "window_gradients",
        f"dy (T,B,H), x (T,B,I), h_0 (B,H), {WEIGHTS}, b (H), k ()",
        "dW_ih, dW_hh, db",
        d.windows,
        k=lambda rng, s: int(rng.integers(1, s["T"])),
    ),
    17: value("tied_gradients", "dz (T,B,V), tokens (T,B), A (I,I), E (V,I)", "dA, dE", d.tied, tokens=tokens),
    18: value("bidirectional", f"x (T,B,I), {WEIGHTS}, b (H), W_ih_r (H,I), W_hh_r (H,H), b_r (H)", "y", d.both_directions),
    19: value(
        "run_packed",
        f"data (), batch_sizes (), h_0 (B,H), {WEIGHTS}, b (H)",
        "y, h_n",
        d.packed,
        data=packed_rows,
        batch_sizes=batch_sizes,
    ),
    20: derivation(GATED.format(n=4) + ", p (3,H)", LSTM, d.peepholes),
}
