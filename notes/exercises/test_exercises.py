"""The exercises: every checker accepts a right answer and refuses wrong ones.

A right answer is made from what the checker does not use: the reference where it uses torch, torch where it uses the
reference, the complex step where it uses autograd, a bisection where it uses Brent's method.
"""

import re

import numpy as np
import pytest
import torch
from torch.nn import functional

from reference import RNN, PackedSequence
from reference.cells import gru, lstm, rnn
from reference.common.arrays import join, rows, sigmoid
from reference.gradients import truncated_bptt
from reference.parts import embedding, linear, losses

from . import definitions
from .complex_step import UnjudgedError, gradients
from .judge import judge
from .table import EXERCISES
from .tasks import autograd, listed


def without_biases(x, h, W_ih, W_hh):
    zero = np.zeros(len(W_ih))
    p = rnn.Params(W_ih, W_hh, zero, zero)
    return rnn.forward(p, x[None], rnn.State(h))


def by_rnn(dh_new, x, h, W_ih, W_hh, b_ih, b_hh):
    _, _, k = rnn.forward(rnn.Params(W_ih, W_hh, b_ih, b_hh), x[None], rnn.State(h))
    dp, dx, s = rnn.backward(dh_new[None], rnn.State(np.zeros_like(h)), k)
    return dx[0], s.h, *dp


def as_gru(W, at, M):
    """Rows of blocks, mixed into other blocks by the matrix M."""
    return np.einsum("mn,n...->m...", M, W.reshape(at, -1, *W.shape[1:])).reshape(-1, *W.shape[1:])


def through(room, M, bias, W_ih, W_hh, b_ih, b_hh):
    """Parameters of a room whose gates are mixed from those of the exercise."""
    n, H = M.shape[1], W_hh.shape[1]
    return room.Params(as_gru(W_ih, n, M), as_gru(W_hh, n, M), as_gru(b_ih, n, M) + np.repeat(bias, H), as_gru(b_hh, n, M))


def cell(room, M, bias=0, one_bias=True, **options):
    """forward and backward of one step, by a room of the reference."""
    bias, states = np.zeros(len(M)) + bias, len(room.State._fields)

    def run(x, *rest):
        s, weights = rest[:states], rest[states:]
        b = (np.zeros_like(weights[2]),) if one_bias else ()
        return room.forward(through(room, M, bias, *weights, *b), x[None], room.State(*s), **options)

    def forward(*inputs):
        s = run(*inputs)[1]
        return s.h if states == 1 else tuple(s)

    def backward(*given):
        y, _, k = run(*given[states:])
        dp, dx, s = room.backward(np.zeros_like(y), room.State(*given[:states]), k)
        dp = [as_gru(v, len(M), M.T) for v in dp[:4]]
        return dx[0], *s, *dp[: 3 if one_bias else 4]

    return {"forward": forward, "backward": backward}


NO_FORGET = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1]])
COUPLED = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1]])
MINIMAL = np.array([[1, 0], [-1, 0], [0, 1]])


def rnn_weight(da, left):
    """The gradient of a weight W by einsum: it sums over steps and samples at once."""
    return np.einsum("tbh,tbi->hi", da, left)


def clip_by_torch(g_1, g_2, max_norm):
    leaves = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in (g_1, g_2)]
    for leaf, g in zip(leaves, (g_1, g_2), strict=True):
        leaf.grad = torch.tensor(g)
    norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    return float(norm), *(leaf.grad.numpy() for leaf in leaves)


def bisected(steps):
    low, high = np.full(len(steps), -5.0), np.full(len(steps), 12.0)
    for _ in range(80):
        b = (low + high) / 2
        left = sigmoid(b) ** steps < np.exp(-1)
        low, high = np.where(left, b, low), np.where(left, high, b)
    return b


def truncated(dy, x, h_0, W_ih, W_hh, b, k):
    _, s, c = truncated_bptt.forward(rnn, rnn.Params(W_ih, W_hh, b, 0 * b), x, rnn.State(h_0), k)
    return tuple(truncated_bptt.backward(dy, rnn.State(0 * s.h), c)[0][:3])


def tied(dz, tokens, A, E):
    e, k = embedding.forward(E, tokens)
    u, k_A = linear.forward(linear.Params(A.T), e)
    _, k_E = linear.forward(linear.Params(E), u)
    dE, du = linear.backward(dz, k_E)
    dA, de = linear.backward(du, k_A)
    return dA.W.T, dE.W + embedding.backward(de, k)


def layer(*weights):
    network = RNN(weights[0].shape[1], len(weights[0]), bidirectional=len(weights) == 6, dtype=np.float64)
    named = {}
    for end, (W_ih, W_hh, b) in zip(("", "_reverse"), zip(*[iter(weights)] * 3, strict=True), strict=False):
        named |= {f"weight_ih_l0{end}": W_ih, f"weight_hh_l0{end}": W_hh, f"bias_ih_l0{end}": b, f"bias_hh_l0{end}": 0 * b}
    network.load_state_dict(named)
    return network


def run_packed(data, batch_sizes, h_0, *weights):
    y, h_n = layer(*weights)(PackedSequence(data, batch_sizes), h_0[None])
    return y.data, h_n[0]


def normalised(a, gain, bias):
    u = a - a.mean(-1, keepdims=True)
    return np.tanh(gain * u / np.sqrt((u * u).mean(-1, keepdims=True) + 1e-5) + bias)


def two_steps_of_an_lstm(x, h, c, W_ih, W_hh, b, p):
    """Peepholes as inputs to the gates: a first step finds the new cell state, a second one shows it to the output gate."""
    q, zero = lstm.Params(W_ih, W_hh, b, 0 * b), 0 * c
    a_x = x @ W_ih.T + b + join(p[0] * c, p[1] * c, zero, zero)
    c_new = lstm.step_forward(q, a_x, h, c)[1]
    return lstm.step_forward(q, a_x + join(zero, zero, zero, p[2] * c_new), h, c)[:2]


def complex_safe(twin):
    """A definition in torch as a student's forward: it runs on complex numbers too."""

    def forward(*inputs):
        out = listed(twin(*map(torch.as_tensor, inputs)))
        return out if len(out) > 1 else out[0]

    return forward


RIGHT = {
    1: {
        "forward": lambda *a: without_biases(*a)[1].h,
        "backward": lambda d, *a: by_rnn(d, *a, np.zeros(len(a[2])), np.zeros(len(a[2])))[:4],
    },
    2: {"forward": lambda *a: torch.rnn_tanh_cell(*map(torch.as_tensor, a)).numpy()},
    3: {"backward": by_rnn},
    4: {"bias_gradients": lambda dn, *a: gradients(lambda x, h, r, b, q: np.tanh(x + b + r * (h + q)), [dn], list(a))[3:]},
    5: {"hoist": lambda x, W, b: linear.forward(linear.Params(W, b), x)[0]},
    6: {"weight_gradients": lambda da, *left: tuple(rnn_weight(da, v) for v in (left[0], left[1][:-1]))},
    7: {"clip": clip_by_torch},
    8: {"logit_gradient": lambda z, t: autograd(lambda z: functional.cross_entropy(z, torch.as_tensor(t)), [np.ones(())], [z])[0]},
    9: {"backward": lambda dp, *a: gradients(lambda z, tau: np.exp(losses.log_softmax(z / tau)), [dp], list(a))},
    10: cell(lstm, NO_FORGET, bias=[0, 50, 0, 0]),
    11: cell(lstm, COUPLED),
    12: {"forget_bias": bisected},
    13: cell(gru, np.eye(3), one_bias=False, reset_after=False),
    14: cell(gru, MINIMAL, reset_after=False),
    15: {"backward": lambda d, *a: gradients(normalised, [d], list(a))},
    16: {"window_gradients": truncated},
    17: {"tied_gradients": tied},
    18: {"bidirectional": lambda x, *w: layer(*w)(x)[0]},
    19: {"run_packed": run_packed},
    20: {"forward": two_steps_of_an_lstm, "backward": lambda dh, dc, *a: autograd(definitions.peepholes, [dh, dc], list(a))},
}


@pytest.mark.parametrize("number", EXERCISES)
def test_a_right_answer_passes(number):
    assert judge(EXERCISES[number], RIGHT[number]) is None


def spoiled(k, how):
    """A function called with one of its arguments changed."""

    def change(f):
        return lambda *given: f(*given[:k], how(given[k]), *given[k + 1 :])

    return change


def moved(v):
    """Whole numbers as other whole numbers of the same range, a number as another one."""
    if not isinstance(v, np.ndarray) or v.ndim == 0:
        return v + 1 if isinstance(v, int) else v * 1.5
    return np.roll(v, 1, -1) if v.dtype.kind == "i" else 0 * v


WRONG_ARGUMENTS = [
    (number, task.function, k, name)
    for number, tasks in EXERCISES.items()
    for task in tasks
    for k, name in enumerate(task.arguments)
    if name != "batch_sizes"
]  # others would not fit the data


@pytest.mark.parametrize(("number", "function", "k", "name"), WRONG_ARGUMENTS)
def test_every_argument_matters(number, function, k, name):
    """An answer that takes zeros, or other numbers, for one of its arguments."""
    answer = RIGHT[number]
    wrong = judge(EXERCISES[number], answer | {function: spoiled(k, moved)(answer[function])})
    assert wrong is not None and re.match(rf"{function}: \w+(\[.*?\])? must be ", wrong), wrong


def with_output(k, how):
    """A function one of whose outputs is changed."""

    def change(f):
        def g(*given):
            out = f(*given)
            parts = list(out) if isinstance(out, tuple) else [out]
            parts[k] = how(np.array(parts[k], float))
            return tuple(parts)

        return g

    return change


def nudged(v):
    v[(-1,) * v.ndim] += 1e-7 * abs(v).max()
    return v


def nothing(v):
    v[(0,) * v.ndim] = np.nan
    return v


OUTPUT_FAULTS = [
    (np.negative, "must be"),
    (nudged, "must be"),
    (nothing, "got nan"),
    (lambda v: v[None], r"must have shape \(.*\), got \(1,"),
    (lambda v: None, "must be an array of real numbers, got NoneType"),
    (lambda v: [[1.0], [1.0, 2.0]], "must be an array of real numbers, got list"),
    (lambda v: v.astype(np.float32).astype(float), "must be"),
    (lambda v: v + 0j, "must be an array of real numbers"),
]
OUTPUTS = [(number, task.function, k) for number, tasks in EXERCISES.items() for task in tasks for k in range(len(task.outputs))]


@pytest.mark.parametrize(("number", "function", "k"), OUTPUTS)
def test_every_output_is_compared(number, function, k):
    answer = RIGHT[number]
    task = next(t for t in EXERCISES[number] if t.function == function)
    for how, said in OUTPUT_FAULTS:
        wrong = judge(EXERCISES[number], answer | {function: with_output(k, how)(answer[function])})
        assert wrong is not None and task.outputs[k] in wrong and re.search(said, wrong), wrong


def change(number, function, how):
    return RIGHT[number] | {function: how(RIGHT[number][function])}


def replaced(k, f):
    """One output as a function of the arguments."""

    def how(right):
        return lambda *a: tuple(f(*a) if n == k else v for n, v in enumerate(right(*a)))

    return how


def naive(z, t):
    with np.errstate(over="ignore", invalid="ignore"):
        p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    return (p - np.eye(z.shape[1])[t]) / len(z)


def indexed(dz, tokens, A, E):
    """dE[tokens] += de: of a token that comes twice, one is lost."""
    dE, _ = linear.backward(dz, linear.Cache(linear.Params(E), E[tokens] @ A))
    dE = dE.W.copy()
    dE[tokens] += dz @ E @ A.T
    return dE


def clipped_apart(g_1, g_2, max_norm):
    norm = clip_by_torch(g_1, g_2, max_norm)[0]
    return norm, *(g * min(1, max_norm / np.linalg.norm(g)) for g in (g_1, g_2))


def restarted(dy, x, h_0, W_ih, W_hh, b, k):
    """Every window starts from zeros."""
    parts = [truncated(dy[t : t + k], x[t : t + k], h_0 if t == 0 else 0 * h_0, W_ih, W_hh, b, k) for t in range(0, len(x), k)]
    return tuple(map(sum, zip(*parts, strict=True)))


def old_cell_for_output(x, h, c, W_ih, W_hh, b, p):
    i, f, g, o = (x @ W_ih.T + h @ W_hh.T + b).chunk(4, -1)
    c_new = torch.sigmoid(f + p[1] * c) * c + torch.sigmoid(i + p[0] * c) * torch.tanh(g)
    return torch.sigmoid(o + p[2] * c) * torch.tanh(c_new), c_new


def unflipped(x, *w):
    y, H = layer(*w)(x)[0], len(w[0])
    return np.concatenate([y[..., :H], y[::-1, :, H:]], -1)


RESET_AFTER = cell(gru, np.eye(3), one_bias=False, reset_after=True)
MISTAKES = {
    "no tanh derivative": (3, change(3, "backward", replaced(0, lambda d, x, h, W, *_: d @ W))),
    "mean over the batch": (3, change(3, "backward", replaced(4, lambda *a: by_rnn(*a)[4] / len(a[0])))),
    "transposed dW_hh": (3, change(3, "backward", replaced(3, lambda *a: by_rnn(*a)[3].T))),
    "one bias for both": (4, change(4, "bias_gradients", replaced(1, lambda *a: RIGHT[4]["bias_gradients"](*a)[0]))),
    "the state that leaves": (6, change(6, "weight_gradients", replaced(1, lambda da, x, h: rows(da).T @ rows(h[1:])))),
    "each gradient by its own norm": (7, {"clip": clipped_apart}),
    "always scaled": (7, {"clip": lambda a, b, m: (n := clip_by_torch(a, b, m)[0], a * m / n, b * m / n)}),
    "sum for mean": (8, change(8, "logit_gradient", lambda f: lambda z, t: f(z, t) * len(z))),
    "an exponential that overflows": (8, {"logit_gradient": naive}),
    "no division by the temperature": (
        9,
        change(9, "backward", replaced(0, lambda dp, z, t: RIGHT[9]["backward"](dp, z / t, t * 0 + 1)[0])),
    ),
    "a forget gate": (10, RIGHT[10] | {"forward": RIGHT[11]["forward"]}),
    "the carousel multiplied": (10, RIGHT[10] | {"backward": RIGHT[11]["backward"]}),
    "the logarithm of the steps": (12, {"forget_bias": np.log}),
    "reset after, forward": (13, RIGHT[13] | {"forward": RESET_AFTER["forward"]}),
    "reset after, backward": (13, RIGHT[13] | {"backward": RESET_AFTER["backward"]}),
    "reset after in both": (13, RESET_AFTER),
    "variance of a sample": (
        15,
        {
            "backward": lambda d, *a: gradients(
                lambda a, g, b: np.tanh(
                    g
                    * (a - a.mean(-1, keepdims=True))
                    / np.sqrt(((a - a.mean(-1, keepdims=True)) ** 2).sum(-1, keepdims=True) / (a.shape[-1] - 1) + 1e-5)
                    + b
                ),
                [d],
                list(a),
            )
        },
    ),
    "mean and variance as constants": (
        15,
        change(
            15,
            "backward",
            replaced(0, lambda d, a, g, b: d * (1 - normalised(a, g, b) ** 2) * g / np.sqrt(a.var(-1, keepdims=True) + 1e-5)),
        ),
    ),
    "not truncated": (16, change(16, "window_gradients", lambda f: lambda *a: f(*a[:-1], len(a[0])))),
    "windows from zeros": (16, {"window_gradients": restarted}),
    "one use of the tied matrix": (
        17,
        change(17, "tied_gradients", replaced(1, lambda dz, tokens, A, E: rows(dz).T @ rows(E[tokens] @ A))),
    ),
    "repeated tokens lost": (17, change(17, "tied_gradients", replaced(1, indexed))),
    "not flipped back": (18, {"bidirectional": unflipped}),
    "states of the last step": (
        19,
        change(
            19,
            "run_packed",
            replaced(1, lambda data, n, h, *w: np.concatenate([run_packed(data, n, h, *w)[1][: n[-1]], h[n[-1] :]])),
        ),
    ),
    "the old cell for the output gate": (20, RIGHT[20] | {"forward": complex_safe(old_cell_for_output)}),
    "peepholes that send nothing back": (
        20,
        change(
            20,
            "backward",
            replaced(
                4 - 2, lambda dh, dc, *a: autograd(lambda x, h, c, *w: old_cell_for_output(x, h, c, *w), [dh, dc], list(a))[2]
            ),
        ),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_common_mistake_is_refused(mistake):
    number, answer = MISTAKES[mistake]
    assert " must be " in (judge(EXERCISES[number], answer) or "")


def test_the_verdict_says_which_output_and_what_it_has_in_common():
    said = judge(EXERCISES[3], MISTAKES["transposed dW_hh"][1])
    assert said is not None
    assert re.match(
        r"backward: dW_hh\[\d, \d\] must be -?[\d.]+, got -?[\d.]+, and \d+ of \d+ entries are wrong, as if "
        r"transposed; right: dx, dh, dW_ih, db_ih, db_hh \(case: dh_new \(\d, \d\), ",
        said,
    ), said
    assert "each 2 times what it must be" in (judge(EXERCISES[2], change(2, "forward", lambda f: lambda *a: 2 * f(*a))) or "")


def test_the_verdict_says_which_gate_is_wrong():
    """A forget gate without its derivative: rows H to 2H of everything that belongs to the gates."""

    def careless(right):
        def backward(*given):
            dx, dh, dc, dW_ih, dW_hh, db, dp = right(*given)
            H = len(db) // 4
            rest = [np.concatenate([v[:H], 2 * v[H : 2 * H], v[2 * H :]]) for v in (dW_ih, dW_hh, db)]
            return dx, dh, dc, *rest, dp

        return backward

    said = judge(EXERCISES[20], change(20, "backward", careless)) or ""
    H = int(re.findall(r"h_new \(\d, (\d)\)", said)[0])
    assert said.count(f" (only [{H}:{2 * H}])") == 3 and "right: dx, dh, dc, dp (case" in said, said


def test_an_answer_must_leave_its_arguments_alone():
    def careless(x, *rest):
        y = RIGHT[2]["forward"](x, *rest)
        x += 1
        return y

    assert judge(EXERCISES[2], {"forward": careless}) == "forward changes its argument x; it must leave its arguments as they are"


@pytest.mark.parametrize(
    "forward",
    [
        lambda *a: RIGHT[1]["forward"](*a).real,
        lambda *a: np.array(RIGHT[1]["forward"](*a), float),
        lambda *a: np.tanh(np.add(a[0] @ a[2].T, a[1] @ a[3].T, dtype=float)),
    ],
)
def test_a_forward_that_drops_the_imaginary_part_is_not_judged(forward):
    with pytest.raises(UnjudgedError, match="forward must also run on complex numbers"):
        judge(EXERCISES[1], RIGHT[1] | {"forward": forward})


@pytest.mark.parametrize(
    "hoist",
    [
        lambda x, W, b: np.stack([x_t @ W.T + b for x_t in x]),
        lambda x, W, b: x @ W.T + b,
        lambda x, W, b: np.array([x_t.dot(W.T) + b for x_t in x]),
        lambda x, W, b: np.array([np.dot(x_t, W.T) + b for x_t in x]),
    ],
)
def test_the_input_product_must_be_one(hoist):
    assert re.fullmatch(
        r"hoist is right, but makes [2-6] matrix products where 1 would do", judge(EXERCISES[5], {"hoist": hoist}) or ""
    )


def test_each_weight_gradient_must_be_one_product():
    def loop(da, x, h):
        return sum(d.T @ v for d, v in zip(da, x, strict=True)), rows(da).T @ rows(h[:-1])

    assert re.fullmatch(
        r"weight_gradients is right, but makes [3-7] matrix products where 2 would do",
        judge(EXERCISES[6], {"weight_gradients": loop}) or "",
    )
    assert judge(EXERCISES[6], {"weight_gradients": lambda da, x, h: [rows(da).T @ rows(v) for v in (x, h[:-1])]}) is None


def test_every_exercise_has_a_right_answer():
    assert list(RIGHT) == list(EXERCISES)
