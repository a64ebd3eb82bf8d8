"""The site that ``make notes`` has built: every formula is seen whole, every link leads somewhere, every notebook ran.

``make notes`` runs these after the build; they are not among the tests of ``make test``.
"""

import json
import os
import shutil

import pytest

from ..labels import ROOT, pages
from .links import dangling
from .sources import is_notebook

SITE = ROOT / "out" / "notes"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(not os.environ.get("CI") and not CHROMIUM, reason="chromium is not installed")
WIDTHS = (1400, 390)
# What sticks out of its box, or out of the text's column: formulas are neither cut off nor hidden behind a scroll bar.
CLIPPED = """() => [...document.querySelectorAll('article .katex')].filter(k => {
  if (k.closest('table, pre')) return false;  // a table scrolls as a whole
  const column = k.closest('p, li, dd, blockquote, div.math, article').getBoundingClientRect();
  return [...k.querySelectorAll('.katex-base')].some(b => {
    const box = b.getBoundingClientRect();
    return box.right > column.right + 1 || box.left < column.left - 1;
  });
}).map(k => k.querySelector('annotation').textContent)"""

pytestmark = pytest.mark.site


@pytest.fixture(scope="module", params=WIDTHS)
def phone_and_desk(request):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium.new_page(viewport={"width": request.param, "height": 900})
        chromium.close()


@needs_chromium
@pytest.mark.parametrize("note", pages())
def test_every_formula_is_seen_whole_and_the_page_does_not_scroll_sideways(phone_and_desk, note):
    phone_and_desk.goto((SITE / f"{note}.html").as_uri())
    assert phone_and_desk.evaluate(CLIPPED) == []
    assert phone_and_desk.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_link_leads_somewhere():
    assert list(dangling(SITE)) == []


@pytest.mark.parametrize("note", [note for note in pages() if is_notebook(note)])
def test_every_page_of_the_tutorial_is_a_notebook_that_ran(note):
    cells = json.loads((SITE / f"{note}.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not any(output["output_type"] == "error" for cell in code for output in cell["outputs"])
