"""A browser for the explorers: nothing may be asked of the network, and nothing may go wrong in a page."""

import os
import shutil

import pytest

from . import build
from .formulas import plain

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = bool(os.environ.get("CI"))
needs_node = pytest.mark.skipif(not REQUIRED and not shutil.which("node"), reason="node is not installed")
NAVIGATION = ["index.html", "explorer.html", "explorer_attention.html", "explorer_sampling.html"]


@pytest.fixture(scope="module")
def browser():
    if not (CHROMIUM or REQUIRED):
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def built(request):
    """The page that the module names as PAGE, its formulas as LaTeX."""
    return build(request.module.PAGE, plain)


@pytest.fixture
def page(browser, built, tmp_path):
    """The page, opened."""
    file, wrong = tmp_path / "explorer.html", []
    file.write_text(built, encoding="utf-8")
    shown = browser.new_page(viewport={"width": 1300, "height": 900})
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("console", lambda message: wrong.append(message.text))
    shown.on("request", lambda request: wrong.append(request.url) if not request.url.startswith("file:") else None)
    shown.goto(file.as_uri())
    yield shown
    shown.close()
    assert wrong == []
