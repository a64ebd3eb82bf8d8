"""Cases and faults of reference/gradients/hessian.py.

The output is the slope ⟨∂ℓ/∂θ, v⟩, whose gradient with respect to θ is ∇²ℓ v.  So autograd's is the double backward,
and the complex step goes through our own first backward.  ℓ = Σ ⅓ y³ wy + Σ ½ s_n² ws, of which nothing is linear.
"""

import numpy as np
import torch

from ..judge.cases import KINDS
from ..mutation.catalogue import GRU, LSTM, Fault
from ..rooms import RoomCase
from .problem import TWINS, flat, inputs, opened, problem, room_of


def case(kind: str) -> RoomCase:
    q = problem(kind, 4)
    given = inputs(q)
    theta = [k for k in given if not k.startswith("d")]
    rng = np.random.default_rng(5)
    moved = {f"v_{k}": rng.standard_normal(given[k].shape) for k in theta}
    weights = {f"w_{k[1:]}": v for k, v in given.items() if k.startswith("d")}
    everything = {k: given[k] for k in theta} | moved | weights | {"dslope": np.array([1.7])}

    def unpacked(room, d):
        v = {k: d[f"v_{k}"] for k in theta}
        w = {f"d{k[2:]}": d[k] for k in weights}
        return opened(room, {k: d[k] for k in theta} | w), opened(room, v | w)

    def run(package, d):
        room, hessian = room_of(package, kind), package.hessian
        (p, x, s, wy, ws), (vp, vx, vs, _, _) = unpacked(room, d)

        def weighed(s):
            return room.State(*(u * w for u, w in zip(s, ws, strict=True)))

        def upstream(y, s_n, Ry, Rs_n):
            return y**2 * wy, weighed(s_n), 2 * y * Ry * wy, weighed(Rs_n)

        gradient, Hv = hessian.product(room, p, x, s, hessian.Direction(vp, vx, vs), upstream, **q.options)
        slope = sum((u * d[f"v_{k[1:]}"]).sum() for k, u in flat(*gradient).items())
        return {"slope": np.array([slope], d["x"].dtype)} | {k: d["dslope"] * u for k, u in flat(*Hv).items()}

    def twin(d):
        (p, x, s, wy, ws), _ = unpacked(TWINS[kind], d)
        y, s_n = TWINS[kind].loop(p, x, s, **q.options)
        loss = (y**3 * wy).sum() / 3 + sum((u**2 * w).sum() for u, w in zip(s_n, ws, strict=True)) / 2
        grads = torch.autograd.grad(loss, [d[k] for k in theta], create_graph=True)
        return {"slope": sum((g * d[f"v_{k}"]).sum() for k, g in zip(theta, grads, strict=True))[None]}

    return RoomCase("hessian", kind, everything, run, twin, fixed=(*moved, *weights))


CASES = [case(kind) for kind in KINDS]

# fmt: off
FAULTS = [
    Fault("second derivative of tanh left out", "rnn_backward", "Rdh * (1 - h**2) - 2 * dh * h * Rh", "Rdh * (1 - h**2)"),
    Fault("second derivative of the candidate left out", "lstm_backward", "Rdg * (1 - g**2) - 2 * dg * g * Rg",
          "Rdg * (1 - g**2)", kinds=LSTM),
    Fault("second derivative of the input gate left out", "lstm_backward", "Rdi * i * (1 - i) + di * (1 - 2 * i) * Ri",
          "Rdi * i * (1 - i)", kinds=LSTM),
    Fault("second derivative of the cell state's tanh left out", "lstm_backward", "Ro * (1 - u**2) - 2 * o * u * Ru",
          "Ro * (1 - u**2)", kinds=LSTM),
    Fault("forget gate held fixed on the way back", "lstm_backward", "Rdc * f + dc * Rf", "Rdc * f", kinds=LSTM),
    Fault("projection held fixed on the way back", "lstm_backward", "Rdh @ k.p.W_hr + dh @ Rk.p.W_hr", "Rdh @ k.p.W_hr",
          kinds=("lstm-proj",)),
    Fault("second derivative of the GRU's candidate left out", "gru_backward", "Rdn * (1 - n**2) - 2 * dn * n * Rn",
          "Rdn * (1 - n**2)", kinds=GRU),
    Fault("update gate held fixed on the way back", "gru_backward", "Rdh * (1 - z) - dh * Rz", "Rdh * (1 - z)", kinds=GRU),
    Fault("reset gate held fixed on the way back", "gru_backward", "Rda_n * r + da_n * Rr", "Rda_n * r", kinds=("gru",)),
    Fault("Gauss-Newton taken for the Hessian", "both", "rows(Ru).T @ rows(w) + rows(u).T @ rows(Rw)", "rows(Ru).T @ rows(w)"),
    Fault("R of the loss's gradient left out", "backward", "Rd.dh[t + 1] += Rdy[t]", "pass"),
    Fault("input weights held fixed on the way back", "inputs", "Rd[0] @ k.p.W_ih + d[0] @ Rk.p.W_ih", "Rd[0] @ k.p.W_ih"),
]
