"""``python -m pytest benchmarks``: each built-in implementation on a few sizes, timed by pytest-benchmark, parity first.

For a look at one machine, one implementation at a time.  Ratios between implementations are the business of
``python -m benchmarks run``, where rivals take turns.
"""

import pytest

from parity_tests.judge.implementations import BUILTIN

from .run import check
from .what.config import PHASES
from .what.layer import DeclinedError
from .what.presets import each

CONFIGS = each((20, 1, 32), (50, 16, 64))
GFLOPS = 20.0  # enough to judge these sizes at their full length


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.name.replace(" ", "-"))
@pytest.mark.parametrize("name", BUILTIN)
def test_cell(benchmark, name, config, phase):
    try:
        check.small(BUILTIN[name], config.small(), phase)
        candidate = config.candidate(BUILTIN[name], phase)
    except DeclinedError as e:
        pytest.skip(str(e))
    T = config.affordable(check.SECONDS, GFLOPS)
    assert T == config.T
    benchmark.group = f"{config.name} {phase}"
    benchmark.extra_info["parity"] = check.judge(candidate, T)

    def call():
        candidate.call()
        candidate.sync()

    benchmark.pedantic(call, rounds=15, warmup_rounds=5)
