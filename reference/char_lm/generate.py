"""``generate``.  Derivation of the drawing: notes/common/sampling.md; what temperature does: notes/char_lm.md"""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from itertools import zip_longest

import numpy as np

from ..common import sampling
from ..common.arrays import Array
from ..common.command import Model, UsageError
from ..common.vocabulary import Vocabulary
from .backend import Backend
from .data import encode
from .run import trained


def stream(
    backend: Backend, model: Model, vocabulary: Vocabulary, prompt: str, length: int, draw: Callable[[Array], Array]
) -> Iterator[str]:
    """Characters, one at a time: ``length`` of them after the prompt, drawn from the logits (V,) in float64.

    The model goes on from its carried state, as if the prompt came next: it has hardly ever seen the zero state.
    """
    tokens, state = encode(prompt, vocabulary, "--prime"), model.carried
    for _ in range(length):
        z, state = backend.logits(model, tokens[:, None], state)
        tokens = np.atleast_1d(draw(z[-1, 0]))
        yield vocabulary.symbols[int(tokens[0])]


def writer(backend: Backend, options: dict) -> Callable[[float], Iterator[str]]:
    """``text(temperature)`` of a run's checkpoint, without the prime.  Raises UsageError, CheckpointError as ``trained``."""
    if options.get("top_p", 1) > 1:
        raise UsageError(f"--top-p must be above 0 and at most 1, got {options['top_p']}")
    model, config, vocabulary, _ = trained(backend, options)
    encode(options["prime"], vocabulary, "--prime")  # before anything is printed
    prompt = config["corpus"]["begin"] + options["prime"]
    how = {k: options[k] for k in ("top_k", "top_p") if k in options}

    def text(temperature: float) -> Iterator[str]:
        draw = partial(sampling.sample, rng=np.random.default_rng(options["seed"]), temperature=temperature, **how)
        return stream(backend, model, vocabulary, prompt, options["length"], draw)

    return text


def generate(backend: Backend, options: dict) -> int:
    text = writer(backend, options)
    if "temperatures" in options:
        texts = [options["prime"] + "".join(text(t)) for t in options["temperatures"]]
        width = options.get("width") or shutil.get_terminal_size((120, 24)).columns
        print("\n".join(side_by_side([f"temperature {t:g}" for t in options["temperatures"]], texts, width)))
        return 0
    print(options["prime"], end="", flush=True)
    for character in text(options["temperature"]):
        print(character, end="", flush=True)
    print()
    return 0


def side_by_side(titles: list[str], texts: list[str], width: int) -> list[str]:
    """Lines of columns that together are at most ``width`` wide; longer lines are broken."""
    each = max(1, (width - 3 * (len(texts) - 1)) // len(texts))
    columns = [[title[:each], "-" * min(each, len(title)), *wrapped(text, each)] for title, text in zip(titles, texts, strict=True)]
    lines = zip_longest(*columns, fillvalue="")
    return [" | ".join(piece.ljust(each) for piece in pieces).rstrip() for pieces in lines]


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, none lost."""
    return [line[k : k + width] for line in text.split("\n") for k in range(0, max(1, len(line)), width)]
