"""Tests of layers run with both engines."""

import pytest

from .. import helpers


@pytest.fixture(params=helpers.ENGINES)
def engine(request, monkeypatch):
    """The engine of the layers that helpers.built and helpers.twins make: a test with this fixture runs with both."""
    monkeypatch.setattr(helpers, "engine_of_layers", request.param)
    return request.param
