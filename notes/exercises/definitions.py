"""What an exercise defines on its page, said in torch.  Autograd is the backward."""

import numpy as np
import torch
from scipy.optimize import brentq
from torch import sigmoid, tanh
from torch.nn import functional

from reference.cells import gru, rnn
from reference.common.arrays import sigmoid as logistic
from reference.parts import losses
from reference.training import clip

from .tasks import autograd, listed


def rnn_step(x, h, W_ih, W_hh, *b):
    return tanh(x @ W_ih.T + h @ W_hh.T + sum(b))


def reference_step(x, h, W_ih, W_hh, b_ih, b_hh):
    p = rnn.Params(W_ih, W_hh, b_ih, b_hh)
    return rnn.step_forward(p, x @ W_ih.T + b_ih, h)


def candidate(a_x, a_h, r, b_in, b_hn):
    return tanh(a_x + b_in + r * (a_h + b_hn))


def two_biases(dn, a_x, a_h, r, b_in, b_hn):
    return autograd(candidate, [dn], [a_x, a_h, r, b_in, b_hn])[3:]


def hoisted(x, W_ih, b_ih):
    return functional.linear(*map(torch.as_tensor, (x, W_ih, b_ih)))


def weight_gradients(da, x, h):
    """The gradient in weights does not depend on them: the map is linear."""
    def a(W_ih, W_hh):
        return torch.as_tensor(x) @ W_ih.T + torch.as_tensor(h[:-1]) @ W_hh.T
    H = h.shape[-1]
    return autograd(a, [da], [np.zeros((H, x.shape[-1])), np.zeros((H, H))])


def clipped(g_1, g_2, max_norm):
    grads = {"g_1": g_1.copy(), "g_2": g_2.copy()}
    return clip.clip_grad_norm(grads, max_norm), *grads.values()


def cross_entropy_gradient(z, t):
    loss, cache = losses.cross_entropy_forward(z, t)
    return losses.cross_entropy_backward(np.ones_like(loss), cache)


def tempered(z, tau):
    return torch.softmax(z / tau, -1)


def no_forget_gate(x, h, c, W_ih, W_hh, b):
    i, g, o = (x @ W_ih.T + h @ W_hh.T + b).chunk(3, -1)
    c = c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def coupled(x, h, c, W_ih, W_hh, b):
    i, g, o = (x @ W_ih.T + h @ W_hh.T + b).chunk(3, -1)
    c = (1 - sigmoid(i)) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def forget_bias(steps):
    """The bias by which a share 1/e is left after this many steps: the root, found numerically."""
    return np.array([brentq(lambda b, n=n: n * np.log(logistic(np.asarray(b))) + 1, -5, 12, xtol=1e-15, rtol=1e-15)
                     for n in steps])


def reset_before(x, h, W_ih, W_hh, b_ih, b_hh):
    p = gru.Params(*(v.numpy() for v in (W_ih, W_hh, b_ih, b_hh)))
    return gru.step_forward(p, x.numpy() @ p.W_ih.T + p.b_ih, h.numpy(), reset_after=False)[0]


def minimal_gated(x, h, W_ih, W_hh, b):
    (x_f, x_n), (W_f, W_n) = (x @ W_ih.T + b).chunk(2, -1), W_hh.chunk(2)
    f = sigmoid(x_f + h @ W_f.T)
    return (1 - f) * h + f * tanh(x_n + (f * h) @ W_n.T)


def normalised(a, gain, bias):
    return tanh(functional.layer_norm(a, a.shape[-1:], gain, bias, 1e-5))


def windows(dy, x, h_0, W_ih, W_hh, b, k):
    """The state is carried over, cut from its past at the start of each window."""
    def run(W_ih, W_hh, b):
        h, y = torch.as_tensor(h_0), []
        for t, x_t in enumerate(torch.as_tensor(x)):
            h = rnn_step(x_t, h.detach() if t % k == 0 else h, W_ih, W_hh, b)
            y.append(h)
        return torch.stack(y)
    return autograd(run, [dy], [W_ih, W_hh, b])


def tied(dz, tokens, A, E):
    return autograd(lambda A, E: E[torch.as_tensor(tokens)] @ A @ E.T, [dz], [A, E])


def layer(x, *weights):
    """torch.nn.RNN with these weights; a second three are those of the reverse direction."""
    H = weights[0].shape[0]
    made = torch.nn.RNN(weights[0].shape[1], H, bidirectional=len(weights) == 6, dtype=torch.float64)
    with torch.no_grad():
        for k, w in enumerate(zip(*[iter(map(torch.as_tensor, weights))] * 3, strict=True)):
            end = "_reverse" * k
            for name, v in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), (*w, torch.zeros_like(w[2])), strict=True):
                getattr(made, f"{name}_l0{end}").copy_(v)
    return made


def both_directions(x, *weights):
    return layer(x, *weights)(torch.as_tensor(x))[0]


def packed(data, batch_sizes, h_0, W_ih, W_hh, b):
    sequence = torch.nn.utils.rnn.PackedSequence(torch.as_tensor(data), torch.as_tensor(batch_sizes))
    y, h_n = layer(data, W_ih, W_hh, b)(sequence, torch.as_tensor(h_0)[None])
    return listed((y.data, h_n[0]))


def peepholes(x, h, c, W_ih, W_hh, b, p):
    i, f, g, o = (x @ W_ih.T + h @ W_hh.T + b).chunk(4, -1)
    c_new = sigmoid(f + p[1] * c) * c + sigmoid(i + p[0] * c) * tanh(g)
    return sigmoid(o + p[2] * c_new) * tanh(c_new), c_new
