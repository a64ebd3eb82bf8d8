"""A small run of each application, for files that lie."""

from collections.abc import Iterator

import pytest

from reference.common.run import picture

from ..applications import APPLICATIONS
from .victim import Victim


@pytest.fixture(scope="package")
def victims(tmp_path_factory) -> Iterator[dict[str, Victim]]:
    with pytest.MonkeyPatch.context() as m:
        m.setattr(picture, "draw", lambda *_, **__: "no picture")
        yield {name: Victim(name, tmp_path_factory.mktemp(name)) for name in APPLICATIONS}
