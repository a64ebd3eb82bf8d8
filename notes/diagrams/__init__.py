"""The notes' diagrams: SVG with text as text, drawn by hand-placed shapes; ``python -m notes.diagrams`` writes them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from .attention import attention
from .cells import gru_cell, lstm_cell, rnn_cell
from .gradients import checkpointed_bptt, truncated_bptt
from .models import patterns, seq2seq
from .series import scan, windows
from .stack import packed, stack
from .svg import Canvas
from .unrolled import unrolled
from .uses import classifier, dropout, forecaster

PLACE = Path(__file__).parent.parent / "figures" / "diagrams"
DIAGRAMS: tuple[Callable[[bool], Canvas], ...] = (
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
    truncated_bptt,
    checkpointed_bptt,
    dropout,
    classifier,
    forecaster,
)


def files() -> Iterator[tuple[Path, str]]:
    """Each diagram in English and in Chinese: its place and its text."""
    for draw in DIAGRAMS:
        yield PLACE / f"{draw.__name__}.svg", str(draw(False))
        yield PLACE / "zh" / f"{draw.__name__}.svg", str(draw(True))
