"""Cases and faults of reference/models/seq2seq.py."""

from functools import partial

from reference.common import batches

from ..mutation.catalogue import Fault
from .cases import CELLS, model_case, sequences

S, V, E, H = 9, 8, 4, 6
BATCH = batches.translated(sequences(0, 3, S), sequences(1, 3, V, (3, 5, 0, 2, 3)), 1, 2)
LENGTHS = 16 * (4, 2, 6)  # so many sequences of one length that an unstable sort shows
MANY = batches.translated(sequences(2, 3, S, LENGTHS), sequences(3, 3, V, LENGTHS[::-1]), 1, 2)
KINDS = ("additive", "dot", "general", "scaled", None)
case = partial(model_case, "seq2seq", BATCH, (S, V, E, H), ratio=1.0)
CASES = [
    *(case(f"{cell}-{kind}-forced", cell=cell, attention=kind) for cell in CELLS for kind in KINDS),
    *(
        case(f"{cell}-{feedback}-{ratio}", cell=cell, feedback=feedback, ratio=ratio)
        for cell in CELLS
        for feedback in ("argmax", "sample", "expected")
        for ratio in (0.0, 0.5)
    ),
    *(case(f"gru-{kind}-free", cell="gru", attention=kind, feedback="expected", ratio=0.0) for kind in KINDS),
    *(
        case(f"{cell}-deep-{ratio}", 2, cell=cell, attention="additive", feedback="expected", dropout=0.3, ratio=ratio)
        for cell in CELLS
        for ratio in (1.0, 0.5)
    ),
    *(case(f"{cell}-one-direction", cell=cell, bidirectional=False, attention="additive") for cell in ("lstm", "gru")),
    *(model_case("seq2seq", MANY, (S, V, E, H), f"many-ties-{ratio}", ratio=ratio, cell="gru") for ratio in (1.0, 0.5)),
    case("step-forced", cell="rnn", attention="additive", holomorphic=True),
    case("step-argmax", cell="rnn", attention="general", ratio=0.0, holomorphic=True),
    case("step-expected", cell="rnn", attention="general", feedback="expected", ratio=0.5, holomorphic=True),
]

# fmt: off
FAULTS = [
    Fault("decoder drops the encoder's state", "Seq2seq._step", "self.decoder.vjp(like._replace(data=u), s)",
          "self.decoder.vjp(like._replace(data=u), None)", source="tensorflow #38248"),
    Fault("mask turned round", "Seq2seq._encode", "np.arange(len(m))[:, None]", "np.arange(len(m))[::-1, None]",
          source="keras PR #1934: the mask was not reversed with the sequence"),
    Fault("attention reads the padding", "Seq2seq._encode", "np.arange(len(m))[:, None] < lengths",
          "np.arange(len(m))[:, None] < lengths + 9"),
    Fault("softmax over the queries", "attend_forward", "w = w / w.sum(-1, keepdims=True)",
          "w = w / w.sum(0, keepdims=True)", source="HAN #5: softmax over the wrong axis", room="parts/attention"),
    Fault("queries in the order of the sorted targets", "Seq2seq._read", "pad_packed_sequence(y)[0]",
          "pad_packed_sequence(y._replace(sorted_indices=None, unsorted_indices=None))[0]"),
    Fault("context and state exchanged", "Seq2seq._read", "join(pad_packed_sequence_backward(c, y).data, y.data)",
          "join(pad_packed_sequence_backward(c, y).data, y.data)[:, ::-1]"),
    Fault("derivative of tanh left out", "Seq2seq._read.pullback", "pull_a(dr * (1 - r**2))", "pull_a(dr)"),
    Fault("decoder's own path past the attention lost", "Seq2seq._read.pullback", "dy._replace(data=dy.data + dh)", "dy"),
    Fault("encoder has no gradient from the attention", "Seq2seq._encode.pullback", "dm + dm_keys", "0 * dm",
          source="practical-pytorch #149: wrong attention"),
    Fault("encoder has no gradient from the keys", "Seq2seq._encode.pullback", "dm + dm_keys", "dm"),
    Fault("states of the directions exchanged", "joined", "v.reshape(LD // D, D, B, F)",
          "v.reshape(LD // D, D, B, F)[:, ::-1]", room="models/recurrent"),
    Fault("layers and directions of the state mixed", "joined", "v.reshape(LD // D, D, B, F).swapaxes(1, 2)",
          "v.reshape(D, LD // D, B, F).transpose(1, 2, 0, 3)", source="pytorch #3587: the layout of h_n", room="models/recurrent"),
    Fault("coins turned round", "Seq2seq._input", "ids = np.where(coin, ids, fed)", "ids = np.where(coin, fed, ids)"),
    Fault("teacher forcing whatever the ratio", "Seq2seq._input", "ids = np.where(coin, ids, fed)", "pass"),
    Fault("token given back to the logits", "Seq2seq._input", "u, lambda du: (pull_u(du), 0)",
          "u, lambda du: (pull_u(du), 0 if z is None else du @ self.target.params['weight'].T)",
          source="a straight-through estimate under the name of a gradient"),
    Fault("expected embedding cuts the gradient", "Seq2seq._input.pullback", "p * (dp - (p * dp).sum(-1, keepdims=True))", "0 * p"),
    Fault("softmax's own sum left out", "Seq2seq._input.pullback", "dp - (p * dp).sum(-1, keepdims=True)", "dp"),
    Fault("expected embedding gives the table no gradient", "Seq2seq._input.pullback",
          'pull_u(np.where(heads, du, 0))["weight"] + p.T @ df', 'pull_u(np.where(heads, du, 0))["weight"]'),
    Fault("fed gradient also where the data was read", "Seq2seq._input.pullback", "df = np.where(heads, 0, du)", "df = du"),
    Fault("most probable embedding for the expected one", "Seq2seq._input", "np.where(heads, u, p @ E)",
          "np.where(heads, u, E[z.real.argmax(-1)])"),
    Fault("gradient cut between the steps of the decoder", "Seq2seq._step.pullback", "decoder, du, ds = pull_y(dy, ds)",
          "decoder, du, ds = pull_y(dy, None)", source="pytorch #49236: detaching too much"),
    Fault("only the last step's gradients", "Seq2seq._stepwise.pullback",
          "added(total, grads)", "added({}, grads)"),
]
