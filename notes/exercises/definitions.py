"""What an exercise defines on its page, said in torch.  Autograd is the backward."""

import numpy as np
import torch
from scipy.optimize import brentq
from torch import Tensor, sigmoid, tanh
from torch.nn import functional

from reference.cells import gru, rnn
from reference.common.arrays import Array
from reference.common.arrays import sigmoid as logistic
from reference.parts import losses
from reference.training import clip

from .tasks import Arrays, autograd, listed

Pair = tuple[Tensor, Tensor]


def rnn_step(x: Tensor, h: Tensor, W_ih: Tensor, W_hh: Tensor, *b: Tensor) -> Tensor:
    return tanh(x @ W_ih.T + h @ W_hh.T + sum(b))


def reference_step(x: Array, h: Array, W_ih: Array, W_hh: Array, b_ih: Array, b_hh: Array) -> Array:
    p = rnn.Params(W_ih, W_hh, b_ih, b_hh)
    return rnn.step_forward(p, x @ W_ih.T + b_ih, h)


def candidate(a_x: Tensor, a_h: Tensor, r: Tensor, b_in: Tensor, b_hn: Tensor) -> Tensor:
    return tanh(a_x + b_in + r * (a_h + b_hn))


def two_biases(dn: Array, a_x: Array, a_h: Array, r: Array, b_in: Array, b_hn: Array) -> Arrays:
    return autograd(candidate, [dn], [a_x, a_h, r, b_in, b_hn])[3:]


def hoisted(x: Array, W_ih: Array, b_ih: Array) -> Tensor:
    return functional.linear(*map(torch.as_tensor, (x, W_ih, b_ih)))


def weight_gradients(da: Array, x: Array, h: Array) -> Arrays:
    """The gradient with respect to weights does not depend on them: the map is linear."""

    def a(W_ih, W_hh):
        return torch.as_tensor(x) @ W_ih.T + torch.as_tensor(h[:-1]) @ W_hh.T

    H = h.shape[-1]
    return autograd(a, [da], [np.zeros((H, x.shape[-1])), np.zeros((H, H))])


def clipped(g_1: Array, g_2: Array, max_norm: float) -> tuple:
    grads = {"g_1": g_1.copy(), "g_2": g_2.copy()}
    return clip.clip_grad_norm(grads, max_norm), *grads.values()


def cross_entropy_gradient(z: Array, t: Array) -> Array:
    loss, cache = losses.cross_entropy_forward(z, t)
    return losses.cross_entropy_backward(np.ones_like(loss), cache)


def tempered(z: Tensor, tau: Tensor) -> Tensor:
    return torch.softmax(z / tau, -1)


def no_forget_gate(x: Tensor, h: Tensor, c: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor) -> Pair:
    i, g, o = (x @ W_ih.T + h @ W_hh.T + b).chunk(3, -1)
    c = c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def coupled(x: Tensor, h: Tensor, c: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor) -> Pair:
    i, g, o = (x @ W_ih.T + h @ W_hh.T + b).chunk(3, -1)
    c = (1 - sigmoid(i)) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def forget_bias(steps: Array) -> Array:
    """The bias by which a share 1/e is left after this many steps: the root, found numerically."""
    return np.array([brentq(lambda b, n=n: n * np.log(logistic(np.asarray(b))) + 1, -5, 12, xtol=1e-15, rtol=1e-15) for n in steps])


def reset_before(x: Tensor, h: Tensor, W_ih: Tensor, W_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Array:
    p = gru.Params(*(v.numpy() for v in (W_ih, W_hh, b_ih, b_hh)))
    return gru.step_forward(p, x.numpy() @ p.W_ih.T + p.b_ih, h.numpy(), reset_after=False)[0]


def minimal_gated(x: Tensor, h: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor) -> Tensor:
    (x_f, x_n), (W_f, W_n) = (x @ W_ih.T + b).chunk(2, -1), W_hh.chunk(2)
    f = sigmoid(x_f + h @ W_f.T)
    return (1 - f) * h + f * tanh(x_n + (f * h) @ W_n.T)


def normalised(a: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    return tanh(functional.layer_norm(a, a.shape[-1:], gain, bias, 1e-5))


def windows(dy: Array, x: Array, h_0: Array, W_ih: Array, W_hh: Array, b: Array, k: int) -> Arrays:
    """The state is carried over, cut from its past at the start of each window."""

    def run(W_ih, W_hh, b):
        h, y = torch.as_tensor(h_0), []
        for t, x_t in enumerate(torch.as_tensor(x)):
            h = rnn_step(x_t, h.detach() if t % k == 0 else h, W_ih, W_hh, b)
            y.append(h)
        return torch.stack(y)

    return autograd(run, [dy], [W_ih, W_hh, b])


def tied(dz: Array, tokens: Array, A: Array, E: Array) -> Arrays:
    return autograd(lambda A, E: E[torch.as_tensor(tokens)] @ A @ E.T, [dz], [A, E])


def layer(x: Array, *weights: Array) -> torch.nn.RNN:
    """torch.nn.RNN with these weights; a second three are those of the reverse direction."""
    H = weights[0].shape[0]
    network = torch.nn.RNN(weights[0].shape[1], H, bidirectional=len(weights) == 6, dtype=torch.float64)
    with torch.no_grad():
        for k, w in enumerate(zip(*[iter(map(torch.as_tensor, weights))] * 3, strict=True)):
            end = "_reverse" * k
            for name, v in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), (*w, torch.zeros_like(w[2])), strict=True):
                getattr(network, f"{name}_l0{end}").copy_(v)
    return network


def both_directions(x: Array, *weights: Array) -> Tensor:
    return layer(x, *weights)(torch.as_tensor(x))[0]


def packed(data: Array, batch_sizes: Array, h_0: Array, W_ih: Array, W_hh: Array, b: Array) -> Arrays:
    sequence = torch.nn.utils.rnn.PackedSequence(torch.as_tensor(data), torch.as_tensor(batch_sizes))
    y, h_n = layer(data, W_ih, W_hh, b)(sequence, torch.as_tensor(h_0)[None])
    return listed((y.data, h_n[0]))


def peepholes(x: Tensor, h: Tensor, c: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor, p: Tensor) -> Pair:
    i, f, g, o = (x @ W_ih.T + h @ W_hh.T + b).chunk(4, -1)
    c_new = sigmoid(f + p[1] * c) * c + sigmoid(i + p[0] * c) * tanh(g)
    return sigmoid(o + p[2] * c_new) * tanh(c_new), c_new
