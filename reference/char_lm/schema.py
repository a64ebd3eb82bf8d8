"""What the configuration, the counters and the vocabulary of a run must be, alone and together, before anything is made of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..common import checkpoint
from ..common.checkpoint import Checkpoint, CheckpointError
from ..common.checkpoint.schema import FILE, FLAG, NAME, TEXT, Schema, above, fields, number, one_of, or_null, several, short, whole
from ..common.command import UsageError
from ..common.parameters import stack_shapes
from ..common.run import COUNTERS, counters
from ..common.run.files import OF_ANY_RUN
from ..models.language_model import check_carried
from .data import boundaries
from .options import DEFAULTS, LATER, RUN
from .text import BYTES

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
LAYERS, SIZE, STEPS = whole(1, 1000), whole(1, 10**6), whole(1, 10**12)
CORPUS = fields(
    {
        "name": TEXT,
        "characters": whole(1),
        "distinct": whole(1),
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "begin": {"type": "string", "minLength": 1, "maxLength": 2},
    }
)


def choices(name: str) -> Schema:
    return one_of(*RUN[name]["choices"])


OPTIONS: dict[str, Schema] = {
    "text": or_null(several(FILE, 1)),
    "encoding": NAME,
    "separator": TEXT,
    "bytes": FLAG,
    "from": or_null(FILE),
    "layers": LAYERS,
    "size": SIZE,
    "embedding": SIZE,
    "dropout": number(0, 1),
    "tied": FLAG,
    "forget_bias": number(-1e30, 1e30),
    "lr": above(0),
    "clip": number(0),
    "batch": SIZE,
    "window": SIZE,
    "seconds": above(0),
    "steps": STEPS,
    "every": STEPS,
    "save_every": STEPS,
    "seed": {"type": "integer", "minimum": 0},
} | {name: choices(name) for name in ("cell", "init", "optimizer", "schedule", "dtype")}
LATELY = {"ends": several(STEPS)} | OF_ANY_RUN  # what a run has that went on
CONFIG = fields(OPTIONS | {"corpus": CORPUS}, LATELY)
# config.json, where a run of an earlier version does not have the later options.
FILE_OF_RUN = CONFIG | {"required": [name for name in CONFIG["required"] if name not in LATER]}
VOCABULARY = several({"type": "string", "minLength": 1, "maxLength": 1}, 1, uniqueItems=True)


def complete(config: dict) -> dict:
    """With the options that came later, as they were then."""
    return config | {k: DEFAULTS[k] for k in LATER if k not in config}


def checked(saved: Checkpoint) -> Checkpoint:
    """A checkpoint of a character model, its configuration complete.

    UsageError, CheckpointError: it is of something else, or one of its parts is not as it must be, or they do not fit.
    """
    if not DEFAULTS.keys() & saved.config.keys() or saved.model != "LanguageModel":
        raise UsageError(f"{saved.place} is a checkpoint of a {short(saved.model)[1:-1]}, but not one that char_lm wrote")
    saved = saved._replace(config=complete(saved.config))
    checkpoint.require(saved, config=CONFIG, counters=COUNTERS, vocabulary=VOCABULARY)
    counters(saved)
    for sentence in misfits(saved):
        raise CheckpointError(f"{saved.place} is damaged, or of another program or version: {sentence}")
    return saved


def misfits(saved: Checkpoint) -> Iterator[str]:
    """What does not fit together."""
    c, symbols = saved.config, saved.vocabulary or []
    if c["tied"] and c["embedding"] != c["size"]:
        yield f"config.embedding must be config.size, {c['size']}, where config.tied is true, got {c['embedding']}"
    if c["forget_bias"] and c["cell"] != "lstm":
        yield f"config.forget_bias must be 0 where config.cell is {c['cell']}, got {c['forget_bias']}"
    if c["corpus"]["distinct"] != len(symbols):
        yield f"config.corpus.distinct must be {len(symbols)}, as the vocabulary is long, got {c['corpus']['distinct']}"
    if c["bytes"] and symbols != BYTES:
        yield "vocabulary must be all bytes in their order, for config.bytes is true"
    if not set(c["corpus"]["begin"]) <= set(symbols):
        yield f"config.corpus.begin must be of symbols of the vocabulary, got {short(c['corpus']['begin'])}"
    yield from steps(c, saved.counters)
    yield from arrays(saved, expected(c, len(symbols)))


def steps(c: Mapping[str, Any], count: Mapping[str, Any]) -> Iterator[str]:
    if max(c.get("ends", [0]), default=0) > c["steps"]:
        yield f"config.ends must be at most config.steps, {c['steps']}, got {short(c['ends'])}"
    ends = boundaries(dict(c))
    if count["epoch"] >= len(ends):
        yield f"counters.epoch must be below {len(ends)} by config.steps and config.every, got {count['epoch']}"
    elif count["step"] != ends[count["epoch"]] + count["batch"] or count["step"] > c["steps"]:
        begin = ends[count["epoch"]]
        yield f"counters.step must be {begin} + counters.batch and at most config.steps, got {count['step']}"


def expected(c: Mapping[str, Any], V: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the parameters of a model of this configuration"""
    E, H = c["embedding"], c["size"]
    shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (V, E)}
    shapes |= {f"rnn.{k}": s for k, s in stack_shapes(GATES[c["cell"]], E, H, c["layers"], True, False, 0).items()}
    return shapes | ({} if c["tied"] else {"head.weight": (V, H)}) | {"head.bias": (V,)}


def arrays(saved: Checkpoint, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    """What of the weights and of the carried state is not as the configuration says; so nothing huge is made of it."""
    c, weights = saved.config, saved.weights
    for name in sorted(shapes.keys() ^ weights.keys()):
        yield f"{short(name)} {'is missing from' if name in shapes else 'does not belong to'} the weights that config names"
    for name, shape in shapes.items():
        v = weights.get(name)
        if v is not None and (v.shape != shape or v.dtype != c["dtype"]):
            yield f"{name} must be {shape} in {c['dtype']} by config and vocabulary, got {v.shape} in {v.dtype}"
    try:
        check_carried(saved.carried, c["cell"], c["layers"], c["size"], c["dtype"])
    except RuntimeError as e:
        yield str(e)
    for name, v in saved.carried.items():
        if v.shape[1] != c["batch"]:
            yield f"carried {name} must have config.batch, {c['batch']}, streams, got {v.shape[1]}"
