"""``python -m notes.studies.trajectory``: how rounding grows in a training run, and how many baselines it takes to know.

Of every model, cell and optimiser, eighteen right runs are made: the sixteen baselines, PyTorch, and NumPy's fast engine.
The first table says how far they are from the oracle.  For the second, each is judged by some of the others, drawn at
random: a rule that refuses one of them is wrong.
"""

import sys
from math import erf, sqrt

import numpy as np
from rich.progress import track

from parity_tests.judge.tolerance import BASELINE_FACTOR, FLOOR_EPS, step_maxima
from parity_tests.training.trajectory import CELLS, OPTIMIZERS, RUNS, STEPS, TASKS, Task, Trajectory, follow, truth
from reference.common.command import entered

from ..generated import markdown
from .study import Study

COUNTS, DRAWS = (1, 2, 4, 8, RUNS), 50
EPS = np.finfo(float).eps


class Runs:
    """Eighteen right runs of one model, cell and optimiser."""

    def __init__(self, task: Task, cell: str, kind: str, seed: int = 0):
        known = truth(task, cell, kind, seed)
        oracle, baselines = known.oracle, known.baselines(RUNS)
        others = [follow(task, cell, kind, seed=seed, side="torch"), follow(task, cell, kind, seed=seed, engine="fast")]
        self.weights = [k not in ("loss", "norm") for k in oracle]
        self.largest = np.array([step_maxima(v) for v in oracle.values()], float)
        # of each run, quantity and step
        self.errors = np.array([[step_maxima(run[k] - v) for k, v in oracle.items()] for run in baselines + others], float)
        self.direction = along_one_direction(baselines, oracle)

    def limits(self, chosen: np.ndarray) -> np.ndarray:
        """What T3 allows when these runs are the baselines"""
        noise = np.maximum.accumulate(self.errors[chosen].max(0), axis=-1)
        return BASELINE_FACTOR * noise + FLOOR_EPS * EPS * self.largest

    def noise(self, step: int) -> float:
        """Of the parameter in which it is largest, in eps of its largest value"""
        grown = np.maximum.accumulate(self.errors[:RUNS].max(0), axis=-1) / (EPS * self.largest)
        return float(grown[self.weights, step - 1].max())

    def worst(self) -> list[float]:
        """Error over allowed of PyTorch and of the fast engine"""
        return [float((run / self.limits(np.arange(RUNS))).max()) for run in self.errors[RUNS:]]

    def refused(self, count: int, rng: np.random.Generator) -> tuple[int, float]:
        """How many of DRAWS runs are refused by others; and how wide the limits are, a geometric mean"""
        wrong, width = 0, []
        for _ in range(DRAWS):
            run, *others = rng.choice(len(self.errors), count + 1, replace=False)
            limits = self.limits(np.array(others))
            wrong += bool((self.errors[run] > limits).any())
            width.append(np.log(limits).mean())
        return wrong, float(np.mean(width))


def along_one_direction(baselines: list[Trajectory], oracle: Trajectory) -> float:
    """The share of the squared error of all parameters after the last step that lies along one direction.

    Sixteen errors that have nothing to do with each other lie there by a little more than one sixteenth.
    """
    weights = {k: v[-1] for k, v in oracle.items() if k not in ("loss", "norm")}

    def scaled(run: Trajectory) -> np.ndarray:
        errors = [((run[k][-1] - v) / np.abs(v).max()).ravel().astype(float) for k, v in weights.items()]
        return np.concatenate(errors)

    s = np.linalg.svd(np.array([scaled(run) for run in baselines]), compute_uv=False)
    return float(s[0] ** 2 / (s**2).sum())


def expected(count: int) -> float:
    """How often a right run is refused if all error is one normal number times one direction, and the floor is nothing.

    Then the candidate's number is more than BASELINE_FACTOR times the largest of ``count`` others.
    """
    z = np.linspace(0, 12, 12001)
    below = np.array([erf(v / BASELINE_FACTOR / sqrt(2)) for v in z])
    return float((below**count * np.exp(-(z**2) / 2)).sum() / np.exp(-(z**2) / 2).sum())


def measure() -> dict[str, list[str]]:
    """Two tables: how rounding grows, a row for each model and cell; and what the number of baselines does."""
    refused, width = dict.fromkeys(COUNTS, 0), dict.fromkeys(COUNTS, 0.0)
    rng, growth, kinds = np.random.default_rng(0), [], []
    for task, cell in track([(task, cell) for task in TASKS for cell in CELLS], "trajectories", transient=True):
        runs = [Runs(task, cell, kind) for kind in OPTIMIZERS]
        noise = [f"{max(s.noise(n) for s in runs):.1f}" for n in (1, 10, STEPS)]
        growth.append([task, cell, *noise, *(f"{max(s.worst()):.2f}" for s in runs)])
        kinds += runs
        for count in COUNTS:
            for s in runs:
                wrong, wide = s.refused(count, rng)
                refused[count] += wrong
                width[count] += wide
    judged = DRAWS * len(kinds)
    baselines = []
    for n in COUNTS:
        wider = np.exp((width[n] - width[COUNTS[0]]) / len(kinds))
        of_a_thousand = f"{1000 * refused[n] / judged:.2f}", f"{1000 * expected(n):.2g}"
        baselines.append([n, judged, refused[n], *of_a_thousand, f"{wider:.2f}"])
    least, middle, most = np.quantile([s.direction for s in kinds], [0, 0.5, 1])
    said = (
        f"After {STEPS} steps {100 * least:.0f} to {100 * most:.0f} percent of the squared error of all weights lie "
        f"along one direction, in the median of the {len(kinds)} kinds of runs {100 * middle:.0f} percent."
    )
    head = ["baselines", "right runs judged", "refused", "of a thousand", "if it were one number", "mean limit"]
    return {
        "growth": markdown(["model", "cell", "noise after 1 step", "10 steps", "100 steps", *OPTIMIZERS], growth, (0, 1)),
        "baselines": [*markdown(head, baselines, ()), "", said],
    }


STUDY = Study("trajectory", __doc__, measure)


if __name__ == "__main__":
    sys.exit(entered(STUDY.command))
