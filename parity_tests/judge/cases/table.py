"""Which cases there are, and for what.

Options are paired within the dense cases and within those with lengths, so that a library that takes no lengths still meets
every pair.  Sizes are pairwise different, lengths come unsorted and with ties, except where a row says otherwise.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from .case import Case, Spec
from .memory import LAYOUTS

KINDS: dict[str, dict] = {
    "rnn": {"cell": "rnn"},
    "rnn-relu": {"cell": "rnn", "nonlinearity": "relu"},
    "lstm": {"cell": "lstm"},
    "lstm-proj": {"cell": "lstm", "proj_size": 2},
    "gru": {"cell": "gru"},
    "gru-before": {"cell": "gru", "reset_after": False},
}
LENGTHS = {
    "dense": None,
    "full": (5, 5, 5, 5),
    "sorted": (5, 4, 2, 1),
    "unsorted": (2, 5, 1, 4),
    "ties": (3, 5, 3, 2),
    "short": (2, 4, 1, 3),
}
LAYER: dict[str, tuple] = {
    "num_layers": (1, 2, 3),
    "bidirectional": (False, True),
    "bias": (True, False),
    "batch_first": (False, True),
    "state": (True, False),
}
OPTIONS = LAYER | {"lengths": tuple(LENGTHS)}
ONE = LAYER | {"num_layers": (1, 2), "sizes": ((1, 1), (1, 4), (5, 1)), "packed": (False, True)}  # T = 1, B = 1, or both
# fmt: off
SIZES: dict[str, tuple[int, int, int, int, dict]] = {  # T, B, I, H
    "square":        (4, 4, 4, 4, {}),                                     # what is transposed has the right shape
    "common_factor": (6, 4, 3, 10, {"num_layers": 2}),                     # B·t mod T comes back to where it was
    "same_width":    (5, 4, 6, 6, {"num_layers": 2}),                      # I = H: layers alike, from the first on
    "octets":        (4, 8, 8, 16, {}),                                    # just a vector, or two
    "last_octet":    (3, 32, 16, 8, {}),
    "wide_input":    (3, 2, 129, 5, {}),                                   # I above H, past 128
    "wider_input":   (2, 3, 257, 7, {}),
    "powers_of_2":   (4, 8, 16, 64, {"num_layers": 2}),                    # nothing is left over by vectors and blocks
    "one_less":      (3, 7, 15, 63, {"bidirectional": True}),
    "one_more":      (3, 9, 17, 65, {"num_layers": 2, "bidirectional": True}),
    "wide_less":     (2, 3, 33, 127, {}),
    "wide_more":     (3, 2, 31, 129, {"batch_first": True}),
    "thirties":      (5, 3, 10, 32, {"batch_first": True}),
    "wider":         (3, 2, 9, 257, {}),
    "many":          (3, 259, 4, 5, {"num_layers": 2}),
    "deep":          (4, 3, 5, 11, {"num_layers": 9, "bidirectional": True}),
}
LARGE: dict[str, tuple[int, int, int, int, dict]] = {  # tier 2
    "widest":        (2, 2, 9, 1025, {}),
    "widest_input":  (3, 2, 1025, 9, {}),
    "very_many":     (2, 1025, 3, 17, {"bidirectional": True}),
    "deeper":        (3, 2, 4, 9, {"num_layers": 17}),
}
# fmt: on


def usual(kind: str, **options: Any) -> Spec:
    """A layer of this kind in the usual sizes."""
    return Spec(input_size=3, hidden_size=6, **KINDS[kind], **options)


def sized(kind: str, I: int, H: int, **options: Any) -> Spec:
    """A layer of this kind in other sizes; a projection has half the width."""
    P = {"proj_size": (H + 1) // 2} if kind == "lstm-proj" else {}
    return Spec(input_size=I, hidden_size=H, **(KINDS[kind] | P), **options)


def pairwise(options: dict[str, tuple]) -> list[dict]:
    """Few combinations in which every pair of values of two options occurs (greedy, deterministic)."""

    def pairs(row: Sequence) -> set:
        return set(itertools.combinations(enumerate(row), 2))

    rows = {row: pairs(row) for row in itertools.product(*options.values())}
    missing, chosen = set().union(*rows.values()), []
    while missing:
        best = max(rows, key=lambda row: len(rows[row] & missing))
        missing -= rows[best]
        chosen.append(dict(zip(options, best, strict=True)))
    return chosen


def build(kind: str, options: dict) -> Case:
    """The case of one kind of cell and one combination of OPTIONS."""
    layer = {k: v for k, v in options.items() if k not in ("state", "lengths")}
    return Case(usual(kind, **layer), state=options["state"], lengths=LENGTHS[options["lengths"]])


def paired(kind: str) -> Iterator[Case]:
    """The plain call ``layer(x)``, every pair of options without lengths, and every pair with lengths."""
    lengths = {"lengths": tuple(LENGTHS)[1:]}
    rows = [o | {"lengths": "dense"} for o in pairwise(LAYER)] + pairwise(LAYER | lengths)
    plain = {name: values[0] for name, values in OPTIONS.items()} | {"state": False}
    yield from (build(kind, o) for o in [plain] * (plain not in rows) + rows)


def ones(kind: str) -> Iterator[Case]:
    """One step, one sequence, and both, with every pair of options."""
    for row in pairwise(ONE):
        (T, B), packed, state = row.pop("sizes"), row.pop("packed"), row.pop("state")
        yield Case(usual(kind, **row), T=T, B=B, lengths=(T,) * B if packed else None, state=state)


def edges(kind: str) -> Iterator[Case]:
    """Size 1 everywhere, and saturated gates."""
    one = sized(kind, 1, 1 + (kind == "lstm-proj"))
    full = usual(kind)
    yield Case(one, T=1, B=1, label="size1")
    yield Case(one, T=4, B=1, label="size1")
    yield Case(replace(full, bidirectional=True), T=50, B=5, label="long", gain=0.3)
    if kind != "rnn-relu":  # saturated: tanh and sigmoid near their limits
        yield Case(full, gain=4.0, label="saturated")


def sizes(kind: str) -> Iterator[Case]:
    """What kernels do in blocks: around powers of two, wide, many, deep, and long with gradients that live as long."""
    for tier, rows in ((1, SIZES), (2, LARGE)):
        for label, (T, B, I, H, options) in rows.items():
            gain = min(0.6, 1.5 / (I + H) ** 0.5)
            yield Case(sized(kind, I, H, **options), T=T, B=B, gain=gain, label=label, tier=tier)
    yield Case(sized(kind, 3, 5), T=259, B=2, values="remembering")
    long = (33, 133, 1, 131)  # their sum is past what a uint8 holds
    yield Case(sized(kind, 3, 5, bidirectional=True), T=133, B=4, lengths=long, lengths_dtype="uint8", values="remembering")
    yield Case(sized(kind, 3, 7), T=4, B=40, lengths=tuple(1 + b * 7 % 4 for b in range(40)), label="many")
    yield Case(sized(kind, 3, 5), T=1031, B=2, values="remembering", tier=2)


def crossed(kind: str) -> Iterator[Case]:
    """Every pair of options, with and without lengths, past a block in T, B, I and H at once."""
    for tier, (T, B, I, H) in ((1, (33, 18, 20, 35)), (2, (9, 34, 66, 130))):
        for row in pairwise(LAYER | {"packed": (False, True)}):
            packed, state = row.pop("packed"), row.pop("state")
            lengths = tuple(1 + (b * 7 + T - 1) % T for b in range(B)) if packed else None
            gain = min(0.6, 1.5 / (I + H) ** 0.5)
            yield Case(sized(kind, I, H, **row), T=T, B=B, lengths=lengths, state=state, gain=gain, label="crossed", tier=tier)


def ranges(kind: str) -> Iterator[Case]:
    """Arguments past those at which e^x overflows, states past any clip."""
    yield Case(usual(kind, num_layers=2), values="spikes")
    yield Case(usual(kind), values="spikes", lengths=LENGTHS["ties"])
    if kind == "rnn-relu":
        yield Case(usual(kind, bias=False), state=False, values="zero_step")
    yield Case(usual(kind, bidirectional=True), values="far_state")


def paddings(kind: str) -> Iterator[Case]:
    """What stands past a sequence's end does not count, whatever it is."""
    yield Case(usual(kind), lengths=LENGTHS["unsorted"], values="nan_padding")
    deep = usual(kind, num_layers=2, bidirectional=True, batch_first=True)
    yield Case(deep, lengths=LENGTHS["unsorted"], values="nan_padding")
    yield Case(deep, lengths=LENGTHS["sorted"], state=False, values="inf_padding")
    yield Case(usual(kind, num_layers=2), lengths=LENGTHS["short"], values="huge_padding")


def insides(kind: str) -> Iterator[Case]:
    """NaN and infinity in a real step stay what they are, and stay in their sequence."""
    yield Case(usual(kind, num_layers=2), values="nan_inside")
    yield Case(usual(kind, bidirectional=True), lengths=(2, 5, 4, 1), values="nan_inside")
    yield Case(usual(kind), values="inf_inside")


def upstreams(kind: str) -> Iterator[Case]:
    """Gradients from one output alone, and from none."""
    full = usual(kind, num_layers=2, bidirectional=True)
    for values in ("no_upstream", "only_y", "only_h_n", *["only_c_n"] * (KINDS[kind]["cell"] == "lstm")):
        yield Case(full, values=values)
    yield Case(full, lengths=LENGTHS["ties"], values="only_h_n")


def layouts(kind: str) -> Iterator[Case]:
    """Arrays that do not lie row by row, or may not be written to; lengths in every width."""
    for memory in LAYOUTS:
        yield Case(usual(kind, num_layers=2), memory=memory)
    for memory in ("fortran", "strided", "backwards"):
        yield Case(usual(kind, batch_first=True), lengths=LENGTHS["unsorted"], memory=memory)
    # Past a vector and a block: a kernel that takes gradients to lie as their weights do is wrong only there.
    yield Case(sized(kind, 20, 40), T=5, B=9, gain=0.2, memory="fortran", label="wide", tier=2)
    for dtype in ("int32", "uint8", "uint64"):
        yield Case(usual(kind), lengths=LENGTHS["unsorted"], lengths_dtype=dtype)


def dropout(kind: str) -> Iterator[Case]:
    """Dropout between layers, its masks given to both sides."""
    yield Case(usual(kind, num_layers=2, dropout=0.3))
    yield Case(usual(kind, num_layers=3, bidirectional=True, dropout=0.5), lengths=LENGTHS["unsorted"])
    yield Case(usual(kind, num_layers=3, dropout=0.8), lengths=LENGTHS["ties"])


def contracts(kind: str) -> Iterator[Case]:
    """What must hold over several calls: contracts/."""
    full, drops = usual(kind, num_layers=2, bidirectional=True), {"num_layers": 2, "dropout": 0.3, "masks": False}
    for contract in ("other_data", "two_layers", "last_forward", "inference", "arguments_reused", "results_apart"):
        yield Case(full, contract=contract)
    for contract in ("other_lengths", "inference", "arguments_reused", "results_apart"):
        yield Case(full, lengths=LENGTHS["unsorted"], contract=contract)
    for contract in ("other_data", "results_apart"):
        yield Case(usual(kind), state=False, contract=contract)
    yield Case(usual(kind), T=1, contract="results_apart")
    yield Case(usual(kind, num_layers=3, batch_first=True), state=False, contract="inference")
    yield Case(usual(kind), T=4, B=5, contract="thousand_forwards")
    yield Case(sized(kind, 32, 128), T=4, B=33, contract="thousand_forwards", tier=2)
    for contract in ("dropout_not_in_evaluation", "dropout_new_each_call"):
        yield Case(usual(kind, **drops), contract=contract)
    yield Case(usual(kind, **drops), lengths=LENGTHS["unsorted"], contract="dropout_new_each_call")
    more = drops | {"num_layers": 3, "dropout": 0.7, "bidirectional": True, "batch_first": True}
    yield Case(usual(kind, **more), state=False, contract="dropout_new_each_call")
    yield Case(sized(kind, 3, 12, **drops), T=10, B=64, contract="dropout_keeps_the_mean")
    yield Case(usual(kind, **drops | {"dropout": 1.0}), contract="dropout_of_everything")


GROUPS = (paired, ones, edges, sizes, crossed, ranges, paddings, insides, upstreams, layouts, dropout, contracts)


def table(dtypes: Sequence[str] = ("float32", "float64"), device: str = "cpu", tier: int = 1) -> list[Case]:
    """Every named case up to a tier, in each dtype."""
    return [
        case.with_dtype(dtype, device)
        for kind in KINDS
        for case in itertools.chain.from_iterable(group(kind) for group in GROUPS)
        for dtype in dtypes
        if case.tier <= tier
    ]
