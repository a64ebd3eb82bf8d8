"""The pictures of times: every machine's, from its files in benchmarks/results."""

from benchmarks.gpu import pages
from benchmarks.report import published

from .drawing import save


def draw() -> None:
    for plot in (*published.pictures(), *pages.drawn()):
        save(plot.figure, plot.name)
