"""A run of the character model: its configuration, its text, and the model that a checkpoint holds."""

from pathlib import Path

import numpy as np

from ..common import checkpoint
from ..common.arrays import Array, as_array
from ..common.command import Model, UsageError
from ..common.run import CONFIG, LAST, find, read_config
from ..common.run.files import OF_ANY_RUN
from ..common.vocabulary import Vocabulary
from .backend import Backend
from .data import Corpus, corpus
from .options import DEFAULTS
from .schema import FILE_OF_RUN, checked, complete
from .text import quoted, shown

INHERITED = ("cell", "layers", "size", "embedding", "tied", "bytes")  # by --from
FREE = ("seconds", "steps", "lr")  # may differ when a run goes on


def new_run(options: dict) -> tuple[dict, Corpus]:
    """Options with the text's identity, and the text.  UsageError: as ``corpus``, or options that do not fit."""
    if "from" in options and not Path(options["from"]).exists():
        raise UsageError(f"--from: {options['from']} does not exist; name the folder of a run, or a checkpoint in one")
    old, config = load(options["from"]) if "from" in options else None, DEFAULTS | asked(options)
    if old:
        inherit(config, old.config, options)
    text = corpus(options.get("text"), **reading(config, options), known=(old and old.vocabulary) or ())
    if config["tied"] and not old:
        if "embedding" in options and options["embedding"] != config["size"]:
            raise UsageError(f"--tied makes the embedding as large as the size, {config['size']}; leave --embedding out")
        config["embedding"] = config["size"]
    return config | {"corpus": identity(text)}, text


def inherit(config: dict, old: dict, options: dict) -> None:
    """What makes the model is the old one's.  UsageError: something else was asked for."""
    for k in INHERITED:
        if options.get(k, old[k]) != old[k]:
            raise UsageError(f"--from: the model of that run has --{k} {old[k]}, not {options[k]}; leave it out")
        config[k] = old[k]
    for k in ("init", "forget_bias"):
        if k in options:
            raise UsageError(f"--{k.replace('_', '-')} is for first weights, and those are here the old model's; leave it out")


def reading(config: dict, options: dict) -> dict:
    """How ``corpus`` is to read the files that the options name, for a model of this configuration."""
    if config["bytes"] and "encoding" in options:
        raise UsageError("--encoding is for characters, and bytes are taken as they are: leave it out")
    return {k: options.get(k, DEFAULTS[k]) for k in ("encoding", "separator")} | {"raw": config["bytes"]}


def asked(options: dict) -> dict:
    """The options of a run that were given; files by their whole path."""
    given = {k: v for k, v in options.items() if k in DEFAULTS}
    given |= {"text": [str(Path(f).resolve()) for f in given["text"]]} if "text" in given else {}
    return given | ({"from": str(Path(given["from"]).resolve())} if "from" in given else {})


def identity(text: Corpus) -> dict:
    return {
        "name": text.name,
        "characters": len(text.tokens),
        "distinct": len(text.vocabulary),
        "sha256": text.sha256,
        "begin": text.begin,
    }


def old_run(options: dict, folder: Path) -> tuple[dict, Corpus]:
    """Configuration and text of a run that goes on.

    UsageError, CheckpointError: there is none, it is damaged, or an option or the text says something else.
    """
    config = read_config(folder, FILE_OF_RUN)
    if config is None:
        raise UsageError(f"there is no run in {folder} to go on with: it has no {CONFIG}")
    config, saved = complete({k: v for k, v in config.items() if k not in OF_ANY_RUN}), last_of(folder)
    if saved:
        agree(folder, config, saved.config)
    for k, v in asked(options).items():
        if k not in FREE and v != config[k]:
            raise UsageError(
                f"the run in {folder} has --{k.replace('_', '-')} {named(config[k])}, not {named(v)}: leave it out, or "
                "begin a new run in another folder"
            )
    if options.get("steps", config["steps"]) != config["steps"]:
        prolong(config, options["steps"], folder)
    if options.get("lr", config["lr"]) != config["lr"] and "seconds" not in options and done(folder) == config["steps"]:
        raise UsageError(f"the run in {folder} has done all its {config['steps']} steps: give --lr with --steps or --seconds")
    config |= {k: options[k] for k in ("seconds", "lr") if k in options}
    if config["from"] and not saved:
        raise UsageError(f"{folder} has no {LAST}, which held the weights that its run began with: begin a new run")
    return config, text_of(config, Vocabulary(saved.vocabulary, special=False) if saved and saved.vocabulary else None)


def last_of(folder: Path) -> checkpoint.Checkpoint | None:
    """The last checkpoint of a run, None if there is none.  UsageError, CheckpointError: it is damaged, or of something else."""
    return checked(checkpoint.load(folder / LAST)) if (folder / LAST).exists() else None


def agree(folder: Path, config: dict, saved: dict) -> None:
    """UsageError: config.json says of the model or its training something else than the last checkpoint."""
    link = {"corpus": config["corpus"] | {"name": saved["corpus"]["name"]}}  # the name may have been a link's
    for k in sorted(saved.keys() - {*FREE, "ends", *OF_ANY_RUN}):
        if (config | link)[k] != saved[k]:
            raise UsageError(
                f"{folder / CONFIG} is damaged: it says {k} {named(config[k])}, and {LAST} {named(saved[k])}; "
                "begin a new run in another folder"
            )


def named(value: object) -> object:
    """A value of an option in a sentence; a text that has a line's end in it, or is empty, as Python writes it"""
    return repr(value) if (isinstance(value, str) and not value.isprintable()) or value == "" else value


def done(folder: Path) -> int:
    """How many steps its last checkpoint has."""
    saved = last_of(folder)
    return saved.counters["step"] if saved else 0


def prolong(config: dict, steps: int, folder: Path) -> None:
    """Another number of steps.  What a run did after its last evaluation but one stays a stretch of its own."""
    n = done(folder)
    if steps <= n:
        raise UsageError(f"the run in {folder} has done {n} steps; --steps is how many in all, so it must be more, not {steps}")
    if config["steps"] is not None and n >= config["steps"]:
        config["ends"] = [*config.get("ends", []), config["steps"]]
    config["steps"] = steps


def text_of(config: dict, vocabulary: Vocabulary | None = None) -> Corpus:
    """The text of a run, read again.  UsageError: it is not there any more, or another one."""
    for file in config["text"] or ():
        if Path(file).exists() and not Path(file).is_file():
            raise UsageError(f"{shown(file)}, the text of the run, is no file")
    how = {"raw": config["bytes"], "vocabulary": vocabulary, "unknown": "replace"}  # what it lacks has changed
    text, before = corpus(config["text"], config["encoding"], config["separator"], **how), config["corpus"]
    if identity(text) | {"name": before["name"]} != before:  # the name may have been a link's
        what = "bytes" if config["bytes"] else "characters"
        raise UsageError(
            f"{text.name}: the text has changed since the run began: it had {before['characters']} {what}, "
            f"SHA-256 {before['sha256'][:12]}…; now {len(text.tokens)}, {text.sha256[:12]}…"
        )
    return text


def build(backend: Backend, config: dict, options: dict, dtype: str | None = None, symbols: int | None = None) -> Model:
    """A model with its first parameters, where and as the options say."""
    rng = np.random.default_rng(config["seed"])
    model = backend.model(
        symbols or config["corpus"]["distinct"],
        *(config[k] for k in ("embedding", "size", "layers")),
        **{k: config[k] for k in ("cell", "dropout", "tied")},
        dtype=dtype or config["dtype"],
        rng=rng,
        options=options,
    )
    if config["forget_bias"] and config["cell"] != "lstm":
        raise UsageError(f"--forget-bias is for --cell lstm; a {config['cell']} has no forget gate")
    if config["init"] != "default" or config["forget_bias"]:
        scheme = "uniform" if config["init"] == "default" else config["init"]
        backend.initialise(model, scheme, rng, forget_bias=config["forget_bias"] or None)
    return model


def restored(backend: Backend, saved: checkpoint.Checkpoint, dtype: str, options: dict | None = None) -> Model:
    """The model of a checkpoint in evaluation mode, with its weights and the first stream's state, whatever their dtype was.

    CheckpointError: they are not its own.
    """
    options = options or {"engine": backend.engines[0], "device": "cpu", "compile": False}
    model = build(backend, saved.config, options, dtype, len(saved.vocabulary or ()))
    with np.errstate(over="ignore"):  # what becomes inf in a narrower dtype is refused
        weights, carried = (
            {k: v.astype(dtype) for k, v in arrays.items()} for arrays in (saved.weights, first_stream(saved.carried))
        )
    backend.restore(saved._replace(weights=weights, carried=carried), model)
    model.eval()
    return model


def trained(backend: Backend, options: dict) -> tuple[Model, dict, Vocabulary, checkpoint.Checkpoint]:
    """The model of a checkpoint in float64, whatever it was trained in, so that both backends say the same.

    UsageError, CheckpointError: there is none, it is damaged, of something else, or its weights do not fit its configuration.
    """
    saved = load(options["run"])
    return restored(backend, saved, "float64", options), saved.config, Vocabulary(saved.vocabulary or (), special=False), saved


def load(run: str) -> checkpoint.Checkpoint:
    """The checkpoint that a folder or a file's name stands for, with a whole configuration and a vocabulary.

    UsageError, CheckpointError: there is none, it is damaged, or of something else.
    """
    path = find(run)
    try:
        saved = checkpoint.load(path)
    except OSError as e:
        raise UsageError(f"{path} cannot be read: {e.strerror}") from None
    return checked(saved)


def adopt(backend: Backend, model: Model, old: checkpoint.Checkpoint, dtype: str) -> None:
    """Put an old model's weights into one whose vocabulary begins with the old one's; rows of what is new stay as drawn.

    CheckpointError: the weights do not fit their own configuration.
    """
    before, weights = restored(backend, old, dtype).state_dict(), {}
    for k, fresh in model.state_dict().items():
        v, weights[k] = as_array(before[k]), as_array(fresh).copy()
        weights[k][tuple(map(slice, v.shape))] = v
    backend.restore(old._replace(weights=weights, carried={}), model)


def first_stream(carried: dict[str, Array]) -> dict[str, Array]:
    """States (L, B, H)  ->  of the first stream alone (L, 1, H)"""
    return {k: v[:, :1] for k, v in carried.items()}


def resume_command(backend: Backend, options: dict) -> str:
    extra = [f"--{k} {options[k]}" for k, usual in (("engine", backend.engines[0]), ("device", "cpu")) if options[k] != usual]
    extra += ["--compile"] if options["compile"] else []
    return " ".join([f"{backend.group.start} {backend.package}.char_lm train --resume --run {quoted(options['run'])}", *extra])
