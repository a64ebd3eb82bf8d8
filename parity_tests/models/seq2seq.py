"""Cases and faults of reference/models/seq2seq.py."""

from reference.common import batches

from ..mutation.faults import Fault
from .cases import model_case
from .twins import sequences

S, V, E, H = 9, 8, 4, 6
BATCH = batches.translated(sequences(0, 3, S), sequences(1, 3, V, (3, 5, 0, 2, 3)), 1, 2)
LENGTHS = 16 * (4, 2, 6)  # so many sequences of one length that an unstable sort shows
MANY = batches.translated(sequences(2, 3, S, LENGTHS), sequences(3, 3, V, LENGTHS[::-1]), 1, 2)
KINDS = ("additive", "dot", "general", "scaled", None)


def case(name, layers=1, *, ratio=1.0, **kwargs):
    return model_case("seq2seq", name, BATCH, S, V, E, H, layers, teacher_forcing=ratio, **kwargs)


CASES = [
    *(case(f"{cell}-{kind}-forced", cell=cell, attention=kind) for cell in ("rnn", "lstm", "gru") for kind in KINDS),
    *(case(f"{cell}-{feedback}-{ratio}", cell=cell, feedback=feedback, ratio=ratio)
      for cell in ("rnn", "lstm", "gru") for feedback in ("argmax", "sample", "expected") for ratio in (0.0, 0.5)),
    *(case(f"gru-{kind}-free", cell="gru", attention=kind, feedback="expected", ratio=0.0) for kind in KINDS),
    *(case(f"{cell}-deep-{ratio}", 2, cell=cell, attention="additive", feedback="expected", dropout=0.3, ratio=ratio)
      for cell in ("rnn", "lstm", "gru") for ratio in (1.0, 0.5)),
    *(case(f"{cell}-one-direction", cell=cell, bidirectional=False, attention="additive") for cell in ("lstm", "gru")),
    *(model_case("seq2seq", f"many-ties-{ratio}", MANY, S, V, E, H, teacher_forcing=ratio, cell="gru")
      for ratio in (1.0, 0.5)),
    case("step-forced", cell="rnn", attention="additive", holomorphic=True),
    case("step-argmax", cell="rnn", attention="general", ratio=0.0, holomorphic=True),
    case("step-expected", cell="rnn", attention="general", feedback="expected", ratio=0.5, holomorphic=True),
]

FAULTS = [
    Fault("decoder drops the encoder's state", "models/seq2seq.py", "self.decoder.vjp(tokens._replace(data=u), s_0)",
          "self.decoder.vjp(tokens._replace(data=u), None)", source="tensorflow #38248"),
    Fault("mask turned round", "models/seq2seq.py", "np.arange(len(m))[:, None] < lengths",
          "np.arange(len(m))[::-1, None] < lengths",
          source="keras PR #1934: the mask was not reversed with the sequence"),
    Fault("attention reads the padding", "models/seq2seq.py", "np.arange(len(m))[:, None] < lengths",
          "np.arange(len(m))[:, None] < lengths + 9"),
    Fault("softmax over the queries", "parts/attention.py", "w = w / w.sum(-1, keepdims=True)", "w = w / w.sum(0, keepdims=True)",
          source="HAN #5: softmax over the wrong axis"),
    Fault("queries in the order of the sorted targets", "models/seq2seq.py",
          "attend_forward(p, pad_packed_sequence(y)[0]",
          "attend_forward(p, pad_packed_sequence(y._replace(sorted_indices=None, unsorted_indices=None))[0]"),
    Fault("context and state exchanged", "models/seq2seq.py", "backward(c, y).data, y.data))",
          "backward(c, y).data, y.data)[:, ::-1])"),
    Fault("derivative of tanh left out", "models/seq2seq.py", "pull_a(da * (1 - a**2))", "pull_a(da)"),
    Fault("decoder's own path past the attention lost", "models/seq2seq.py", "dy._replace(data=dy.data + dh)", "dy"),
    Fault("encoder has no gradient from the attention", "models/seq2seq.py", "backward(dm + dm_keys, y)", "backward(0 * dm, y)",
          source="practical-pytorch #149: wrong attention"),
    Fault("encoder has no gradient from the keys", "models/seq2seq.py", "backward(dm + dm_keys, y)", "backward(dm, y)"),
    Fault("states of the directions exchanged", "models/recurrent.py", "return v.reshape(LD // D, D, B, F).swapaxes(1, 2)",
          "return v.reshape(LD // D, D, B, F)[:, ::-1].swapaxes(1, 2)"),
    Fault("layers and directions of the state mixed", "models/recurrent.py", "v.reshape(LD // D, D, B, F).swapaxes(1, 2)",
          "v.reshape(D, LD // D, B, F).transpose(1, 2, 0, 3)", source="pytorch #3587: the layout of h_n"),
    Fault("coins turned round", "models/seq2seq.py", "ids = np.where(coin, ids, fed)", "ids = np.where(coin, fed, ids)"),
    Fault("teacher forcing whatever the ratio", "models/seq2seq.py", "ids = np.where(coin, ids, fed)", "pass"),
    Fault("token given back to the logits", "models/seq2seq.py", "return u, lambda du: (pull_u(du), 0) ",
          "return u, lambda du: (pull_u(du), 0 if z is None else du @ self.target.params['weight'].T) ",
          source="a straight-through estimate under the name of a gradient"),
    Fault("expected embedding cuts the gradient", "models/seq2seq.py", "p * (dp - (p * dp).sum(-1, keepdims=True))", "0 * p"),
    Fault("softmax's own sum left out", "models/seq2seq.py", "p * (dp - (p * dp).sum(-1, keepdims=True))", "p * dp"),
    Fault("expected embedding gives the table no gradient", "models/seq2seq.py", '["weight"] + p.T @ df', '["weight"]'),
    Fault("fed gradient also where the data was read", "models/seq2seq.py", "df = np.where(heads, 0, du)", "df = du"),
    Fault("most probable embedding for the expected one", "models/seq2seq.py", "np.where(heads, u, p @ E)",
          "np.where(heads, u, E[z.real.argmax(-1)])"),
    Fault("gradient cut between the steps of the decoder", "models/seq2seq.py", "decoder, du, ds = pull_y(dy, ds)",
          "decoder, du, ds = pull_y(dy, None)", source="pytorch #49236: detaching too much"),
    Fault("only the last step's gradients", "models/seq2seq.py", "total = added(total, {**grads", "total = added({}, {**grads"),
]
