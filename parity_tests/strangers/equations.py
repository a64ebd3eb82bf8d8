"""RNN, LSTM and GRU by the equations of torch.nn's documentation, over any library ``xp`` that looks like NumPy.

Nothing comes from ``reference``, so this is a second opinion on the equations.
"""

import numpy as np

GATES = {"lstm": "ifgo", "gru": "rzn"}


def steps(xp, sigmoid):
    """One step of each cell: a_x (B, G·H) the input's half, h (B, P), c (B, H)  ->  (h,) or (h, c)"""

    def by_gate(spec, a):
        gates = GATES[spec.cell]
        return dict(zip(gates, xp.split(a, len(gates), axis=-1), strict=True))

    def rnn(spec, p, a_x, h):
        a = a_x + h @ p["weight_hh"].T + p["bias_hh"]
        return (xp.tanh(a) if spec.nonlinearity == "tanh" else xp.where(a <= 0, xp.zeros_like(a), a),)

    def lstm(spec, p, a_x, h, c):
        a = by_gate(spec, a_x + h @ p["weight_hh"].T + p["bias_hh"])
        c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * xp.tanh(a["g"])
        h = sigmoid(a["o"]) * xp.tanh(c)
        return (h @ p["weight_hr"].T if spec.proj_size else h), c

    def gru(spec, p, a_x, h):
        def from_h(h):
            return by_gate(spec, h @ p["weight_hh"].T + p["bias_hh"])

        a_x, a_h = by_gate(spec, a_x), from_h(h)
        r, z = sigmoid(a_x["r"] + a_h["r"]), sigmoid(a_x["z"] + a_h["z"])
        n = xp.tanh(a_x["n"] + (r * a_h["n"] if spec.reset_after else from_h(r * h)["n"]))
        return ((1 - z) * n + z * h,)

    return {"rnn": rnn, "lstm": lstm, "gru": gru}


def stack(xp, cells, scan, spec, weights, x, state, valid):
    """All layers and directions: x in the spec's layout, valid (T, B, 1) or None for all  ->  y, (h_n,) or (h_n, c_n)

    ``cells`` are those of ``steps``; ``scan`` is a loop over time that is called as jax.lax.scan.
    """

    def turned(v):
        return xp.swapaxes(v, 0, 1) if spec.batch_first else v

    def inside(v):
        return v if valid is None else xp.where(valid, v, xp.zeros_like(v))

    x, finals = inside(turned(x)), []
    for layer in range(spec.num_layers):
        outputs = []
        for suffix in ("", "_reverse")[: 1 + spec.bidirectional]:
            end = f"_l{layer}{suffix}"
            p = {"bias_ih": 0, "bias_hh": 0} | {k.removesuffix(end): v for k, v in weights.items() if k.endswith(end)}

            def step(s, at, p=p):
                a_x, here = at
                new = cells[spec.cell](spec, p, a_x, *s)
                if here is not None:  # past a sequence's end nothing changes, so in reverse the state waits for the last step
                    new = tuple(xp.where(here, after, before) for after, before in zip(new, s, strict=True))
                return new, new[0]

            a_x = x @ p["weight_ih"].T + p["bias_ih"]  # all steps at once
            final, y = scan(step, tuple(s[len(finals)] for s in state), (a_x, valid), reverse=bool(suffix))
            outputs.append(y)
            finals.append(final)
        x = inside(xp.concatenate(outputs, axis=-1))
    return turned(x), tuple(xp.stack(v) for v in zip(*finals, strict=True))


def opened(spec, x, state, lengths):
    """state or zeros, and which steps of which sequence there are (T, B, 1), None if all"""
    B, T = x.shape[:2] if spec.batch_first else x.shape[1::-1]
    if state is None:
        layers = spec.num_layers * (1 + spec.bidirectional)
        state = [np.zeros((layers, B, width), x.dtype) for width in spec.state_sizes]
    return tuple(state), None if lengths is None else np.arange(T)[:, None, None] < np.reshape(lengths, (B, 1))
