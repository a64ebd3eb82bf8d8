"""Hessian-vector products, forward over reverse, by hand.  Derivation: notes/gradients/hessian.md

    R{f}(θ) = d/dε f(θ + ε v) at ε = 0: the change of anything when all that goes in moves along v       (HV1)
    R of forward gives R{h_t} and the gates' R from the first step to the last                           (HV2)
    R of backward gives R{dh_t} and R{da_t} from the last step to the first                              (HV3)
    R{dθ} = ∇²ℓ v, for dθ = ∂ℓ/∂θ and ∇²ℓ the matrix of second derivatives                               (HV4)

R is linear and has the product rule, R{u w} = R{u} w + u R{w}; R{φ(a)} = φ'(a) R{a} (Pearlmutter 1994).
``Rx`` in the code is R{x}.  What a line is the R of stands at its end: R{L3}, R{L3*}.
∇²ℓ is never formed: ∇²ℓ v and the gradient together cost about three gradients.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..cells import gru, lstm, rnn
from ..cells.stack import Cached, Option, Params, Room, State
from ..common.arrays import Array, join, rows, split

Gradient = tuple[Params, Array, State]
Deltas = rnn.Deltas | lstm.Deltas | gru.Deltas


class Direction(NamedTuple):
    """v: a change of all that goes into forward."""

    p: Params
    x: Array    # (T, B, I)
    s: State


def product(room: Room, p: Params, x: Array, s: State, v: Direction, upstream: Callable[..., tuple],
            **options: Option) -> tuple[Gradient, Gradient]:
    """∇²ℓ v, and the gradient on the way.

    upstream  ``upstream(y, s_n, Ry, Rs_n) -> dy, ds_n, Rdy, Rds_n``: the loss's gradient with respect to the outputs, and its R.
              Of a loss that is linear in y and s_n both R are zero.

    ->  (dp, dx, ds_0), (Rdp, Rdx, Rds_0)                                                                  HV4
    """
    y, s_n, k = room.forward(p, x, s, **options)
    Ry, Rs_n, Rk = forward(room, v, k)
    dy, ds, Rdy, Rds = upstream(y, s_n, Ry, Rs_n)
    return room.backward(dy, ds, k), backward(room, dy, ds, Rdy, Rds, k, Rk)                                # HV4


def forward(room: Room, v: Direction, k: Cached) -> tuple[Array, State, Cached]:
    """R of the room's forward: Direction, Cache  ->  Ry, Rs_n, and the R of the Cache with v's p, x, h_0 in it"""
    p, Rp, T = k.p, v.p, len(k.x)
    Ra = rows(v.x) @ p.W_ih.T + rows(k.x) @ Rp.W_ih.T + Rp.b_ih                    # HV2, the input's half of a
    Ra = Ra.reshape(*k.x.shape[:2], -1)
    fields = {name: np.zeros_like(u) for name, u in k._asdict().items() if isinstance(u, np.ndarray)}
    Rk = k._replace(**fields | {"p": Rp, "x": v.x})
    for name, u in v.s._asdict().items():
        getattr(Rk, name)[0] = u                                                   # HV1
    for t in range(T):
        STEPS[room].forward(k, Rk, Ra[t], t)                                       # HV2
    return Rk.h[1:], type(v.s)(*(getattr(Rk, name)[T] for name in v.s._fields)), Rk


def backward(room: Room, dy: Array, ds: State, Rdy: Array, Rds: State, k: Cached, Rk: Cached) -> Gradient:
    """R of the room's backward: d(outputs), R of them, Cache, its R  ->  Rdp, Rdx, Rds_0"""
    steps = STEPS[room]
    d = room.deltas(dy, ds, k)
    Rd = type(d)(*map(np.zeros_like, d))
    for name, u in Rds._asdict().items():
        getattr(Rd, f"d{name}")[-1] = u
    for t in reversed(range(len(dy))):
        Rd.dh[t + 1] += Rdy[t]
        steps.backward(k, Rk, d, Rd, t)                                                                   # HV3
    return steps.weights(k, Rk, d, Rd), inputs(k, Rk, d, Rd), type(Rds)(*(getattr(Rd, f"d{n}")[0] for n in Rds._fields))


def both(u: Array, Ru: Array, w: Array, Rw: Array) -> Array:
    """R{uᵀ w}, all T at once: the product rule for the weights' one product"""
    return rows(Ru).T @ rows(w) + rows(u).T @ rows(Rw)


def inputs(k: Cached, Rk: Cached, d: Deltas, Rd: Deltas) -> Array:
    """R{dx}, dx = da W_ih"""
    return Rd[0] @ k.p.W_ih + d[0] @ Rk.p.W_ih                                     # da, or the GRU's da_x, is first


def rnn_forward(k: rnn.Cache, Rk: rnn.Cache, Ra_x: Array, t: int) -> None:
    Ra = Ra_x + Rk.h[t] @ k.p.W_hh.T + k.h[t] @ Rk.p.W_hh.T + Rk.p.b_hh                                # R{R1}
    h = k.h[t + 1]
    Rk.h[t + 1] = (1 - h**2) * Ra if k.nonlinearity == "tanh" else np.where(h.real <= 0, 0, Ra)             # R{R2}


def rnn_backward(k: rnn.Cache, Rk: rnn.Cache, d: rnn.Deltas, Rd: rnn.Deltas, t: int) -> None:
    h, Rh, dh, Rdh = k.h[t + 1], Rk.h[t + 1], d.dh[t + 1], Rd.dh[t + 1]
    Rd.da[t] = Rdh * (1 - h**2) - 2 * dh * h * Rh if k.nonlinearity == "tanh" else np.where(h.real <= 0, 0, Rdh)      # R{R2*}
    Rd.dh[t] = Rd.da[t] @ k.p.W_hh + d.da[t] @ Rk.p.W_hh                                               # R{R1*}


def rnn_weights(k: rnn.Cache, Rk: rnn.Cache, d: rnn.Deltas, Rd: rnn.Deltas) -> rnn.Params:
    Rdb = rows(Rd.da).sum(0)
    return rnn.Params(both(d.da, Rd.da, k.x, Rk.x), both(d.da, Rd.da, k.h[:-1], Rk.h[:-1]), Rdb, Rdb.copy())


def lstm_forward(k: lstm.Cache, Rk: lstm.Cache, Ra_x: Array, t: int) -> None:
    i, f, g, o = split(k.gates[t], 4)
    u = np.tanh(k.c[t + 1])
    Ra = Ra_x + Rk.h[t] @ k.p.W_hh.T + k.h[t] @ Rk.p.W_hh.T + Rk.p.b_hh                                # R{L1}
    Ri, Rf, Rg, Ro = (w * Ra for w, Ra in zip((i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)),
                                              split(Ra, 4), strict=True))                              # R{L2}
    Rc = Rf * k.c[t] + f * Rk.c[t] + Ri * g + i * Rg                                                   # R{L3}
    Rh = Ro * u + o * (1 - u**2) * Rc                                                                  # R{L4}
    if k.p.W_hr is not None and Rk.p.W_hr is not None:
        Rh = Rh @ k.p.W_hr.T + (o * u) @ Rk.p.W_hr.T                                                   # R{L5}
    Rk.gates[t], Rk.c[t + 1], Rk.h[t + 1] = join(Ri, Rf, Rg, Ro), Rc, Rh


def lstm_backward(k: lstm.Cache, Rk: lstm.Cache, d: lstm.Deltas, Rd: lstm.Deltas, t: int) -> None:
    (i, f, g, o), (Ri, Rf, Rg, Ro) = split(k.gates[t], 4), split(Rk.gates[t], 4)
    c, Rc, u = k.c[t], Rk.c[t], np.tanh(k.c[t + 1])
    Ru = (1 - u**2) * Rk.c[t + 1]
    dh, Rdh = d.dh[t + 1], Rd.dh[t + 1]
    if k.p.W_hr is not None:
        dh, Rdh = dh @ k.p.W_hr, Rdh @ k.p.W_hr + dh @ Rk.p.W_hr                                       # R{L5*}
    slope, Rslope = o * (1 - u**2), Ro * (1 - u**2) - 2 * o * u * Ru
    do, Rdo = dh * u, Rdh * u + dh * Ru                                                                # R{L4*}
    dc, Rdc = d.dc[t + 1] + dh * slope, Rd.dc[t + 1] + Rdh * slope + dh * Rslope                       # R{L4*}
    di, Rdi = dc * g, Rdc * g + dc * Rg                                                                # R{L3*}
    df, Rdf = dc * c, Rdc * c + dc * Rc                                                                # R{L3*}
    dg, Rdg = dc * i, Rdc * i + dc * Ri                                                                # R{L3*}
    Rd.da[t] = join(Rdi * i * (1 - i) + di * (1 - 2 * i) * Ri,                                         # R{L2*}
                    Rdf * f * (1 - f) + df * (1 - 2 * f) * Rf,
                    Rdg * (1 - g**2) - 2 * dg * g * Rg,
                    Rdo * o * (1 - o) + do * (1 - 2 * o) * Ro)
    Rd.dh[t] = Rd.da[t] @ k.p.W_hh + d.da[t] @ Rk.p.W_hh                                               # R{L1*}
    Rd.dc[t] = Rdc * f + dc * Rf                                                                       # R{L3*}


def lstm_weights(k: lstm.Cache, Rk: lstm.Cache, d: lstm.Deltas, Rd: lstm.Deltas) -> lstm.Params:
    Rdb, RdW_hr = rows(Rd.da).sum(0), None
    if k.p.W_hr is not None:
        o, Ro, u = split(k.gates, 4)[3], split(Rk.gates, 4)[3], np.tanh(k.c[1:])
        RdW_hr = both(d.dh[1:], Rd.dh[1:], o * u, Ro * u + o * (1 - u**2) * Rk.c[1:])                  # R{L5*}
    return lstm.Params(both(d.da, Rd.da, k.x, Rk.x), both(d.da, Rd.da, k.h[:-1], Rk.h[:-1]), Rdb, Rdb.copy(), RdW_hr)


def gru_forward(k: gru.Cache, Rk: gru.Cache, Ra_x: Array, t: int) -> None:
    H = k.q.shape[-1]
    W, RW, Rb, h, Rh = k.p.W_hh, Rk.p.W_hh, Rk.p.b_hh, k.h[t], Rk.h[t]
    r, z, n = split(k.gates[t], 3)
    Ra = Ra_x[:, : 2 * H] + Rh @ W[: 2 * H].T + h @ RW[: 2 * H].T + Rb[: 2 * H]                        # R{G1}
    Rr, Rz = r * (1 - r) * Ra[:, :H], z * (1 - z) * Ra[:, H:]                                          # R{G1}
    w, Rw = (h, Rh) if k.reset_after else (r * h, Rr * h + r * Rh)
    Rq = Rw @ W[2 * H :].T + w @ RW[2 * H :].T + Rb[2 * H :]                                           # R{G2}
    Rn = (1 - n**2) * (Ra_x[:, 2 * H :] + (Rr * k.q[t] + r * Rq if k.reset_after else Rq))             # R{G3}
    Rk.h[t + 1] = (1 - z) * Rn - Rz * n + Rz * h + z * Rh                                              # R{G4}
    Rk.gates[t], Rk.q[t] = join(Rr, Rz, Rn), Rq


def gru_backward(k: gru.Cache, Rk: gru.Cache, d: gru.Deltas, Rd: gru.Deltas, t: int) -> None:
    H, after = k.q.shape[-1], k.reset_after
    W, RW, h, Rh, q, Rq = k.p.W_hh, Rk.p.W_hh, k.h[t], Rk.h[t], k.q[t], Rk.q[t]
    (r, z, n), (Rr, Rz, Rn) = split(k.gates[t], 3), split(Rk.gates[t], 3)
    dh, Rdh = d.dh[t + 1], Rd.dh[t + 1]
    dn, Rdn = dh * (1 - z), Rdh * (1 - z) - dh * Rz                                                    # R{G4*}
    dz, Rdz = dh * (h - n), Rdh * (h - n) + dh * (Rh - Rn)                                             # R{G4*}
    Rda_n = Rdn * (1 - n**2) - 2 * dn * n * Rn                                                         # R{G3*}
    da_n, dq = d.da_x[t][:, 2 * H :], d.da_h[t][:, 2 * H :]
    Rdq = Rda_n * r + da_n * Rr if after else Rda_n                                                    # R{G3*}
    dh_q, Rdh_q = dq @ W[2 * H :], Rdq @ W[2 * H :] + dq @ RW[2 * H :]                                 # R{G2*}
    dr, Rdr = (da_n * q, Rda_n * q + da_n * Rq) if after else (dh_q * h, Rdh_q * h + dh_q * Rh)        # R{G3*}, R{G2*}
    Rda_rz = join(Rdr * r * (1 - r) + dr * (1 - 2 * r) * Rr,                                           # R{G1*}
                  Rdz * z * (1 - z) + dz * (1 - 2 * z) * Rz)
    Rd.da_x[t], Rd.da_h[t] = join(Rda_rz, Rda_n), join(Rda_rz, Rdq)
    Rd.dh[t] = (Rdh * z + dh * Rz + Rda_rz @ W[: 2 * H] + d.da_h[t][:, : 2 * H] @ RW[: 2 * H]          # R{G4*}, R{G1*}
                + (Rdh_q if after else Rdh_q * r + dh_q * Rr))                                         # R{G2*}


def gru_weights(k: gru.Cache, Rk: gru.Cache, d: gru.Deltas, Rd: gru.Deltas) -> gru.Params:
    H, r, Rr, h, Rh = k.q.shape[-1], split(k.gates, 3)[0], split(Rk.gates, 3)[0], k.h[:-1], Rk.h[:-1]
    w, Rw = (h, Rh) if k.reset_after else (r * h, Rr * h + r * Rh)                                     # R{G2}
    rz, n = slice(2 * H), slice(2 * H, None)
    RdW_hh = np.concatenate([both(d.da_h[..., rz], Rd.da_h[..., rz], h, Rh),                           # R{G1*}
                             both(d.da_h[..., n], Rd.da_h[..., n], w, Rw)])                            # R{G2*}
    return gru.Params(both(d.da_x, Rd.da_x, k.x, Rk.x), RdW_hh, rows(Rd.da_x).sum(0), rows(Rd.da_h).sum(0))


class Steps(NamedTuple):
    """R of one cell's room: of a step forward, of a step backward, and of the weights' gradients, all T at once."""

    forward: Callable[..., None]    # (k, Rk, Ra_x (B, G), t): fills Rk at t
    backward: Callable[..., None]   # (k, Rk, d, Rd, t): fills Rd, the R of the room's Deltas, at t
    weights: Callable[..., Params]  # (k, Rk, d, Rd) -> Rdp


STEPS: dict[Room, Steps] = {rnn: Steps(rnn_forward, rnn_backward, rnn_weights),
                                  lstm: Steps(lstm_forward, lstm_backward, lstm_weights),
                                  gru: Steps(gru_forward, gru_backward, gru_weights)}
