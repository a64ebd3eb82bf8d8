"""The tables of notes/cells/conventions.md, from the rows of reference/convert/conventions.py."""

from reference.convert.conventions import TABLE, Convention

from ..generated import markdown

# The biases that a layer holds: how the page says it.
BIASES = {
    "two": "two: `b_ih`, `b_hh`",
    "sum": "one: the sum",
    "n apart": "the sum, and `b_hn` apart",
    "no b_hn": "one: the sum, and no `b_hn`",
}
# What a new layer draws its weights from.  k is 1/√H.
DRAWN = {
    "uniform": "uniform ±k",
    "glorot": "Glorot uniform over the stacked matrix",
    "lecun": "LeCun normal",
    "cut": "normal 1/√in, cut at 2",
    "cut both": "normal 1/√(I + H), cut at 2",
    "orthogonal": "orthonormal rows over all gates",
    "orthogonal each": "orthogonal, each gate for itself",
}
KEPT = {"rnn": "", "lstm": "f = 1", "gru": "z = 1"}  # which gate, at which value, keeps the old state


def table() -> str:
    """The generated part of the page: every row."""
    head = tuple(cells(TABLE[0]))
    return "\n".join(markdown(head, (tuple(cells(c).values()) for c in TABLE), range(len(head))))


def cells(c: Convention) -> dict[str, str]:
    """One row of the page, by column; a star after the library where no test runs it."""
    return {
        "library": c.library + ("*" if c.source else ""),
        "layer": f"`{c.layer}`",
        "gates": " ".join(c.gates),
        "its letters": " ".join(c.own),
        "a weight is": "`(in, G·H)`" if c.transposed else "`(G·H, in)`",
        "biases": BIASES[c.biases],
        "keeps the old state": "z = 0" if "z" in c.negated else KEPT[c.cell],
        "reset": c.reset,
        "`W_ih` starts": DRAWN.get(c.input_from, ""),
        "`W_hh` starts": DRAWN.get(c.hidden_from, ""),
        "biases start": "uniform ±k" if c.bias_from == "uniform" else c.bias_from,
        "the bias of f starts": c.forget,
        "x by default": "" if c.source else f"`({c.x})`",
    }


def unchecked() -> str:
    """The generated list of rows that no test runs."""
    return "\n".join(f"- {c.library}, `{c.layer}`: {c.source}." for c in TABLE if c.source)
