"""What the configuration and the counters of a run must be, alone and together, before anything is made of them."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ..common import checkpoint
from ..common.checkpoint import Checkpoint, CheckpointError
from ..common.checkpoint.schema import FILE, FLAG, LINE, NAME, Schema, above, fields, number, one_of, or_null, several, short, whole
from ..common.parameters import stack_shapes
from ..common.run import COUNTERS, counters
from ..common.run.files import OF_ANY_RUN
from .options import DEFAULTS, RUN
from .series import SeriesError
from .windows import parts

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
SIZE, ROWS = whole(1, 10**6), whole(1, 10**8)
NAMES = several(LINE, 1, uniqueItems=True)
SERIES = fields(
    {
        "names": NAMES,
        "parts": several(several(ROWS, 3, 3), 1),
        "scaling": several(several(several(number(), 1), 2, 2), 1),
        "columns": NAMES,
        "known": whole(0),
        "frequency": LINE,
        "season": ROWS,
        "zone": {"type": "string", "pattern": r"^(Z|[+-]\d\d:\d\d)?$"},
    }
)


def choices(name: str) -> Schema:
    found = one_of(*RUN[name]["choices"])
    return or_null(found) if RUN[name]["default"] is None else found


OPTIONS: dict[str, Schema] = {
    "csv": or_null(FILE),
    **{name: or_null(LINE) for name in ("time", "target", "id", "sep", "date_format")},
    "encoding": or_null(NAME),
    **{name: or_null(NAMES) for name in ("features", "known")},
    **{name: choices(name) for name in ("data", "fill", "decimal", "mode", "cell", "sampling", "dtype")},
    **dict.fromkeys(("calendar", "level"), FLAG),
    "season": or_null(ROWS),
    **{name: above(0) for name in ("validation", "test", "lr")},
    "window": whole(2, 10**8),
    "horizon": whole(1, 10**5),
    "quantiles": or_null(several(number(0, 1), 1)),
    "hidden": SIZE,
    "layers": whole(1, 1000),
    "dropout": number(0, 1),
    "epochs": whole(1, 10**9),
    "batch": whole(1),
    "weight_decay": number(0),
    "patience": or_null(whole(1)),
    "seed": {"type": "integer", "minimum": 0},
}
CONFIG = fields(OPTIONS | {"series": SERIES}, OF_ANY_RUN)


def checked(saved: Checkpoint) -> Checkpoint:
    """A checkpoint of a forecaster.

    CheckpointError: it is of something else, or one of its parts is not as it must be, or they do not fit.
    """
    config = saved.config
    if not config.keys() & {"series", "mode"} or saved.model != "Forecaster":
        raise CheckpointError(f"{saved.place} is of another application, not of forecast: it holds a {short(saved.model)[1:-1]}")
    older = sorted(DEFAULTS.keys() - config.keys())
    if older:
        raise CheckpointError(
            f"{saved.place} is of an older version of forecast, or damaged: config.{older[0]} is missing; train again"
        )
    checkpoint.require(saved, config=CONFIG, counters=COUNTERS, vocabulary={"type": "null"})
    counters(saved)
    for sentence in misfits(saved):
        raise CheckpointError(f"{saved.place} is damaged, or of another program or version: {sentence}")
    return saved


def misfits(saved: Checkpoint) -> Iterator[str]:
    """What does not fit together."""
    c = saved.config
    fitted, count = c["series"], saved.counters
    for name in ("parts", "scaling"):
        if len(fitted[name]) != len(fitted["names"]):
            yield f"config.series.{name} must be as many as config.series.names, {len(fitted['names'])}, got {len(fitted[name])}"
    if c["csv"] is not None and c["target"] is None:
        yield "config.target must be a column where config.csv is a file, got None"
    if c["csv"] is not None and c["id"] is None and len(fitted["names"]) > 1:
        yield f"config.series.names must be one where config.id is none, got {short(fitted['names'])}"
    yield from cuts(c)
    for mean, deviation in fitted["scaling"]:
        if len(mean) != len(fitted["columns"]) or len(deviation) != len(fitted["columns"]) or not min(deviation) > 0:
            yield f"config.series.scaling must be means and deviations above 0 of all columns, got {short([mean, deviation])}"
    if fitted["known"] >= len(fitted["columns"]):
        yield f"config.series.known must be below the number of columns, {len(fitted['columns'])}, got {fitted['known']}"
    q = c["quantiles"] or [0.5]
    if 0.5 not in q or not all(a < b for a, b in pairwise([0, *q, 1])) or (c["quantiles"] and c["mode"] != "direct"):
        yield f"config.quantiles must rise between 0 and 1, hold 0.5, and be for mode direct, got {short(c['quantiles'])}"
    if c["mode"] == "direct" and c["sampling"] != "none":
        yield f"config.sampling must be none for mode direct, got {c['sampling']}"
    if c["season"] not in (None, fitted["season"]):
        yield f"config.season must be config.series.season, {fitted['season']}, got {c['season']}"
    if c["dropout"] and c["layers"] == 1:
        yield f"config.dropout must be 0 where config.layers is 1, got {c['dropout']}"
    if count["epoch"] > c["epochs"]:
        yield f"counters.epoch must be at most config.epochs, {c['epochs']}, got {count['epoch']}"
    yield from arrays(saved)


def cuts(c: Mapping[str, Any]) -> Iterator[str]:
    """What is not cut as the options say."""
    size = c["window"], c["horizon"], c["validation"], c["test"]
    for cut in c["series"]["parts"]:
        try:
            there = list(parts(cut[-1], *size, c["series"]["season"]))
        except SeriesError as e:
            yield f"config.series.parts {cut} and the options do not fit: {e}"
            continue
        if there != cut:
            yield f"config.series.parts must be {there} by config.window, horizon, validation, test and series.season, got {cut}"


def expected(c: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shapes of the parameters of a model of this configuration"""
    F, known, H, K = len(c["series"]["columns"]), c["series"]["known"], c["hidden"], c["horizon"]
    stack = stack_shapes(GATES[c["cell"]], F, H, c["layers"], True, False, 0)
    shapes = {f"{part}.{k}": s for part in ("rnn", "decoder")[: 1 + (c["mode"] == "encdec")] for k, s in stack.items()}
    read, said = (H + K * known, K * len(c["quantiles"] or [0.5])) if c["mode"] == "direct" else (H, F - known)
    return shapes | {"head.weight": (said, read), "head.bias": (said,)}


def arrays(saved: Checkpoint) -> Iterator[str]:
    """What of the weights is not as the configuration says; so nothing huge is made of it."""
    shapes, weights, dtype = expected(saved.config), saved.weights, saved.config["dtype"]
    for name in sorted(shapes.keys() ^ weights.keys()):
        yield f"{short(name)} {'is missing from' if name in shapes else 'does not belong to'} the weights that config names"
    for name, shape in shapes.items():
        if weights[name].shape != shape or weights[name].dtype != dtype:
            yield f"{name} must be {shape} in {dtype} by config, got {weights[name].shape} in {weights[name].dtype}"
    if saved.carried:
        yield f"a forecaster carries no state, got {short(sorted(saved.carried))}"
