"""The suite in pytest: ``pytest --pyargs parity_tests --impl my_lib.adapter``.

An entry point loads this file in every run of pytest where it is installed, so it imports nothing, and brings the options
and tests only where they are what is run: parity_tests by its name or its path, or anything in a checkout.
"""

from argparse import ArgumentError
from collections.abc import Generator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """After what others define, so that a clash is ours to report."""
    yield
    if early_config.rootpath == HERE.parent or is_asked_for(args, early_config.invocation_params.dir):
        try:
            early_config.pluginmanager.import_plugin(f"{__package__}.items")
            parser.parse_known_args(args)
        except (ValueError, ArgumentError) as e:  # newer and older versions of pytest on an option that is there already
            raise pytest.UsageError(
                f"parity_tests: {e}; a conftest.py or a plugin has an option of that name too: run pytest in another folder, "
                "or with --noconftest, or use python -m parity_tests"
            ) from None


def is_asked_for(args: list[str], folder: Path) -> bool:
    """Whether an argument leads to this package, as a path or, after --pyargs, by its name."""
    named = "--pyargs" in args
    for arg in args:
        place = arg.partition("::")[0]
        if named and place.partition(".")[0] == __package__:
            return True
        if not arg.startswith("-") and (folder / place).resolve().is_relative_to(HERE) and (folder / place).exists():
            return True
    return False
