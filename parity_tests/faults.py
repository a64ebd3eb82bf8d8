"""The catalogue of wrong implementations, each of which the suite must catch: the test of the suite.

A fault is a change to the text of one file of ``reference``; broken.py imports a copy of the package with that change.
Where somebody shipped the same mistake, ``source`` says where.
"""

from dataclasses import dataclass

from .cases import KINDS

ALL, RNN, LSTM, GRU = tuple(KINDS), ("rnn", "rnn-relu"), ("lstm", "lstm-proj"), ("gru", "gru-before")


@dataclass(frozen=True)
class Fault:
    """One wrong line.

    name      what is wrong
    file      of ``reference``
    old       text that stands there once
    new       what the fault has instead
    kinds     the cells in which it can show
    equation  what the diagnosis must name; empty where the fault is outside the rooms
    source    a public report of the same mistake
    changes   True if what shows it is not a wrong number but an argument that was written to
    """

    name: str
    file: str
    old: str
    new: str
    kinds: tuple[str, ...] = ALL
    equation: str = ""
    source: str = ""
    changes: bool = False


FAULTS = [
    # The Elman RNN.
    Fault("recurrent bias left out", "rnn.py", "h @ p.W_hh.T + p.b_hh", "h @ p.W_hh.T", RNN, "R1",
          "numpy-ml #42: all tests had zero biases"),
    Fault("recurrent matrix transposed", "rnn.py", "h @ p.W_hh.T", "h @ p.W_hh", RNN, "R1"),
    Fault("nonlinearity option ignored", "rnn.py", 'return np.tanh(a) if nonlinearity == "tanh" else relu(a)',
          "return np.tanh(a)", ("rnn-relu",), "R2"),
    Fault("derivative of tanh is 1 - h", "rnn.py", "1 - h**2", "1 - h", ("rnn",), "R2*"),
    Fault("derivative taken at the state before the step", "rnn.py", "k.h[t + 1], k.nonlinearity",
          "k.h[t], k.nonlinearity", RNN, "R2*"),
    Fault("derivative of relu is 1 everywhere", "rnn.py", "np.where(h.real <= 0, 0, dh)", "dh", ("rnn-relu",), "R2*"),
    Fault("recurrent matrix transposed in backward", "rnn.py", "da @ p.W_hh", "da @ p.W_hh.T", RNN, "R1*"),
    Fault("only the last output's gradient used", "rnn.py", "dh[t + 1] += dy[t]", "dh[t + 1] += dy[t] * (t == len(dy) - 1)",
          RNN, "R1*"),
    Fault("gradient of the final state ignored", "rnn.py", "dh[-1] = ds.h", "dh[-1] = 0", RNN, "R1*"),
    Fault("recurrent weights paired with the new state", "rnn.py", "rows(k.h[:-1])", "rows(k.h[1:])", RNN, "R1*"),
    Fault("gradient cut in the middle of the sequence", "rnn.py", "dh[t + 1] += dy[t]",
          "dh[t + 1] = dy[t] + dh[t + 1] * (t != 1)", RNN, "R1*", "pytorch #49236: detaching too much"),
    Fault("time shift of the upstream gradient", "rnn.py", "dh[t + 1] += dy[t]", "dh[t + 1] += dy[t - 1]", RNN, "R1*"),
    # The LSTM.
    Fault("gates read in ONNX's order", "lstm.py", "i, f, g, o = split(a_x", "i, o, f, g = split(a_x", LSTM, "L1",
          "CrispASR PR #106, keras #8720, #15915, candle #2351; onnx node tests cannot see it"),
    Fault("input and forget gate exchanged", "lstm.py", "i, f, g, o = split(a_x", "f, i, g, o = split(a_x", LSTM, "L1"),
    Fault("forget gate has 1 added", "lstm.py", "sigmoid(f), np.tanh(g)", "sigmoid(f + 1), np.tanh(g)", LSTM, "L2"),
    Fault("hard sigmoid", "lstm.py", "sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o) ",
          "np.clip(i / 5 + 0.5, 0, 1), sigmoid(f), np.tanh(g), sigmoid(o) ", LSTM, "L2"),
    Fault("candidate through a sigmoid", "lstm.py", "np.tanh(g), sigmoid(o) ", "sigmoid(g), sigmoid(o) ", LSTM, "L2"),
    Fault("old cell state not scaled", "lstm.py", "c = f * c + i * g", "c = c + i * g", LSTM, "L3"),
    Fault("output without tanh of the cell state", "lstm.py", "h = o * np.tanh(c)", "h = o * c", LSTM, "L4"),
    Fault("initial cell state ignored", "lstm.py", "h[0], c[0] = s", "h[0], c[0] = s.h, 0", LSTM, "L3",
          "pytorch #94691: tests started from zero states"),
    Fault("backward recomputes the gates with the output gate's bias", "lstm.py",
          "dc[t + 1], k.gates[t], k.c[t]",
          "dc[t + 1], step_forward(k.p._replace(b_hh=np.tile(split(k.p.b_hh, 4)[3], 4)), k.x[t] @ k.p.W_ih.T + "
          "k.p.b_ih, k.h[t], k.c[t])[2], k.c[t]", LSTM, "L3*", "numpy-ml #42"),
    Fault("output gate's gradient without tanh", "lstm.py", "do = dh * u ", "do = dh ", LSTM, "L4*"),
    Fault("derivative of tanh of the cell state left out", "lstm.py", "dc + dh * o * (1 - u**2)", "dc + dh * o", LSTM,
          "L4*"),
    Fault("cell state's gradient not carried through time", "lstm.py", "dc = dc + dh * o", "dc = dh * o", LSTM, "L4*"),
    Fault("cell state's gradient carried through the input gate", "lstm.py", "da @ p.W_hh, dc * f", "da @ p.W_hh, dc * i",
          LSTM, "L3*"),
    Fault("forget gate's gradient from the new cell state", "lstm.py", "dc * c_prev, dc * i", "dc * c, dc * i", LSTM,
          "L3*"),
    Fault("derivative of the candidate is 1 - g", "lstm.py", "dg * (1 - g**2)", "dg * (1 - g)", LSTM, "L2*"),
    Fault("input and forget gradients exchanged", "lstm.py", "join(di * i * (1 - i), df * f * (1 - f)",
          "join(df * f * (1 - f), di * i * (1 - i)", LSTM, "L2*"),
    Fault("gradient of the final cell state ignored", "lstm.py", "dh[-1], dc[-1] = ds", "dh[-1], dc[-1] = ds.h, 0", LSTM,
          "L3*", "pytorch #95137: the backward was wrong and its test was skipped"),
    Fault("recurrent bias has no gradient", "lstm.py", "db, db.copy()", "db, 0 * db", LSTM, "L1*"),
    Fault("biases' gradients doubled", "lstm.py", "db = A.sum(0)", "db = 2 * A.sum(0)", LSTM, "L1*",
          "pytorch #36905: two bias vectors, one meaning"),
    Fault("weight gradients of the last step only", "lstm.py", "A.T @ rows(k.x)", "d.da[-1].T @ k.x[-1]", LSTM, "L1*"),
    Fault("projection left out of the backward", "lstm.py", "dh = dh @ p.W_hr ",
          "dh = np.pad(dh, [(0, 0), (0, p.W_hr.shape[1] - p.W_hr.shape[0])]) ", ("lstm-proj",), "L5*"),
    Fault("projection's gradient without the recurrent part", "lstm.py", "rows(d.dh[1:]).T", "rows(dy).T",
          ("lstm-proj",), "L5*"),
    Fault("projection's gradient from the cell state", "lstm.py", "[3] * np.tanh(k.c[1:])", "[3] * k.c[1:]",
          ("lstm-proj",), "L5*"),
    Fault("two steps of backward run on one cache", "lstm.py", "k.c[t], k.c[t + 1])", "k.c[t], k.c[-1])", LSTM, "L4*"),
    # The GRU.
    Fault("reset before the product where after was asked for", "gru.py",
          "(h if reset_after else r * h) @ p.W_hh", "(r * h) @ p.W_hh", ("gru",), "G2",
          "pytorch #8153, #20129; keras #3701; tensorflow #43960"),
    Fault("reset after the product where before was asked for", "gru.py",
          "(h if reset_after else r * h) @ p.W_hh", "h @ p.W_hh", ("gru-before",), "G2",
          "onnx: linear_before_reset never exercised; onnx2torch PR #256"),
    Fault("update gate keeps the candidate, not the old state", "gru.py", "(1 - z) * n + z * h", "z * n + (1 - z) * h",
          GRU, "G4", "char-rnn's convention under torch's name; pytorch #99531"),
    Fault("gates read in ONNX's order", "gru.py", "r, z = split(rz, 2)",
          "r, z = split(rz, 2)[::-1]\n    rz = join(r, z)", GRU, "G1",
          "keras and ONNX order zrh read as rzn"),
    Fault("candidate's recurrent bias outside the reset", "gru.py", "(r * q if reset_after else q)",
          "(r * q + (1 - r) * p.b_hh[2 * H :] if reset_after else q)", ("gru",), "G3",
          "onnx #1127, flax #3746: the two biases merged"),
    Fault("candidate through a sigmoid", "gru.py", "n = np.tanh(", "n = sigmoid(", GRU, "G3"),
    Fault("state not carried to the next step", "gru.py", "step_forward(p, a_x[t], h[t], reset_after)",
          "step_forward(p, a_x[t], h[0], reset_after)", GRU, "G1", "burn PR #2704: tests had one time step"),
    Fault("both biases given one gradient", "gru.py", "A_h.sum(0))", "A_x.sum(0))", ("gru",), "G2*",
          "allennlp PR #247: two bias vectors taken for one"),
    Fault("derivative of the candidate is 1 - n", "gru.py", "dn * (1 - n**2)", "dn * (1 - n)", GRU, "G3*"),
    Fault("candidate's gradient through the wrong side of the update gate", "gru.py", "dn, dz, dh = dh * (1 - z)",
          "dn, dz, dh = dh * z", GRU, "G4*"),
    Fault("update gate's gradient has the wrong sign", "gru.py", "dh * (h_prev - n)", "dh * (n - h_prev)", GRU, "G4*"),
    Fault("gradient past the update gate lost", "gru.py", ", dh * z ", ", dh * 0 ", GRU, "G4*"),
    Fault("reset gate has no gradient", "gru.py", "dr = da_n * q if", "dr = 0 * q if", ("gru",), "G3*"),
    Fault("reset gate's gradient without the state", "gru.py", "else dh_q * h_prev", "else dh_q", ("gru-before",), "G2*"),
    Fault("reset left out of the state's gradient", "gru.py", "else dh_q * r)", "else dh_q)", ("gru-before",), "G2*"),
    Fault("reset left out of the product's gradient", "gru.py", "dq = da_n * r if", "dq = da_n if", ("gru",), "G3*"),
    Fault("candidate's weights paired with the unreset state", "gru.py",
          "h_q = k.h[:-1] if k.reset_after else r * k.h[:-1]", "h_q = k.h[:-1]", ("gru-before",), "G2*"),
    Fault("middle rows of the recurrent gradient wrong", "gru.py", "A_h[:, : 2 * H].T @ rows(k.h[:-1])",
          "A_h[:, : 2 * H].T @ rows(k.h[1:])", GRU, "G1*", "mxnet #17898"),
    # The engine written for speed.
    Fault("slope of tanh is 1 - h", "fast/rnn.py", "np.multiply(h, h, out)", "out[...] = h", ("rnn",)),
    Fault("mask of relu turned round", "fast/rnn.py", "np.less_equal(h, 0, out)", "np.greater(h, 0, out)", ("rnn-relu",)),
    Fault("last output's gradient used at every step", "fast/rnn.py", "np.add(dh, dy_t, dh)", "np.add(dh, dy[-1], dh)", RNN),
    Fault("the minus not folded into the bias", "fast/lstm.py", "transposed((p.b_ih + p.b_hh)[:, None], *fold)",
          "transposed((p.b_ih + p.b_hh)[:, None], GATES, ORDER)", LSTM),
    Fault("segments' deltas and caches in opposite orders", "fast/packed.py", "room.gradients(of_segments, caches)",
          "room.gradients(of_segments, caches[::-1])"),
    Fault("weights left in torch's order", "fast/lstm.py", "transposed(p.W_hh, *fold)",
          "transposed(p.W_hh, GATES, GATES, SIGMOIDS)", LSTM),
    Fault("slope of the output gate left out", "fast/lstm.py", "slope_of_sigmoid(o, do_dm)", "do_dm[...] = o", LSTM),
    Fault("slope of the cell state's tanh left out", "fast/lstm.py", "slope_of_tanh(u, dc_dm)", "dc_dm[...] = 1", LSTM),
    Fault("cell state's gradient carried by the input gate", "fast/lstm.py", "(i, f, o), strict=True)",
          "(f, i, o), strict=True)", LSTM),
    Fault("initial cell state ignored", "fast/lstm.py", "s.h.reshape(k.h.shape[1:]), s.c.reshape(k.c.shape[1:])",
          "s.h.reshape(k.h.shape[1:]), 0", LSTM),
    Fault("cell state kept a step too late", "fast/lstm.py", "k.c[:-1][chunk], k.c[1:][chunk]",
          "k.c[1:][chunk], k.c[1:][chunk]", LSTM),
    Fault("gradients of reset gate and candidate's product exchanged", "fast/gru.py", "da_t_by_gate[...] = da\n",
          "da_t_by_gate[...] = da[[0, 3, 2, 1]]\n", ("gru",)),
    Fault("gradients of both sigmoids exchanged", "fast/gru.py", "da_t_by_gate[...] = da\n",
          "da_t_by_gate[...] = da[[0, 2, 1]]\n", ("gru-before",)),
    Fault("candidate's weights given the reset gate's gradient", "fast/gru.py", "A[:, :H].T @ rh", "A[:, H : 2 * H].T @ rh",
          ("gru-before",)),
    Fault("both halves of a bias given to the input", "fast/gru.py", "p.b_ih[2 * H :]])",
          "(p.b_ih + p.b_hh)[2 * H :]])", GRU),
    Fault("bias's gradient left in the deltas' order", "fast/gru.py", "np.roll(db[: 3 * H], -H)", "db[: 3 * H]", GRU),
    Fault("rows of the input weights' gradient left in the deltas' order", "fast/gru.py", "np.roll(A_x.T @ x, -H, axis=0)",
          "A_x.T @ x", GRU),
    Fault("update gate turned round", "fast/gru.py", "np.divide(h_next, z, h_next)",
          "np.multiply(h_next, 1 - 1 / z, h_next)", GRU),
    Fault("da_h taken for da_x", "fast/gru.py", "A_x, A_h = A[:, : 3 * H],", "A_x, A_h = A[:, -3 * H :],", ("gru",)),
    Fault("gradient past the update gate lost", "fast/gru.py", "np.add(dh, past_n, dh)", "pass", GRU),
    # Layers, directions, packed sequences.
    Fault("every layer starts from the first layer's state", "layers.py", "[split[k : k + D] for k",
          "[split[:D] for k", source="pytorch #94691: slices of deeper layers' states"),
    Fault("final states in direction-major order", "layers.py", "zip(*(s for layer in states for s in layer), strict=True)",
          "zip(*(s for both in zip(*states) for s in both), strict=True)", source="pytorch #3587"),
    Fault("given initial state dropped", "layers.py", 'state", state, shapes', 'state", None, shapes',
          source="tensorflow #38248: a decoder dropped its state"),
    Fault("state leaks into the next call", "layers.py",
          "        y, states_n, cache = stack.forward(self.room, self._stacked(), data, self._nest(form, states),\n"
          "                                           form.batch_sizes, keep, self.dropout, **self.options)",
          "        nest = self._nest(form, states)\n"
          "        nest = nest if state is not None else getattr(self, 'left', nest)\n"
          "        y, self.left, cache = stack.forward(self.room, self._stacked(), data, nest,\n"
          "                                            form.batch_sizes, keep, self.dropout, **self.options)\n"
          "        states_n = self.left"),
    Fault("reverse outputs not turned back", "stack.py", "ys.append(y[turn] if direction else y)", "ys.append(y)"),
    Fault("reverse direction runs forwards", "stack.py", "x[turn] if direction else x", "x",
          source="onnx: bidirectional ignored until PR #7935"),
    Fault("reverse final state taken at the last step", "stack.py", "s_n.append(s)",
          "s_n.append(s._replace(h=y[turn][-len(s.h) :]) if direction and len(set(batch_sizes)) == 1 else s)",
          source="pvse #13, yunjey tutorial #149: out[:, -1] of a bidirectional layer"),
    Fault("lengths ignored in the reverse direction", "stack.py", "return start[last - t] + b",
          "return start[last - t] + b if batch_sizes[0] == batch_sizes[-1] else np.arange(len(t))",
          source="pytorch #1811, keras PR #1934, haste #12"),
    Fault("ended sequences' states in the wrong order", "stack.py", "ended.insert(0, take(s, slice(B, None)))",
          "ended.append(take(s, slice(B, None)))"),
    Fault("ended sequences' states overwritten by the initial one", "stack.py", "concat(s, *ended) if",
          "concat(s, *(type(e)(*(0 * v for v in e)) for e in ended)) if",
          source="onnx reference: sequence_lens ignored"),
    Fault("final-state gradients of ended sequences dropped", "stack.py", "take(ds_n, slice(len(ds.h), B)))",
          "type(ds)(*(0 * v for v in take(ds_n, slice(len(ds.h), B)))))"),
    Fault("weight gradients of the first segment only", "stack.py", "reduce(add, reversed(dps))", "dps[0]"),
    Fault("input's gradient from the forward direction only", "stack.py", "dx = d if dx is None else dx + d",
          "dx = d if dx is None else dx", source="mxnet #17898: bidirectional with three layers"),
    Fault("halves of a bidirectional layer exchanged", "stack.py", "x = join(*ys)", "x = join(*ys[::-1])"),
    Fault("reverse gradient not turned round", "stack.py", "d = dys[direction][turn] if direction else dys[direction]",
          "d = dys[direction]"),
    Fault("directions' weight gradients exchanged", "stack.py", "dparams.insert(0, dps)", "dparams.insert(0, dps[::-1])",
          source="mxnet #17479: layers with I != H"),
    Fault("batch_first reshapes where it should transpose", "forms.py", "x = np.swapaxes(x, 0, 1)\n        return (x.copy()",
          "x = x.reshape(x.shape[1], x.shape[0], -1)\n        return (x.copy()", source="pytorch #92615: transposes missing"),
    Fault("states of unsorted sequences not sorted", "forms.py", "return s[:, self.packed.sorted_indices]",
          "return s.copy()"),
    Fault("final states of unsorted sequences not put back", "forms.py", "return s[:, self.packed.unsorted_indices]",
          "return s"),
    Fault("order taken for its inverse", "packing.py", "back = None if order is None else np.argsort(order)",
          "back = order"),
    Fault("outputs of unsorted sequences not put back", "packing.py", "padded, lengths = padded[:, back], lengths[back]",
          "lengths = lengths[back]"),
    Fault("gradients of unsorted sequences not sorted", "packing.py", "dx = dx[:, sequence.sorted_indices]", "pass"),
    Fault("upstream gradient's array is written to", "forms.py", "return (x.copy() if copy",
          "x *= 1 + np.finfo(x.dtype).eps\n        return (x.copy() if copy",
          source="in-place code on a view where a copy was expected", changes=True),
    # Dropout, with the masks given.
    Fault("dropout not scaled", "stack.py", "return 1 / (1 - p) if p < 1 else 0.0", "return 1.0"),
    Fault("dropout scaled by 1 / p", "stack.py", "return 1 / (1 - p) if p < 1 else 0.0", "return 1 / p"),
    Fault("dropout left out of the backward", "stack.py", "dy = dx if layer.keep is None else dx * layer.keep * scale(k.p)",
          "dy = dx", source="pytorch #190056: MPS backward ignored dropout"),
    Fault("dropout not scaled in the backward", "stack.py", "dx * layer.keep * scale(k.p)", "dx * layer.keep"),
    Fault("dropout after the last layer too", "stack.py", "x = join(*ys)",
          "x = join(*ys) * (keep[-1] if len(keep) and layer == len(params) - 1 else 1)"),
    Fault("every layer uses the first mask", "stack.py", "keep[layer - 1] if", "keep[0] if"),
    Fault("mask kept and dropped exchanged", "stack.py", "x = x * mask * scale(p)", "x = x * ~mask * scale(p)"),
]
