"""The notes' diagrams: SVG with text as text, drawn by hand-placed shapes; ``python -m notes.diagrams`` writes them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from .cells import gru_cell, lstm_cell, rnn_cell
from .gradients import checkpointed_bptt, hessian, rtrl, truncated_bptt
from .models import attention, patterns, seq2seq
from .series import scan, windows
from .stack import packed, stack
from .svg import Canvas
from .training import optimisers, schedules
from .unrolled import unrolled
from .uses import classifier, dropout, forecaster, language_model

FIGURES = Path(__file__).parent.parent / "figures"
Draw = Callable[[bool], Canvas]
DIAGRAMS: dict[str, tuple[Draw, ...]] = {  # by their folders
    "diagrams": (
        unrolled,
        rnn_cell,
        lstm_cell,
        gru_cell,
        stack,
        packed,
        patterns,
        seq2seq,
        attention,
        windows,
        scan,
        dropout,
        language_model,
        classifier,
        forecaster,
    ),
    "gradients": (truncated_bptt, checkpointed_bptt, rtrl, hessian),
    "training": (schedules, optimisers),
}


def places() -> Iterator[tuple[Path, Draw, bool]]:
    """The file of each diagram, what draws it, and whether it is the one in Chinese."""
    for folder, draws in DIAGRAMS.items():
        for draw in draws:
            yield FIGURES / folder / f"{draw.__name__}.svg", draw, False
            yield FIGURES / folder / "zh" / f"{draw.__name__}.svg", draw, True


def files() -> Iterator[tuple[Path, str]]:
    """Each diagram in English and in Chinese: its place and its text."""
    for file, draw, chinese in places():
        yield file, str(draw(chinese))
