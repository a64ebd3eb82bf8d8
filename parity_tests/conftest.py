"""Options and hypothesis profiles.  ``--impl`` and ``--device`` mean what they mean for ``python -m parity_tests``."""

import pytest
import torch
from hypothesis import HealthCheck, settings

from torch_impl.common.precision import allow_tf32, tf32

from .judge.implementations import BUILTIN, LoadError, chosen

torch.set_num_threads(1)  # the cases are tiny, and several workers share the cores

settings.register_profile("ci", max_examples=60, derandomize=True, deadline=None, database=None)
settings.register_profile(
    "thorough", max_examples=3000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")


def pytest_addoption(parser):
    group = parser.getgroup("parity")
    group.addoption(
        "--impl",
        action="append",
        metavar="NAME",
        help=f"judge only this: a module with load(spec, weights), or one of {', '.join(BUILTIN)}; repeatable",
    )
    group.addoption("--device", choices=("cpu", "cuda"), default="cpu", help="where the implementations run")


def pytest_configure(config):
    if config.getoption("--device") == "cuda":
        if not torch.cuda.is_available():
            raise pytest.UsageError("--device cuda: torch sees no CUDA device on this machine")
        allow_tf32(False)
    try:
        config.implementations = chosen(config.getoption("--impl"), config.getoption("--device"))
    except LoadError as e:
        raise pytest.UsageError(f"--impl: {e}") from e


def pytest_report_header(config):
    return f"parity: device {config.getoption('--device')}, TF32 {tf32()}, torch {torch.__version__}"


def pytest_generate_tests(metafunc):
    if "implementation" in metafunc.fixturenames:
        metafunc.parametrize("implementation", metafunc.config.implementations, ids=lambda i: i.name)


@pytest.fixture
def device(request):
    return request.config.getoption("--device")
