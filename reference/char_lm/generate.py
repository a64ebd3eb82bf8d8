"""``generate``.  Derivation of the drawing: notes/common/sampling.md; what temperature does: notes/char_lm.md"""

import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import zip_longest

import numpy as np

from ..common import sampling
from ..common.arrays import Array
from ..common.command import Answer, Model, UsageError
from ..common.output import listened
from ..common.screen.prose import say
from ..common.vocabulary import Vocabulary
from .backend import Backend
from .run import reading, trained
from .text import as_bytes, encode, read, readable, shown


def stream(
    backend: Backend, model: Model, vocabulary: Vocabulary, tokens: Array, length: int, draw: Callable[[Array], Array]
) -> Iterator[str]:
    """Symbols, one at a time: ``length`` of them after the tokens (N,), drawn from the logits (V,) in float64.

    The model goes on from its carried state, as if the tokens came next: it has hardly ever seen the zero state.
    """
    state = model.carried
    for _ in range(length):
        z, state = backend.logits(model, tokens[:, None], state)
        tokens = np.atleast_1d(draw(z[-1, 0]))
        yield vocabulary.symbols[int(tokens[0])]


def writer(backend: Backend, options: dict) -> Callable[[float], Iterator[str]]:
    """``text(temperature)`` of a run's checkpoint, without the prime.  Raises UsageError, CheckpointError as ``trained``."""
    return opened(backend, options)[1]


def opened(backend: Backend, options: dict) -> tuple[str, Callable[[float], Iterator[str]]]:
    """The prime, as a person reads it, and ``text(temperature)``, as ``writer`` says."""
    if options.get("top_p", 1) > 1:
        raise UsageError(f"--top-p must be above 0 and at most 1, got {options['top_p']}")
    model, config, vocabulary, _ = trained(backend, options)
    raw, file = config["bytes"], options.get("prime_file")
    prime = read([file], **reading(config, options)) if file else as_bytes(options["prime"]) if raw else options["prime"]
    tokens, unknown = encode(prime, vocabulary, "--prime-file" if file else "--prime", options["unknown"])
    if unknown:
        say(unknown, file=sys.stderr)
    tokens = np.concatenate([encode(config["corpus"]["begin"], vocabulary, "the beginning").tokens, tokens])
    how = {k: options[k] for k in ("top_k", "top_p") if k in options}

    def text(temperature: float) -> Iterator[str]:
        draw = partial(sampling.sample, rng=np.random.default_rng(options["seed"]), temperature=temperature, **how)
        return readable(stream(backend, model, vocabulary, tokens, options["length"], draw), raw, prime)

    return "".join(readable(prime, raw, final=False)) if raw else shown(prime), text


def generate(backend: Backend, options: dict) -> Answer:
    prime, text = opened(backend, options)
    if "temperatures" in options:
        texts = [prime + "".join(text(t)) for t in options["temperatures"]]
        width = options.get("width") or shutil.get_terminal_size((120, 24)).columns
        print("\n".join(side_by_side([f"temperature {t:g}" for t in options["temperatures"]], texts, width)))
        return [{"temperature": t, "text": one} for t, one in zip(options["temperatures"], texts, strict=True)]
    written = [prime]
    print(prime, end="", flush=True)
    for character in text(options["temperature"]):
        print(character, end="", flush=True)
        written.append(character)
        if not listened():  # there is nothing else to do than to print
            break
    print()
    return {"temperature": options["temperature"], "text": "".join(written)}


def side_by_side(titles: list[str], texts: list[str], width: int) -> list[str]:
    """Lines of columns that together are at most ``width`` wide; longer lines are broken."""
    each = max(1, (width - 3 * (len(texts) - 1)) // len(texts))
    columns = [[title[:each], "-" * min(each, len(title)), *wrapped(text, each)] for title, text in zip(titles, texts, strict=True)]
    lines = zip_longest(*columns, fillvalue="")
    return [" | ".join(piece.ljust(each) for piece in pieces).rstrip() for pieces in lines]


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, none lost."""
    return [line[k : k + width] for line in text.split("\n") for k in range(0, max(1, len(line)), width)]
