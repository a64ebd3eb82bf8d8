"""``generate`` and ``evaluate``.  Derivation of the drawing: notes/common/sampling.md; what temperature does: notes/char_lm.md"""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..common import sampling
from ..common.vocabulary import Vocabulary
from .data import UsageError, corpus, encode, figures, held_out
from .run import Side, text_of, trained


def stream(side: Side, model: Any, vocabulary: Vocabulary, begin: str, prime: str, length: int, seed: int, state: Any, *,
           temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None) -> Iterator[str]:
    """Characters, one at a time: ``length`` of them after the prime, drawn from the logits in float64.

    The model goes on from a state of its training, as if the prime came next: it has hardly ever seen the zero state.
    """
    rng = np.random.default_rng(seed)
    tokens = encode(begin + prime, vocabulary, "--prime")
    for _ in range(length):
        z, state = side.logits(model, tokens[:, None], state)
        tokens = np.atleast_1d(sampling.sample(z[-1, 0], rng, temperature, top_k, top_p))
        yield vocabulary.symbols[int(tokens[0])]


def writer(side: Side, given: dict) -> Callable[[float], Iterator[str]]:
    """``text(temperature)`` of a run's checkpoint, without the prime.  Raises UsageError, CheckpointError as ``trained``."""
    if given.get("top_p", 1) > 1:
        raise UsageError(f"--top-p must be above 0 and at most 1, got {given['top_p']}")
    model, config, vocabulary, _ = trained(side, given)
    encode(given["prime"], vocabulary, "--prime")  # before anything is printed
    how = {k: given[k] for k in ("top_k", "top_p") if k in given}

    def text(temperature: float) -> Iterator[str]:
        return stream(side, model, vocabulary, config["corpus"]["begin"], given["prime"], given["length"], given["seed"],
                      model.carried, temperature=temperature, **how)

    return text


def generate(side: Side, given: dict) -> int:
    text = writer(side, given)
    if "temperatures" in given:
        texts = [given["prime"] + "".join(text(t)) for t in given["temperatures"]]
        width = given.get("width") or shutil.get_terminal_size((120, 24)).columns
        print("\n".join(side_by_side([f"temperature {t:g}" for t in given["temperatures"]], texts, width)))
        return 0
    print(given["prime"], end="", flush=True)
    for character in text(given["temperature"]):
        print(character, end="", flush=True)
    print()
    return 0


def side_by_side(titles: list[str], texts: list[str], width: int) -> list[str]:
    """Lines of columns that together are at most ``width`` wide; longer lines are broken."""
    each = max(1, (width - 3 * (len(texts) - 1)) // len(texts))
    columns = [[title[:each], "-" * min(each, len(title)), *broken(text, each)]
               for title, text in zip(titles, texts, strict=True)]
    rows = max(map(len, columns))
    padded = [[line.ljust(each) for line in c] + [" " * each] * (rows - len(c)) for c in columns]
    return [" | ".join(row).rstrip() for row in zip(*padded, strict=True)]


def broken(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, none lost."""
    return [line[k : k + width] for line in text.split("\n") for k in range(0, max(1, len(line)), width)]


def evaluate(side: Side, given: dict) -> int:
    """Cross-entropy in nats and bits, and perplexity; in float64 and by the same windows, so the same on both sides."""
    model, config, vocabulary, saved = trained(side, given)
    own = "text" not in given
    text = text_of(config, vocabulary) if own else corpus(given["text"], given.get("encoding", "utf-8"), vocabulary)
    part = given.get("part", "test" if own else "all")
    windows = held_out(text.part(part))
    f = figures(side.evaluate(model, windows))
    count = sum(w.targets.size for w in windows)
    print(f"{text.name}, {part}: {count:,} characters, after {saved.counters.get('step', 0)} steps")
    print(f"  cross-entropy  {f['nats']:.6f} nats a character")
    print(f"  cross-entropy  {f['bits']:.6f} bits a character")
    print(f"  perplexity     {f['perplexity']:.6f}")
    return 0
