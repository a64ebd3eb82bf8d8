"""The stack by SymPy: note stack.  Two layers, two directions, a dropout mask, three sequences of different lengths."""

import numpy as np
import pytest

import reference

from ..symbolic_gradients import Symbols, agree, inner, layer, unroll

LENGTHS = (2, 3, 1)  # not sorted
ORDER = sorted(range(3), key=lambda b: -LENGTHS[b])  # of the sequences in packed rows
ROWS = [(t, b) for t in range(3) for b in ORDER if t < LENGTHS[b]]
CASES = {
    "rnn": (reference.RNN, {}),
    "lstm": (reference.LSTM, {}),
    "gru": (reference.GRU, {}),
    "gru-before": (reference.GRU, {"reset_after": False}),
}


def one_layer(kind, s, k, xs, starts):
    """Layer k over each sequence by itself: {(t, b): x}, starts[direction][b]  ->  {(t, b): y}, last states likewise"""
    ys, ends = {}, ([None] * 3, [None] * 3)
    for b, T in enumerate(LENGTHS):
        there, back = range(T), range(T - 1, -1, -1)  # S2: the second direction from the end
        for direction, (steps, suffix) in enumerate(((there, f"_l{k}"), (back, f"_l{k}_reverse"))):
            outputs, states = unroll(kind, layer(s, suffix=suffix), [xs[t, b] for t in steps], starts[direction][b])
            ends[direction][b] = states[-1]
            for t, y in zip(steps, outputs, strict=True):
                ys[t, b] = [*ys.get((t, b), ()), *y]  # S3: forward | reverse
    return {tb: np.array(y) for tb, y in ys.items()}, ends


@pytest.mark.parametrize("kind", CASES)
def test_backward_of_the_stack(kind):
    """S1*, S2*, S3*, S4*: layers, directions, packed rows and the dropout mask between the layers."""
    cls, options = CASES[kind]
    rng = np.random.default_rng(5)
    net = cls(1, 1, 2, bidirectional=True, dropout=0.25, dtype=np.float64, rng=rng, **options)
    x, keep = rng.standard_normal((len(ROWS), 1)), rng.random((len(ROWS), 2)) < 0.6
    assert len(set(keep.ravel())) == 2
    widths = (1, 1) if cls is reference.LSTM else (1,)
    states = {f"{n}_0": rng.standard_normal((4, 3, w)) for n, w in zip("hc", widths, strict=False)}
    s = Symbols(net.params, x=x, **states)
    sizes = np.array([sum(t == row for row, _ in ROWS) for t in range(3)])
    order = np.array(ORDER)
    packed = reference.PackedSequence(x, sizes, order, np.argsort(order))

    starts = [[[tuple(s[n][2 * k + d, b] for n in states) for b in range(3)] for d in range(2)] for k in range(2)]
    below, ends_0 = one_layer(kind, s, 0, dict(zip(ROWS, s["x"], strict=True)), starts[0])
    kept = {tb: below[tb] * keep[n].astype(int) * 4 / 3 for n, tb in enumerate(ROWS)}  # S4
    above, ends_1 = one_layer(kind, s, 1, kept, starts[1])

    y, state_n, pullback = net.vjp(packed, tuple(states.values()) if len(states) > 1 else states["h_0"], [keep])
    dy = rng.standard_normal(y.data.shape)
    dends = [rng.standard_normal(v.shape) for v in states.values()]
    ends = [
        np.array([[ends[d][b][n] for b in range(3)] for ends in (ends_0, ends_1) for d in range(2)]) for n in range(len(states))
    ]
    ys = np.array([above[tb] for tb in ROWS])
    grads, dx, dstate = pullback(y._replace(data=dy), tuple(dends) if len(states) > 1 else dends[0])
    dstates = dstate if isinstance(dstate, tuple) else (dstate,)
    agree(
        grads | {"x": dx.data} | dict(zip(states, dstates, strict=True)), s.gradient(inner(dy, ys) + sum(map(inner, dends, ends)))
    )
    agree(
        {"y": y.data, "state": state_n[-1] if isinstance(state_n, tuple) else state_n},
        {"y": s.value(ys), "state": s.value(ends[-1])},
    )
