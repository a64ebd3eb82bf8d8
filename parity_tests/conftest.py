"""What this project's own tests need; the options of the suite are those of ``plugin.py``, which is installed with it."""

import os

import pytest
import torch
from hypothesis import HealthCheck, settings

from .fuzz import add_options
from .fuzz import fuzz as fuzz

os.environ.pop("COLUMNS", None)  # which pytest-xdist sets: what is printed into a pipe is not broken
torch.set_num_threads(1)  # the cases are tiny, and several workers share the cores

settings.register_profile("ci", max_examples=60, derandomize=True, deadline=None, database=None)
settings.register_profile(
    "thorough", max_examples=3000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")


def pytest_addoption(parser):
    add_options(parser)


@pytest.fixture
def device(request):
    return request.config.getoption("--device", "cpu")  # without the suite's plugin there is no such option
