"""What ``parity_tests/plugin.py`` brings where the suite is run: options, and a test for each implementation and case.

The options mean what they mean for ``python -m parity_tests``.
"""

import pytest

from .judge.cases import Case
from .judge.implementations import Implementation
from .judge.report import environment
from .judge.running import expected, options

JUDGED = pytest.StashKey[list[Implementation]]()
CHOSEN = pytest.StashKey[options.Chosen]()


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser.getgroup("parity", "implementations of RNN, LSTM and GRU, judged").addoption)


def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[CHOSEN] = options.choose(config.option)
        config.stash[JUDGED] = options.implementations(config.option)
    except ValueError as e:
        raise pytest.UsageError(" ".join(str(e).split())) from e


def pytest_report_header(config: pytest.Config) -> list[str]:
    said = ", ".join(f"{k} {v}" for k, v in environment(config.option.device).items())
    return [f"parity: {said}", *filter(None, [config.stash[CHOSEN].left_out])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen: options.Chosen = metafunc.config.stash[CHOSEN]
    judged: list[Implementation] = metafunc.config.stash[JUDGED]
    if "implementation" in metafunc.fixturenames:
        metafunc.parametrize("implementation", judged, ids=lambda i: i.name)
    if "case" in metafunc.fixturenames and "implementation" in metafunc.fixturenames:
        metafunc.parametrize("case", [param(case, chosen) for case in chosen.cases])


def param(case: Case, chosen: options.Chosen):
    """A case, by its name and dtype; one that is known to fail must."""
    reason = expected.reason(chosen.expected, case)
    marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
    return pytest.param(case, id=f"{case.name}-{case.spec.dtype}", marks=marks)


@pytest.fixture
def cases(request: pytest.FixtureRequest):
    """All that are run."""
    return request.config.stash[CHOSEN].cases
