"""``python -m reference.char_lm.compare``: rnn, lstm and gru of one size in parameters, on text that none of them learned.

Each is trained by ``char_lm train`` with the same options, for the same number of steps (``--steps``) or the same time
(``--seconds``).  ``--write`` keeps the table in notes/results; ``python -m notes.generated --write`` takes it into the note.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..common.arrays import Array
from ..common.command import above_zero, entered, parser, positive, positive_or_zero
from ..common.output import put_text
from ..common.screen.prose import say
from .backend import BACKEND
from .command import main as char_lm
from .data import Corpus
from .evaluate import figures, held_out
from .run import text_of, trained

RESULTS = Path(__file__).parent.parent.parent / "notes" / "results"
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def parameters(cell: str, size: int, embedding: int, symbols: int) -> int:
    """Of one layer, with embedding and output: G(HE + H² + 2H) + VE + VH + V"""
    recurrent = GATES[cell] * size * (embedding + size + 2)
    return recurrent + symbols * (embedding + size + 1)


def equal_size(cell: str, target: int, embedding: int, symbols: int) -> int:
    """The size whose number of parameters is nearest to the target."""
    return min(range(1, 4097), key=lambda size: abs(parameters(cell, size, embedding, symbols) - target))


def counted(text: Corpus, before: int) -> float:
    """Nats a character on the test part of a table of counts: after so many characters, add-one."""
    shape = (len(text.vocabulary),) * (before + 1)

    def pieces(part: str) -> Array:
        """Each ``before`` characters and the one after them, as one number"""
        return np.ravel_multi_index(tuple(sliding_window_view(text.part(part), before + 1).T), shape)

    counts = np.bincount(pieces("train"), minlength=np.prod(shape)).reshape(-1, shape[0]) + 1.0
    return float(-np.log(counts / counts.sum(1, keepdims=True)).ravel()[pieces("test")].mean())


def row(name: str, nats: float, *about: object) -> str:
    f = figures(nats)
    return " | ".join([f"| {name}", *map(str, about), f"{f['nats']:.4f}", f"{f['bits']:.4f}", f"{f['perplexity']:.3f} |"])


def compare(given: argparse.Namespace) -> list[str]:
    """Lines of a Markdown table.  SystemExit: a training failed or was interrupted, and said so; with its status."""
    lines: list[str] = []
    target = symbols = 0
    for cell in ("lstm", "gru", "rnn"):
        size = equal_size(cell, target, given.embedding, symbols) if target else given.size
        options = {"run": given.out / cell, "cell": cell, "size": size, "embedding": given.embedding, "seed": given.seed}
        options |= {"steps": given.steps} if given.steps else {"seconds": given.seconds}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        words += ["--overwrite", "--quiet", *(["--text", *given.text] if given.text else [])]
        if status := char_lm(BACKEND, ["train", *words]):
            raise SystemExit(status)
        options |= {"engine": BACKEND.engines[0], "device": "cpu", "compile": False}
        model, config, vocabulary, saved = trained(BACKEND, options)
        text, n, symbols = text_of(config, vocabulary), sum(v.size for v in model.params.values()), len(vocabulary)
        target = target or n
        nats = BACKEND.evaluate(model, held_out(text.part("test")))
        lines.append(row(cell, nats, size, f"{n:,}", saved.counters["step"], f"{config['lr']:g}"))
    for before, name in enumerate(("counts of characters", "counts of pairs", "counts of triples")):
        lines.append(row(name, counted(text, before), "", "", "", ""))
    return lines


def kept(length: str) -> str:
    """A generated part of notes/char_lm.md; length is "steps" or "seconds"."""
    return "\n".join(json.loads((RESULTS / f"char_lm-{length}.json").read_text(encoding="utf-8")))


def main(arguments: list[str] | None = None) -> int:
    p = parser("python -m reference.char_lm.compare", __doc__ or "")
    p.add_argument("--text", nargs="+")
    p.add_argument("--size", type=positive, default=256, help="of the lstm (default: %(default)s)")
    p.add_argument("--embedding", type=positive, default=64)
    long = p.add_mutually_exclusive_group()
    long.add_argument("--steps", type=positive, help="the same number of steps for each")
    long.add_argument("--seconds", type=above_zero, default=110, help="the same time for each (default: %(default)s)")
    p.add_argument("--seed", type=positive_or_zero, default=0)
    p.add_argument("--out", type=Path, default=Path("out/char_compare"))
    p.add_argument("--write", action="store_true", help="keep the table for notes/char_lm.md")
    given = p.parse_args(arguments)
    if given.write and given.text:
        p.error("the table in the note is that of the plays: --write goes without --text")
    head = "| model | size | parameters | steps | learning rate | nats | bits | perplexity |"
    table = [head, "|---" * head.count(" | ") + "|---|", *compare(given)]
    say("\n".join(table))
    if given.write:
        length, n = ("steps", given.steps) if given.steps else ("seconds", f"{given.seconds:g}")
        words = f"--size {given.size} --embedding {given.embedding} --seed {given.seed} --{length} {n}"
        lines = [f"`python -m reference.char_lm.compare {words}`", "", *table]
        put_text(RESULTS / f"char_lm-{length}.json", json.dumps(lines, indent=0) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(entered(main))
