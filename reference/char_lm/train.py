"""``train``: from options to a run's folder.  What that holds: reference/common/run/files.py"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ..common import checkpoint, sampling, schedules
from ..common.command import Answer, Model, UsageError
from ..common.run import BEST, LOG, PICTURE, Application, Counters, Entry, Folder, board, claimed, picture, read_log
from ..training.optim import OPTIMIZERS, Optimizer
from .backend import Backend
from .data import Corpus, boundaries, passes, spans
from .evaluate import figures, held_out, unit
from .generate import stream
from .run import adopt, build, done, first_stream, last_of, load, new_run, old_run, prolong, resume_command
from .text import encode, listed, readable, shown

VALIDATED = 50_000  # characters that are evaluated while training
SAMPLE = 200  # characters that are shown after each evaluation
APPLICATION = Application("char_lm", ("test.json", "validation.json", "train.json", "all.json"))
TRIAL = 12  # steps that are timed to know how many are affordable
say = partial(print, flush=True)


def train(backend: Backend, options: dict) -> Answer:
    folder = Path(options["run"])
    if not backend.group.leader:
        return trained(backend, options, folder, None)
    with claimed(folder, APPLICATION, resume=options["resume"], overwrite=options["overwrite"]) as own:
        return trained(backend, options, folder, own)


def trained(backend: Backend, options: dict, folder: Path, own: Folder | None) -> Answer:
    """Train in a folder, which is this process's ``own`` or that of the process which leads."""
    group = backend.group
    config, text = old_run(options, folder) if options["resume"] else new_run(options)
    config = group.agreed(config)  # so nobody writes before all have looked
    if config["batch"] < group.world:
        raise UsageError(f"--batch {config['batch']} is too small for {group.world} processes: each needs a stream of its own")
    model = build(backend, config, options)
    optimiser, first = optimizer(backend, config, model), None
    if config["from"] and not options["resume"]:
        first = started(backend, model, optimiser, config, text)
    windows = passes(text.part("train"), config)
    validation = held_out(text.part("validation"), VALIDATED)
    if options["resume"] and "seconds" in options:
        prolong(config, done(folder) + affordable(backend, config, options, windows), folder)
    elif config["steps"] is None:
        config["steps"] = affordable(backend, config, options, windows)
    ends = boundaries(config)
    if options["resume"] and (saved := last_of(folder)):  # before anything is written
        checkpoint.check(saved, model, optimiser, {"model": model.rng}, text.vocabulary.symbols)
    if own:
        own.begin(config | {"about": about(config)}, resume=options["resume"], first=first)
        say(describe(backend, config, model, windows))
    wanted = options["tensorboard"] and group.leader
    with bar(config, options, model, backend, text) as shown_bar, board(folder / LOG, wanted, shown_bar) as tell:
        result = backend.train(
            group.wrap(model),
            optimiser,
            spans(windows, ends),
            epochs=len(ends) - 1,
            schedule=schedule(config),
            max_norm=config["clip"] or None,
            validation=lambda: validation,
            folder=folder,
            resume=options["resume"],
            config=config,
            vocabulary=text.vocabulary.symbols,
            save_every=config["save_every"],
            how=f"run: {resume_command(backend, options)}",
            tell=tell,
        )
    if group.leader:
        titles = f"Training of the {unit(config)} model", f"nats a {unit(config)}", unit(config)
        say(picture.draw(folder, read_log(folder / LOG), *titles) or f"drew {shown(folder / PICTURE)}")
    if group.leader and result.stopped == "finished":
        say(f"finished: {shown(folder / BEST)} has the lowest validation loss")
    if result.stopped == "interrupted":
        return 130
    if not group.leader:  # of several processes one answers
        return 0
    return {"run": str(folder), "steps": result.counters.step, "validation": figures(result.counters.best)}


def about(config: dict) -> str:
    origin = ", from another run" if config["from"] else ""
    return f"{config['layers']} x {config['cell']}-{config['size']} on {config['corpus']['name']}{origin}"


def started(backend: Backend, model: Model, optimiser: Optimizer, config: dict, text: Corpus) -> Callable[[Path], None]:
    """Put the weights of the run of --from into the model  ->  what writes it as a checkpoint of 0 steps.

    A run that goes on takes its weights from there, so it needs the other run's folder no more.
    """
    old = load(config["from"])
    adopt(backend, model, old, config["dtype"])
    if backend.group.leader:
        new = listed(text.vocabulary.symbols[len(old.vocabulary or ()) :]) or "none"
        before = f"{shown(config['from'])} after {old.counters['step']} steps"
        say(f"the weights are those of {before}; new characters: {new}")
    symbols, counters, rng = text.vocabulary.symbols, Counters()._asdict(), {"model": model.rng}
    return lambda path: checkpoint.save(
        path, model, optimiser, generators=rng, counters=counters, config=config, vocabulary=symbols
    )


def optimizer(backend: Backend, config: dict, model: Model) -> Optimizer:
    name = {k.lower(): k for k in OPTIMIZERS}[config["optimizer"]]
    return backend.optimizers[name](model, lr=config["lr"])


def schedule(config: dict) -> schedules.Schedule:
    """A short warm-up, then what was asked for: cosine down to a hundredth, constant, or a third at half and at 3/4."""
    n, lr = config["steps"], config["lr"]
    warm = max(1, min(100, n // 20))
    rest = max(1, n - warm)
    after = {
        "cosine": schedules.cosine(lr, rest, lr / 100),
        "constant": schedules.constant(lr),
        "step": schedules.step(lr, max(1, -(-rest // 4)), 0.5),
    }
    return schedules.sequential([schedules.warmup(lr, warm, 0.1), after[config["schedule"]]], [warm])


def affordable(backend: Backend, config: dict, options: dict, windows: list) -> int:
    """How many steps fit into the seconds, by the time of a few steps of a model that is thrown away."""

    def lasting(n: int) -> float:
        model = build(backend, config, options)
        start = time.perf_counter()
        backend.train(
            backend.group.wrap(model),
            optimizer(backend, config, model),
            spans(windows, [0, n]),
            epochs=1,
            max_norm=config["clip"] or None,
        )
        return time.perf_counter() - start

    lasting(TRIAL // 2)
    return backend.group.first(max(TRIAL, int(config["seconds"] / lasting(TRIAL) * TRIAL)))


def describe(backend: Backend, config: dict, model: Model, windows: list) -> str:
    text, n = config["corpus"], sum(math.prod(v.shape) for v in model.state_dict().values())
    return (
        f"{backend.package}: {config['layers']} x {config['cell']}-{config['size']}, {n:,} parameters, {config['dtype']}; "
        f"{text['name']}: {text['characters']:,} {unit(config)}s, {text['distinct']} distinct; {config['steps']} steps of "
        f"{config['batch']} x {config['window']}, {config['steps'] / len(windows):.2f} passes"
        + (f", over {backend.group.world} processes" if backend.group.world > 1 else "")
    )


@contextlib.contextmanager
def bar(config: dict, options: dict, model: Model, backend: Backend, text: Corpus) -> Iterator[Callable[[Entry], None]]:
    """``tell(entry)`` of the loop: moves a bar, and prints each evaluation with a sample."""
    size, console = config["batch"] * config["window"], Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TextColumn(f"{{task.fields[rate]}} {unit(config)}s/s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=options["quiet"] or options["json"] or not console.is_terminal or not backend.group.leader,
    )
    task = progress.add_task("step 0", total=config["steps"] * size, rate="-")

    def tell(entry: Entry) -> None:
        if "stopped" in entry:
            progress.stop()
        elif "loss" in entry:
            step, speed = entry["step"], progress.tasks[task].speed
            description, rate = f"step {step}  loss {entry['loss']:.3f}", f"{speed:,.0f}" if speed else "-"
            progress.update(task, completed=step * size, rate=rate, description=description)
        else:
            f = figures(entry["validation"])
            shown = f"{f['nats']:.4f} nats, {f['bits']:.4f} bits a {unit(config)}, perplexity {f['perplexity']:.3f}"
            say(f"step {entry['step']:>6}: validation {shown}")
            if not (options["quiet"] or options["json"]):
                say(sample(backend, model, text, config["bytes"]) + "\n")

    with progress:
        yield tell


def sample(backend: Backend, model: Model, text: Corpus, raw: bool) -> str:
    """A little text from the model as it is; nothing of it is changed."""
    carried = model.carried
    model.load_carried_state(first_stream(model.carried_state()))
    model.eval()
    draw = partial(sampling.sample, rng=np.random.default_rng(0), temperature=0.8)
    begin = encode(text.begin, text.vocabulary, "begin").tokens
    characters = "".join(readable(stream(backend, model, text.vocabulary, begin, SAMPLE, draw), raw))
    model.train()
    model.carried = carried
    return characters.strip()
