"""The learning rate from step to step, and what optimisers make of it; every curve is computed by reference/."""

from collections.abc import Callable
from math import acos, cos, pi, sin

import numpy as np

from reference.common.schedules import Schedule, cosine, sequential, step, warmup
from reference.training.optim import SGD, Adam, Optimizer

from .geometry import Point
from .svg import Canvas

Ticks = tuple[tuple[int, str], ...]  # a step, and the name of it or of the rate there
WIDE, HIGH, STEPS = 0.9, 96, 200  # of one step, of the rate η = 1; steps that are drawn
SCHEDULES: tuple[tuple[str, str, Schedule, Ticks, Ticks], ...] = (
    ("step", "V1", step(1, 56, 0.5), ((56, "s"), (112, "2s"), (168, "3s")), ((0, "η"), (56, "ηγ"), (112, "ηγ²"))),
    ("cosine", "V2", cosine(1, 140, 0.1), ((140, "N"),), ((0, "η"), (140, "η_{min}"))),
    ("warmup", "V3", warmup(1, 100, 0.25), ((100, "N"),), ((0, "fη"), (100, "eη"))),
    ("sequential", "V4", sequential([warmup(1, 40, 0.1), cosine(1, 160)], [40]), ((40, "m_1"),), ((40, "η"),)),
)


def schedules(chinese: bool = False) -> Canvas:
    title = "Schedules: the learning rate against the number of steps taken"
    c = Canvas(520, 424, title, chinese=chinese, note="common/schedules")
    for k, schedule in enumerate(SCHEDULES):
        panel(c, 58 + 254 * (k % 2), 170 + 208 * (k // 2), *schedule)
    return c


def panel(c: Canvas, x: float, y: float, name: str, label: str, rate: Schedule, steps: Ticks, rates: Ticks) -> None:
    """A schedule over its axes, which meet at (x, y)."""

    def at(n: int) -> Point:
        return x + WIDE * n, y - HIGH * rate(n)

    c.name(x - 38, y - 148, name, "upright start")
    c.label(x + 188, y - 148, label, "end")
    for n, text in steps:
        c.arrow((at(n)[0], y), at(n), kind="thin dotted", tipped=False)
        c.name(at(n)[0], y + 16, text)
    for n, text in rates:
        if n:
            c.arrow((x, at(n)[1]), at(n), kind="thin dotted", tipped=False)
        c.name(x - 8, at(n)[1], text, "end")
    c.arrow((x, y), (x, y - 122), kind="thin")
    c.arrow((x, y), (x + 188, y), kind="thin")
    c.name(x + 8, y - 118, "η_n", "start")
    c.name(x + 184, y + 16, "n")
    c.arrow(*map(at, range(STEPS + 1)), kind="blue", tipped=False, radius=0)


STEEP, START = 20, (-4.0, 0.9)  # ℓ = ½ (w₁² + 20 w₂²); where every path begins
UNIT, RIGHT = 80, 1.7  # pixels; where the valley is cut off
PATHS: tuple[tuple[str, str, str, Callable[..., Optimizer], dict[str, float]], ...] = (
    ("SGD, η = 0.09", "O3", "blue", SGD, {"lr": 0.09}),
    ("SGD, η = 0.09, μ = 0.5", "O2 O3", "green", SGD, {"lr": 0.09, "momentum": 0.5}),
    ("Adam, η = 0.3", "O6 O7 O8", "purple", Adam, {"lr": 0.3}),
)


def optimisers(chinese: bool = False) -> Canvas:
    title = "Three optimisers in a long valley, from the same start"
    c = Canvas(520, 668, title, chinese=chinese, note="training/optim")
    for k, (name, label, colour, optimiser, options) in enumerate(PATHS):
        x, y = 364, 126 + 208 * k
        c.name(20, y - 98, name, "upright start")
        c.label(500, y - 98, label, "end")
        for across in (1, 2, 3, 4):
            c.arrow(*((x + UNIT * u, y - UNIT * v) for u, v in contour(across)), kind="shape frame", tipped=False, radius=0)
        places = [(x + UNIT * u, y - UNIT * v) for u, v in path(optimiser, options)]
        c.arrow(*places, kind=colour, tipped=False, radius=0)
        for u, v in places:
            c.node(u, v, kind=colour, radius=3.5)
        c.node(x, y, radius=3)
    c.name(20, 644, "ℓ = ½ (w_1² + 20 w_2²)", "start")
    c.words(500, 644, "24 steps of each", "end")
    return c


def contour(across: float) -> list[Point]:
    """Where ℓ is what it is at (across, 0), without what lies to the right of RIGHT."""
    first = acos(min(1, RIGHT / across))
    angles = (first + (2 * pi - 2 * first) * n / 48 for n in range(49))
    return [(across * cos(angle), across / STEEP**0.5 * sin(angle)) for angle in angles]


def path(optimiser: Callable[..., Optimizer], options: dict[str, float], steps: int = 24) -> list[Point]:
    w = {"w": np.array(START)}
    down, places = optimiser(w, **options), [START]
    for _ in range(steps):
        down.step({"w": w["w"] * (1, STEEP)})
        places.append(tuple(w["w"].tolist()))
    return places
