"""``evaluate``: how well a model says a text that it did not learn.  notes/char_lm.md"""

from pathlib import Path

import numpy as np

from ..common import batches
from ..common.arrays import Array
from ..common.command import Answer, UsageError
from ..common.output import as_json, put_text
from ..common.screen.prose import say
from .backend import Backend
from .data import corpus
from .run import reading, text_of, trained

STREAMS, STEPS = 32, 128  # of an evaluation: the same figures, whatever the training's batch was


def held_out(tokens: Array, limit: int | None = None) -> list[batches.Window]:
    """Windows for an evaluation of at most ``limit`` characters; fewer streams for a short text."""
    if len(tokens) < 2:
        raise UsageError(f"the text is too short: a part to evaluate on has {len(tokens)} characters and needs 2")
    tokens = tokens if limit is None else tokens[: limit + 1]
    return batches.windows(tokens, max(1, min(STREAMS, (len(tokens) - 1) // STEPS)), STEPS)


def figures(nats: float) -> dict[str, float]:
    """A mean cross-entropy in its three forms: notes/char_lm.md"""
    with np.errstate(over="ignore"):  # a model that has gone astray: its perplexity is inf
        return {"nats": nats, "bits": nats / np.log(2), "perplexity": float(np.exp(nats))}  # CH1, CH2, CH3


def unit(config: dict) -> str:
    """What a token stands for"""
    return "byte" if config["bytes"] else "character"


def evaluate(backend: Backend, options: dict) -> Answer:
    """Cross-entropy in nats and bits, and perplexity; in float64 and by the same windows, so the same on both backends."""
    model, config, vocabulary, saved = trained(backend, options)
    own = "text" not in options
    if own:
        text = text_of(config, vocabulary)
    else:
        text = corpus(options["text"], **reading(config, options), vocabulary=vocabulary, unknown=options["unknown"])
    part = options.get("part", "test" if own else "all")
    windows = held_out(text.part(part))
    f = figures(backend.evaluate(model, windows))
    count = sum(w.targets.size for w in windows)
    if text.unknown:
        say(text.unknown)
    say(f"{text.name}, {part}: {count:,} {unit(config)}s, after {saved.counters['step']} steps")
    say(f"  cross-entropy  {f['nats']:.6f} nats a {unit(config)}")
    say(f"  cross-entropy  {f['bits']:.6f} bits a {unit(config)}")
    say(f"  perplexity     {f['perplexity']:.6f}")
    summary = {f"bits a {unit(config)}": f["bits"], "perplexity": f["perplexity"]}
    about = {"text": text.name, "part": part, f"{unit(config)}s": count, "steps": saved.counters["step"]}
    answer = about | f | {"summary": summary}
    folder = Path(options["run"])
    if own and folder.is_dir():
        put_text(folder / f"{part}.json", as_json(answer) + "\n")
    return answer
